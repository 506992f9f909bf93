"""Tell whether a change of the rules makes less be asked, so that it is shown first. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from ringfence.kernel.statement import Strength
from ringfence.obligations.difference import Change, Difference

_HOURS = {"d": 24, "h": 1}


def weakened(change: Change) -> bool:
    """Tell whether less is asked than before, as far as one field can say; what is merely different is not."""
    asks = _ASKS.get((change.entry.kind, change.field))
    return asks is not None and asks(change.old, change.new)


def ordered(found: Difference) -> list[Change]:
    """Return the changes, the weakened ones first."""
    return sorted(found.changed, key=lambda change: (not weakened(change), change.entry, change.field))


def _longer(old: Any, new: Any) -> bool:
    return old is not None and (new is None or _hours(new) > _hours(old))


def _hours(text: str) -> int:
    count, unit = text.split()
    return int(count) * _HOURS[unit]


def _lower(old: Any, new: Any) -> bool:
    return Strength[new.upper()] < Strength[old.upper()]


def _more(old: Any, new: Any) -> bool:
    return not set(new) <= set(old)


def _fewer(old: Any, new: Any) -> bool:
    return any(one not in new for one in old)


def _gone(old: Any, new: Any) -> bool:
    return old is not None and new is None


def _duty_no_more(old: Any, new: Any) -> bool:
    return bool((old, new) == ("duty", "basis"))


def _looser(old: Any, new: Any) -> bool:
    """Tell whether a condition is gone, or asks for less of the same claim."""
    return any(not any(_covers(now, before) for now in new) for before in old)


def _covers(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Tell whether whatever meets one condition meets the other one, too."""
    if (now["path"], now["op"]) != (before["path"], before["op"]):
        return False
    wanted, asked = now["value"], before["value"]
    match now["op"]:
        case "at-least":
            return bool(wanted >= asked)
        case "at-most":
            return bool(wanted <= asked)
        case "one-of":
            return set(wanted) <= set(asked)
        case "includes":
            return set(wanted) >= set(asked)
        case _:
            return bool(wanted == asked)


_ASKS: Mapping[tuple[str, str], Callable[[Any, Any], bool]] = {
    ("requirement", "freshness"): _longer,
    ("requirement", "strength"): _lower,
    ("requirement", "conditions"): _looser,
    ("requirement", "issuers"): _more,
    ("requirement", "grace"): lambda old, new: _hours(new) > _hours(old),
    ("requirement", "for_each"): _gone,
    ("requirement", "contradicted_by"): _gone,
    ("requirement", "triggers"): _fewer,
    ("control", "does_not_prove"): _fewer,
    ("obligation", "kind"): _duty_no_more,
}
