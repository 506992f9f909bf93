"""What the front ends show of retention: classes, holds, plans of erasure."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from ringfence.kernel.clock import to_text
from ringfence.retention import statements
from ringfence.retention.deciding import Verdict
from ringfence.retention.model import Basis, Elsewhere, Fate, Hold, Item, Minimum, Outcome
from ringfence.retention.service import Kept


def kept(one: Kept, at: datetime) -> dict[str, Any]:
    """Return a class with how much of it there is."""
    kind = one.kind
    return {
        "class": kind.name,
        "title": kind.title,
        "holds": kind.holds,
        "purpose": kind.purpose,
        "days": kind.days,
        "set_by": "the team" if kind.overridden else "the profile" if kind.profile else "project default",
        "minimum_days": kind.floor,
        "maximum_days": kind.maximum,
        "minima": [minimum(each, at) for each in kind.minima],
        "starts": kind.starts,
        "destroys": kind.destroys,
        "count": one.tally.count,
        "oldest": _text(one.tally.oldest),
        "due": one.due,
        "held": one.held,
    }


def minimum(one: Minimum, at: datetime) -> dict[str, Any]:
    """Return a minimum with its basis: a project's until the law applies."""
    lawful = one.of_law(at)
    return {
        "days": one.days,
        "basis": (Basis.LAW if lawful else Basis.PROJECT).value,
        "provision": one.provision,
        "paraphrase": one.paraphrase,
        "whom": one.whom,
        "applies_from": {kind: day.isoformat() for kind, day in (one.applies_from or {}).items()},
        "since": [f"{_system(kind)} from {day}" for kind, day in sorted((one.applies_from or {}).items(), key=_by_day)],
        "source": one.source,
        "verified_on": one.verified_on,
    }


def elsewhere(one: Elsewhere) -> dict[str, str]:
    """Return something that no sweep touches."""
    return {"title": one.title, "period": one.period, "because": one.because}


def hold(one: Hold) -> dict[str, Any]:
    """Return a hold."""
    return {
        "hold": one.id,
        "covers": ", ".join(statements.described(one.scope)),
        "placed_by": one.placed_by,
        "placed_at": to_text(one.placed_at),
        "released_by": one.released_by,
        "released_at": _text(one.released_at),
    }


def plan(found: Sequence[tuple[Item, Verdict]]) -> dict[str, Any]:
    """Return what an erasure would do."""
    return {
        "items": [
            {
                "class": item.kind,
                "key": item.key,
                "type": item.predicate,
                "since": to_text(item.since),
                "fate": "erased" if verdict.fate is Fate.WANTED else verdict.fate.value,
                "because": verdict.because,
            }
            for item, verdict in found
        ]
    }


def outcome(one: Outcome) -> dict[str, Any]:
    """Return how a run ended."""
    return {"run": one.run.id, "class": one.run.kind} | one.counts


def _system(kind: str) -> str:
    return kind.removeprefix("high_risk_").replace("_", " ").replace("annex", "Annex")


def _by_day(pair: tuple[str, date]) -> date:
    return pair[1]


def _text(at: datetime | None) -> str | None:
    return None if at is None else to_text(at)
