"""A comparison of rules in words for a terminal. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

_SHORT = 19  # characters of a digest that are shown


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Say which versions are known, and what differs."""
    for one in document["versions"]:
        words = [word for word, holds in (("counts here", one["counts"]), ("as shipped", one["ships"])) if holds]
        if one["statements"]:
            words.append(f"named by {one['statements']} statements, the last at entry {one['last']['entry']}")
        yield f"{one['rules'][:_SHORT]}  {', '.join(words)}"
    yield from _compared(document["comparison"])


def _compared(found: Mapping[str, Any]) -> Iterator[str]:
    there, here = found["there"], found["here"]
    yield f"There {there['rules'][:_SHORT]} ({found['of']}), here {here['rules'][:_SHORT]}, as of {found['as_of']}"
    if found["note"]:
        yield found["note"]
    for word in ("only_there", "only_here"):
        for entry in found[word]:
            yield f"{word.replace('_', ' ')}  {entry['kind']} {entry['id']}"
    for one in found["changed"]:
        mark = "looser here  " if one["looser"] else ""
        yield f"{mark}{one['kind']} {one['id']}, {one['called']}: {one['there_in_words']} -> {one['here_in_words']}"
    if not (found["only_there"] or found["only_here"] or found["changed"]):
        yield "no rule differs"
    yield from _states(found)


def _states(found: Mapping[str, Any]) -> Iterator[str]:
    if found["states"] is None:
        yield "what the status would be by those rules cannot be computed from a part of them"
        return
    for place in ("there", "here"):
        counts = found[place]["counts"]
        yield f"By the rules {place}: {counts['satisfied']} of {counts['denominator']} controls satisfied"
    for one in found["states"]:
        yield f"{one['control']}  {_state(one['there'])} there, {_state(one['here'])} here"
    if not found["states"]:
        yield "no state differs"


def _state(verdict: Mapping[str, Any] | None) -> str:
    return str(verdict["state"]).replace("-", " ") if verdict else "no such control"
