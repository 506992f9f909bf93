"""Differences of rules in words: what an entry is, what a field is called, and how its two values read. Pure."""

from collections.abc import Mapping
from typing import Any

KINDS = {"control": "control", "obligation": "provision", "requirement": "rule", "national": "Member State"}
_FIELDS = {
    "among": "to which categories it applies",
    "applies_from": "applies from",
    "conditions": "what the statement must say",
    "contradicted_by": "what takes it back",
    "evidence": "evidence type",
    "for_each": "of what each needs evidence",
    "freshness": "how old evidence may be",
    "freshness_basis": "whose period that is",
    "issuers": "who may state it",
    "maps": "codes of other lists",
    "obligations": "provisions that it serves",
    "op": "compared by",
    "path": "claim",
    "selection": "which statements are looked at",
    "strength": "how strong evidence must be",
    "triggers": "events after which it is shown anew",
    "verified_on": "looked up on",
    "who": "whom it addresses",
}
_NAMED_BY = ("because", "id", "evidence")  # what a mapping in a list is called by


def field(name: str) -> str:
    """Return what a field is called."""
    return _FIELDS.get(name, name.replace("_", " "))


def values(there: Any, here: Any) -> tuple[str, str]:
    """Return both values in words; of two lists only what the other one does not have."""
    if isinstance(there, list) and isinstance(here, list):
        return _only(there, here), _only(here, there)
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        names = [name for name in {**there, **here} if there.get(name) != here.get(name)]
        return _pairs(there, names), _pairs(here, names)
    return value(there), value(here)


def value(found: Any) -> str:
    """Return one value in words."""
    match found:
        case None:
            return "none"
        case bool():
            return "yes" if found else "no"
        case list():
            return "; ".join(map(value, found)) or "nothing"
        case Mapping():
            named = next((found[name] for name in _NAMED_BY if isinstance(found.get(name), str)), None)
            return named or _pairs(found, list(found))
        case _:
            return str(found)


def _only(these: list[Any], those: list[Any]) -> str:
    left = [one for one in these if one not in those]
    if not left:
        return "the same in another order" if len(these) == len(those) else "nothing beyond"
    return "; ".join(_whole(one) if isinstance(one, Mapping) else value(one) for one in left)


def _whole(found: Mapping[str, Any]) -> str:
    """Say a condition or an event with its numbers: two of them can have one sentence."""
    rest = [name for name in found if name not in _NAMED_BY and found[name] not in (None, [])]
    return f"{value(found)} ({_pairs(found, rest)})" if rest else value(found)


def _pairs(found: Mapping[str, Any], names: list[str]) -> str:
    return ", ".join(f"{field(name)} {value(found[name])}" for name in names if name in found) or "none"
