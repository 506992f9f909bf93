"""Decide what is due, what is held, and what a law keeps. Facts in, verdicts out; nothing is destroyed here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.kernel.clock import to_text
from ringfence.retention.model import Act, Class, Fate, Hold, Item, Schedule


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may happen to an item now, and why."""

    fate: Fate  # WANTED: it is to be destroyed
    because: str
    until: datetime | None = None  # where a period keeps it


def kept_until(item: Item, one: Class) -> datetime:
    """Return when the period of an item is over."""
    return item.since + timedelta(days=one.period)


def judge(item: Item, schedule: Schedule, holds: Iterable[Hold], act: Act, at: datetime) -> Verdict:
    """Return what may happen to an item at a time.

    A sweep takes what its period has left behind. An erasure does not wait for that, except for a minimum that the law
    sets and that applies already. A hold stops both.
    """
    for hold in holds:
        if covers(hold, item):
            return Verdict(Fate.HELD, f"{hold.id} holds it")
    one = schedule.named(item.kind)
    until = kept_until(item, one)
    if act is Act.ERASE:
        return _lawful(item, one, at)
    if until > at:
        return Verdict(Fate.KEPT, f"{one.title.lower()} are kept for {one.period} days", until)
    return Verdict(Fate.WANTED, f"its {one.period} days were over on {to_text(until)[:10]}")


def _lawful(item: Item, one: Class, at: datetime) -> Verdict:
    for minimum in one.minima:
        until = item.since + timedelta(days=minimum.days)
        if minimum.of_law(at) and until > at:
            return Verdict(Fate.KEPT, f"{minimum.provision} keeps it until {to_text(until)[:10]}", until)
    return Verdict(Fate.WANTED, "it was asked for")


def covers(hold: Hold, item: Item) -> bool:
    """Return whether a hold is in force and covers an item."""
    scope = hold.scope
    return (
        hold.released_at is None
        and (not scope.person or _names(item, hold.names | {scope.person}))
        and (not scope.incident or _names(item, frozenset({scope.incident})))
        and (not scope.family or f"{item.predicate}.".startswith(f"{scope.family}."))
        and (scope.start is None or item.since >= scope.start)
        and (scope.end is None or item.since <= scope.end)
    )


def _names(item: Item, names: frozenset[str]) -> bool:
    """Return whether an item speaks of somebody; of one that names nobody nobody can say that it does not."""
    return not item.names or not names.isdisjoint(item.names)
