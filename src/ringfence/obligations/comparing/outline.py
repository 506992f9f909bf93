"""What the status line of a pack says of the rules that it was computed with. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.difference import Entry, Told

MAX_ENTRIES = 2_000  # of one kind
_CONTROL = ("title", "requirement", "does_not_prove")
_RULE = ("asks", "evidence", "issuers", "strength", "freshness_basis", "next_step")
_DUTY = ("act", "provision", "paraphrase", "source", "verified_on")
_NONE = "the status of this pack does not say by which rules it was computed"
_STANDINGS = ("binding", "upcoming", "not-ours", "undetermined", "basis")


def outline(status: object) -> Told:
    """Return what a whole status says of its rules: controls, rules and provisions, with the fields that it shows.

    Raises:
        MalformedInput: it is none, or shows some of its controls only.
    """
    try:
        return _outline(status)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise MalformedInput(_NONE) from error


def _outline(status: Any) -> Told:
    controls = status["controls"]
    if sum(status["counts"].values()) - status["counts"]["denominator"] != len(controls):
        raise MalformedInput("this pack shows some controls only; take one of everything, or the edition of the rules")
    entries: dict[Entry, Mapping[str, Any]] = {Entry("obligation", name): {} for name in _duties(status)}
    for control in controls:
        entries |= _of_control(control)
    for kind in ("control", "requirement", "obligation"):
        if sum(entry.kind == kind for entry in entries) > MAX_ENTRIES:
            raise MalformedInput(f"a status has at most {MAX_ENTRIES} entries of one kind")
    return Told(Digest.parse(status["rules"]), entries)


def _duties(status: Any) -> Iterator[str]:
    for standing in _STANDINGS:
        for duty in status["obligations"][standing]:
            yield _text(duty["id"])


def _of_control(control: Any) -> dict[Entry, Mapping[str, Any]]:
    served = [_text(duty["id"]) for duty in control["obligations"]]
    found: dict[Entry, Mapping[str, Any]] = {}
    found[Entry("control", _text(control["id"]))] = _shown(control, _CONTROL) | {"obligations": served}
    for rule in control["requirements"]:
        days = rule["freshness_days"]
        period = {"control": control["id"], "freshness": None if days is None else f"{int(days)} d"}
        found[Entry("requirement", _text(rule["id"]))] = _shown(rule, _RULE) | period
    for duty in control["obligations"]:
        found[Entry("obligation", _text(duty["id"]))] = _shown(duty, _DUTY)
    return found


def _shown(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _plain(value[name]) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(item) for item in value]
    return value if value is None else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise MalformedInput(_NONE)
