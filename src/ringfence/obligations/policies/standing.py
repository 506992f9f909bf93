"""Computed states as policies use them: read from the document of a status, filled into a text, compared with it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.policies.model import Observed, Passage, Policy, Standing

UNKNOWN = "unknown"


def standings(status: Mapping[str, Any], names: Iterable[str]) -> tuple[Standing, ...]:
    """Return the state of each control or rule, by the document of a status; what is not in it holds nothing."""
    found: dict[str, Standing] = {}
    try:
        for control in status["controls"]:
            found[control["id"].lower()] = _of(control["id"].lower(), control, control, control["entries"])
            for part in control["requirements"]:
                found[part["id"]] = _of(part["id"], part, control, [one["entry"] for one in part["rests_on"]])
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedInput(f"this is no status: {error}") from error
    nothing = "no such control or rule is in this status"
    return tuple(found.get(name) or Standing(name, UNKNOWN, nothing, (), None, ()) for name in names)


def _of(name: str, verdict: Mapping[str, Any], control: Mapping[str, Any], entries: Sequence[int]) -> Standing:
    weakest, missing = verdict["weakest_strength"], tuple(control["does_not_prove"])
    return Standing(name, verdict["state"], verdict["because"], tuple(entries), weakest, missing)


def filled(text: str, policy: Policy, found: Sequence[Standing], as_of: str) -> str:
    """Return the text with what each observed sentence rests on, right below it."""
    known = {one.name: one for one in found}
    lines = text.replace("\r\n", "\n").split("\n")
    for passage in reversed(list(policy.passages)):
        if isinstance(passage.mark, Observed):
            end = _end(lines, passage)
            lines[end:end] = ["", *_said(known[passage.mark.name], as_of)]
    return "\n".join(lines)


def _end(lines: Sequence[str], passage: Passage) -> int:
    return next((n for n in range(passage.line - 1, len(lines)) if not lines[n].strip()), len(lines))


def _said(one: Standing, as_of: str) -> list[str]:
    records = ", ".join(f"entry {entry}" for entry in one.entries) or "no record"
    weakest = f"; weakest strength {one.weakest}" if one.weakest else ""
    head = f"> {'Observed' if one.holds else 'CONTRADICTED'}: {one.name.upper()} is {one.state} as of {as_of}"
    return [
        f"{head} ({records}{weakest}): {one.because}",
        *(f"> Does not prove: {line}" for line in one.does_not_prove),
    ]
