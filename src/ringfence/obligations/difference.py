"""Say what differs between two versions of the rules: what came, what went, and which field of what changed."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import Enum
from typing import Any, Literal

from ringfence.kernel.digest import Digest
from ringfence.obligations.model import Catalog

_IMPLIED = "floor"  # it moves where `strength` does
Kind = Literal["control", "obligation", "requirement", "national"]


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One thing of the rules, by its kind and id."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """A field that reads otherwise; both values as plain data."""

    entry: Entry
    field: str
    old: Any
    new: Any

    def to_json(self) -> dict[str, Any]:
        """Return it as front ends show it."""
        return {
            "kind": self.entry.kind,
            "id": self.entry.id,
            "field": self.field,
            "ours": self.old,
            "here": self.new,
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything between two versions, each list in the order of kind and id."""

    old: Digest
    new: Digest
    added: tuple[Entry, ...]
    removed: tuple[Entry, ...]
    changed: tuple[Change, ...]

    def __bool__(self) -> bool:
        """Tell whether anything differs; a comment in a file changes the digest and nothing here."""
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class Told:
    """A version of the rules as plain data: of each entry its fields."""

    digest: Digest
    entries: Mapping[Entry, Mapping[str, Any]]


def difference(old: Catalog, new: Catalog) -> Difference:
    """Compare two versions of the rules, entry by entry and field by field."""
    return compared(told(old), told(new))


def compared(old: Told, new: Told) -> Difference:
    """Compare what is told of two versions; a field of which one of them tells nothing is left out."""
    before, after = old.entries, new.entries
    both = sorted(before.keys() & after.keys())
    return Difference(
        old=old.digest,
        new=new.digest,
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(change for entry in both for change in _changes(entry, before[entry], after[entry])),
    )


def told(catalog: Catalog) -> Told:
    """Return everything that a catalogue says."""
    groups: dict[Kind, Mapping[str, Any]] = {
        "control": {control.id: control for control in catalog.controls},
        "obligation": catalog.obligations,
        "requirement": catalog.requirements,
        "national": catalog.national,
    }
    entries = {Entry(kind, name): value for kind, group in groups.items() for name, value in group.items()}
    return Told(catalog.digest, {entry: _fields(value) for entry, value in entries.items()})


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: plain(getattr(value, field.name)) for field in fields(value) if field.name != _IMPLIED}


def _changes(entry: Entry, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    return [Change(entry, name, old[name], new[name]) for name in old if name in new and old[name] != new[name]]


def plain(value: Any) -> Any:
    """Return a value of the rules as plain data: texts, integers, booleans, lists, mappings, null."""
    match value:
        case Enum():
            return value.name.lower() if isinstance(value.value, int) else value.value
        case date():
            return value.isoformat()
        case timedelta():
            return f"{value // timedelta(hours=1)} h" if value % timedelta(days=1) else f"{value.days} d"
        case Mapping():
            return {str(name): plain(part) for name, part in value.items()}
        case frozenset():
            return sorted(plain(part) for part in value)
        case tuple():
            return [plain(part) for part in value]
        case _ if hasattr(value, "__dataclass_fields__"):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value
