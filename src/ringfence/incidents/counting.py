"""One clock from its starts, the act that it asks for, and the time now.

Each value that an awareness ever had stays in force for the time that it was in force, so that a correction, a merger
or a withdrawal turns nothing late into in time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ringfence.incidents import calendar, versions
from ringfence.incidents.calendar import Places
from ringfence.incidents.model import Awareness, Clock, ClockState, Filed
from ringfence.incidents.terms import Category, Customer, Period, Stage, Standing
from ringfence.kernel.clock import to_text

TRUST_STAGE, ORDINARY_STAGE = "nis2.notification.trust", "nis2.notification"
NOTIFICATION = frozenset({TRUST_STAGE, ORDINARY_STAGE})  # one report, with a shorter period for trust services


@dataclass(frozen=True, slots=True)
class Span:
    """A start that was in force from `since` on, or the word that there is none."""

    start: datetime | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Bound:
    """Whose clocks these are: the standing of the tenant, its customers, and the time now."""

    standing: Standing
    customers: tuple[Customer, ...]
    now: datetime

    @property
    def places(self) -> Places:
        """Return whose calendars count."""
        return calendar.where(self.standing.jurisdiction)


def spans_of(known: Iterable[Awareness], customer: str = "", *, breach: bool = False) -> tuple[Span, ...]:
    """Return the starts that one awareness gave, in the order in which they came into force."""
    return tuple(Span(one.value, one.since) for one in versions.of(known, customer, breach=breach))


def first_filed(filed: Sequence[Filed], stage: str, customer: str = "") -> Filed | None:
    """Return the earliest act of a stage."""
    names = NOTIFICATION if stage in NOTIFICATION else {stage}
    found = [one for one in filed if one.stage in names and one.customer == customer]
    return min(found, key=lambda one: one.at, default=None)


def clock_of(
    stage: Stage, regime: str, state: ClockState, *, filed: Filed | None = None, note: str = "", customer: str = ""
) -> Clock:
    """Return a clock of a stage in a state; its starts are not looked at."""
    return Clock(
        id=f"{stage.id}/{customer}" if customer else stage.id,
        regime=regime,
        title=stage.title,
        ref=stage.ref,
        source=stage.source,
        state=state,
        counted_from=stage.counted_from,
        period=str(stage.period or ""),
        met_at=filed.at if filed else None,
        receipt=filed.receipt if filed else "",
        note=note,
        customer=customer,
    )


def judged(clock: Clock, spans: tuple[Span, ...], period: Period, bound: Bound) -> Clock:
    """Return the clock as its starts, the act and the time now make it."""
    if not spans:
        return clock
    started = next((span.start for span in reversed(spans) if span.start), None)
    due = calendar.due(started, period, bound.places) if started else None
    late = max((_lateness(clock, spans, at, period, bound) for at in range(len(spans))), default=timedelta(0))
    return replace(
        clock,
        period=str(period),
        started_at=started,
        due_at=due,
        state=_state(clock, late, spans[-1].start is None, bound),
        late_by=late or None,
        note="; ".join(filter(None, (clock.note, _earlier(spans, period, bound)))),
    )


def _lateness(clock: Clock, spans: tuple[Span, ...], at: int, period: Period, bound: Bound) -> timedelta:
    """Return by how much the start that was in force at `at` was missed while it was in force."""
    start = spans[at].start
    if start is None:
        return timedelta(0)
    due = calendar.due(start, period, bound.places)
    replaced = spans[at + 1].since if at + 1 < len(spans) else None
    if replaced is not None and due >= replaced:
        return timedelta(0)
    return max(timedelta(0), (clock.met_at or bound.now) - due)


def _state(clock: Clock, late: timedelta, withdrawn: bool, bound: Bound) -> ClockState:  # noqa: FBT001
    if clock.met_at is not None:
        return ClockState.MET_LATE if late else ClockState.MET
    if late:
        return ClockState.LATE
    if withdrawn:
        return ClockState.WITHDRAWN
    undetermined = bound.standing.category is Category.UNDETERMINED
    return ClockState.UNDETERMINED if undetermined else ClockState.PENDING


def _earlier(spans: tuple[Span, ...], period: Period, bound: Bound) -> str:
    """Name the deadlines that earlier values gave."""
    dues = [calendar.due(span.start, period, bound.places) for span in spans if span.start]
    known = list(dict.fromkeys(to_text(due) for due in dues[:-1] if due != dues[-1]))
    return "earlier deadline " + ", ".join(known) if known else ""
