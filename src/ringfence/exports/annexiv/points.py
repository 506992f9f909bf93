"""The nine points of Annex IV, and which evidence says something of each: `data/annex_iv.yaml`, read strictly."""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PredicateName, predicate_name
from ringfence.obligations import reading
from ringfence.obligations.forms import shelf

KINDS = ("system", "dataset", "model", "deployment", "run", "redteam", "organisation", "logs")
USES = ("dataset", "model", "deployment", "run", "redteam")
TEST = "test"
CYBERSECURITY = "cybersecurity"
_FILE = "annex_iv.yaml"
_POINT = frozenset({"point", "heading", "prompts", "evidence"})
_EVIDENCE = frozenset({"type", "about", "says", "not", "tags"})


@dataclass(frozen=True, slots=True)
class Telling:
    """How statements of one type are told; without sentences of its own a form's questions are shown."""

    type: PredicateName
    about: str
    says: tuple[str, ...]
    does_not_show: str
    tags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the annex."""

    id: str
    heading: str
    prompts: tuple[str, ...]
    evidence: tuple[Telling, ...]


@cache
def points() -> tuple[Point, ...]:
    """Return the nine points, in order."""
    return parse(resources.files("ringfence.exports").joinpath("data", _FILE).read_bytes(), source=_FILE)


def predicates() -> tuple[PredicateName, ...]:
    """Return every evidence type that says something of a system."""
    return tuple(dict.fromkeys(telling.type for point in points() for telling in point.evidence))


def parse(data: bytes, *, source: str) -> tuple[Point, ...]:
    """Read the file; raise `MalformedInput` for what is not known."""
    rows = reading.parse(data, source=source).value
    if not isinstance(rows, list) or [row["point"] for row in rows] != [f"iv-{n}" for n in range(1, 10)]:
        raise MalformedInput("Annex IV has nine points, iv-1 to iv-9", source=source)
    return tuple(_point(row, source) for row in rows)


def _point(row: Any, source: str) -> Point:
    if row.keys() != _POINT:
        raise MalformedInput(f"a point has {', '.join(sorted(_POINT))}", source=source)
    told = tuple(_telling(entry, source) for entry in row["evidence"])
    return Point(row["point"], row["heading"], tuple(row["prompts"]), told)


def _telling(entry: Any, source: str) -> Telling:
    if not entry.keys() <= _EVIDENCE or entry["about"] not in KINDS:
        raise MalformedInput(f"{entry.get('type')} is told in a way that is not known", source=source)
    name, says = predicate_name(entry["type"]), tuple(entry.get("says", ()))
    shows_not = entry.get("not", "") or (shelf.form(name).does_not_show if name in shelf.types() else "")
    if not shows_not or (not says and name not in shelf.types()):
        raise MalformedInput(f"{name} has no form: it needs sentences, and what it does not show", source=source)
    return Telling(name, entry["about"], says, shows_not, frozenset(entry.get("tags", ())))
