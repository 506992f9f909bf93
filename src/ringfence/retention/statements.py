"""What is stated of holds, sweeps and erasures: counts, codes and commitments; the rest is erasable. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.retention.model import Class, Fate, Hold, HoldId, Outcome, RunId, Schedule, Scope

HOLD_PLACED = PredicateName("retention.hold_placed")
HOLD_RELEASED = PredicateName("retention.hold_released")
SWEEP_REQUESTED = PredicateName("retention.sweep_requested")
SWEPT = PredicateName("retention.swept")
ERASURE_REQUESTED = PredicateName("record.erasure_requested")
ERASED = PredicateName("record.erased")


def hold_placed(hold: Hold, because: str) -> Draft:
    """State that something is to be kept; whom it is about can be erased later, as can the reason."""
    scope = hold.scope
    claims: dict[str, Any] = {"hold": hold.id, "by": hold.placed_by, "person": bool(scope.person)}
    claims |= {"incident": scope.incident, "family": scope.family}
    claims |= {name: to_text(at) if at else "" for name, at in (("from", scope.start), ("until", scope.end))}
    details = {"because": because} | ({"person": scope.person} if scope.person else {})
    return Draft(HOLD_PLACED, (_hold(hold.id),), claims, Strength.OBSERVED, details)


def hold_released(hold: Hold, by: Person, because: str) -> Draft:
    """State that a hold ended."""
    claims = {"hold": hold.id, "by": by.id, "placedBy": hold.placed_by, "placedAt": to_text(hold.placed_at)}
    return Draft(HOLD_RELEASED, (_hold(hold.id),), claims, Strength.OBSERVED, {"because": because})


def sweep_requested(run: RunId, one: Class, items: int, schedule: Schedule) -> Draft:
    """State what is about to be destroyed because its period is over."""
    claims = {"run": run, "class": one.name, "days": one.days, "items": items, "schedule": str(schedule.digest)}
    return Draft(SWEEP_REQUESTED, (_run(run, claims),), claims, Strength.OBSERVED)


def swept(outcome: Outcome) -> Draft:
    """State what was destroyed, and what was not after all."""
    run = outcome.run
    claims = {"run": run.id, "class": run.kind or "", "requested": str(run.requested)} | outcome.counts
    return Draft(SWEPT, (_run(run.id, claims),), claims, Strength.OBSERVED)


def erasure_requested(run: RunId, by: Person, fates: Mapping[Fate, int], asked: Mapping[str, str]) -> Draft:
    """State that details are about to be destroyed because somebody asked for it; `asked` says what for, and why."""
    claims = {"run": run, "by": by.id, "items": fates.get(Fate.WANTED, 0)}
    claims |= {"held": fates.get(Fate.HELD, 0), "keptByLaw": fates.get(Fate.KEPT, 0)}
    return Draft(ERASURE_REQUESTED, (_run(run, claims),), claims, Strength.OBSERVED, dict(asked))


def erased(outcome: Outcome) -> Draft:
    """State which commitments nobody can open any more."""
    run = outcome.run
    claims: dict[str, Any] = {"run": run.id, "requested": str(run.requested)} | outcome.counts
    claims["commitments"] = [str(each) for each in sorted(outcome.commitments)]
    return Draft(ERASED, (_run(run.id, claims),), claims, Strength.OBSERVED)


def _hold(hold: HoldId) -> Subject:
    return Subject(hold.replace("-", "/", 1), Digest.of(hold.encode()))


def _run(run: RunId, claims: Mapping[str, Any]) -> Subject:
    return Subject(f"retention/{run.removeprefix('run-')}", Digest.of(dumps(dict(claims))))


def described(scope: Scope) -> Sequence[str]:
    """Return what a hold covers, in words."""
    named = [("person", scope.person), ("incident", scope.incident), ("statements of the kind", scope.family)]
    words = [f"{word} {value}" for word, value in named if value]
    words += [f"from {to_text(scope.start)}"] if scope.start else []
    return words + ([f"until {to_text(scope.end)}"] if scope.end else [])
