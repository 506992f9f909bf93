"""When a control turned, and why: the same computation, repeated for a bounded number of moments of the past. Pure.

A verdict can change only where something was recorded, where something ran out, and where a date of an act begins.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from ringfence.obligations.assess import expiry
from ringfence.obligations.board import compute, predicates
from ringfence.obligations.duties import ENTITY, SYSTEM
from ringfence.obligations.model import Catalog, Control, Requirement, Selection
from ringfence.obligations.records import Records, Trail, until
from ringfence.obligations.results import Verdict

MOST = 48  # moments that are looked at, the newest
EFFORT = 1_500  # things that are judged for all of them together: what keeps a page quick


@dataclass(frozen=True, slots=True)
class Turn:
    """A moment from which on a control read otherwise."""

    at: datetime
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class History:
    """The turns of one control, newest first, as far back as was looked."""

    turns: tuple[Turn, ...]
    looked: int  # moments
    since: datetime | None  # the earliest of them; None where none was looked at
    whole: bool  # whether nothing older is left out


def history(
    control: Control, catalog: Catalog, records: Records, at: datetime, *, since: datetime | None = None
) -> History:
    """Return when `control` turned up to `at`; `since` leaves out what was before."""
    alone, rules = narrowed(catalog, control), catalog.of(control.id)
    trails = [records.trail(name) for name in predicates(alone)]
    limit = min(MOST, EFFORT // max(1, _weight(rules, catalog, records)))
    known = sorted({moment for moment in _moments(rules, trails, catalog, at) if since is None or moment > since})
    chosen = known[-limit:] if limit > 1 else []
    turns: list[Turn] = []
    for moment in chosen:
        verdict = compute(alone, records, moment).controls[0].verdict
        last = turns[-1].verdict if turns else None
        if last is None or (last.state, last.reason) != (verdict.state, verdict.reason):
            turns.append(Turn(moment, verdict))
    whole = len(chosen) == len(known) < MOST and since is None
    return History(tuple(reversed(turns)), len(chosen), chosen[0] if chosen else None, whole)


def narrowed(catalog: Catalog, control: Control) -> Catalog:
    """Return the rules of one control, with whatever its status rests on: it comes out as in the whole board."""
    wanted = {ENTITY, SYSTEM, *(rule.id for rule in catalog.requirements.values() if rule.anchors)}
    waiting = [*wanted, *(rule.id for rule in catalog.of(control.id))]
    while waiting:
        name = waiting.pop()
        wanted.add(name)
        waiting += [link for link in catalog.requirements[name].links if link not in wanted]
    return replace(
        catalog,
        controls=(control,),
        obligations={name: catalog.obligations[name] for name in control.obligations},
        requirements={name: rule for name, rule in catalog.requirements.items() if name in wanted},
    )


def _weight(rules: Iterable[Requirement], catalog: Catalog, records: Records) -> int:
    """Return how many things one look judges."""
    total = 0
    for rule in rules:
        population = catalog.requirements[rule.for_each.of] if rule.for_each else rule
        trail = records.trail(population.evidence)
        if rule.selection is Selection.EVERY:
            total += len(trail.run)
        elif rule.for_each is None and rule.selection is Selection.LATEST:
            total += 1
        else:
            total += len(trail.by_subject)
    return total


def _moments(
    rules: Iterable[Requirement], trails: Iterable[Trail], catalog: Catalog, at: datetime
) -> Iterator[datetime]:
    """Yield the newest moments at which something can have changed, each kind bounded on its own."""
    first = at
    for trail in trails:
        for run in (trail.run, trail.set_aside):
            count = until(run, at)
            yield from (logged.recorded_at for logged in run[max(0, count - MOST) : count])
            first = min(first, run[0].recorded_at) if count else first
        for rule in rules:
            yield from _ends(rule, trail, at)
    yield from (turn for turn in catalog.turns if first < turn <= at)


def _ends(rule: Requirement, trail: Trail, at: datetime) -> Iterator[datetime]:
    """Yield when statements ran out, and when the time was up that a new member or an event leaves."""
    for span in filter(None, (rule.freshness, rule.grace, *(trigger.within for trigger in rule.triggers))):
        count = until(trail.run, at - span)
        for logged in trail.run[max(0, count - MOST) : count]:
            over = expiry(rule, logged) if span is rule.freshness else logged.recorded_at + span
            if over is not None and over <= at:
                yield over
