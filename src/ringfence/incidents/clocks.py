"""Facts to clocks: which run, from when, until when, and whether they were kept.

A finding starts no clock of the law. Until somebody has decided on significance one provisional clock runs from the
detection, to plan with. A signed awareness starts the others. Each value that the awareness ever had stays in force
for the time that it was in force, so that a correction, a merger or a withdrawal turns nothing late into in time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ringfence.incidents import calendar
from ringfence.incidents.calendar import Places
from ringfence.incidents.model import Awareness, Clock, ClockState, Filed, Incident
from ringfence.incidents.terms import Anchor, Category, Clockwork, Customer, Period, Regime, Stage, Standing, Unit
from ringfence.kernel.clock import to_text

PLANNING = Period(24, Unit.HOURS)  # as if the detection had been the awareness: never later than the real deadline
TRIAGE = "triage"
ON_TIME = "on time"
NIS2, CONTRACT = "nis2", "contract.customer_notice"
TRUST_TYPE, TRUST_STAGE, ORDINARY_STAGE = "trust_service_provider", "nis2.notification.trust", "nis2.notification"
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


def run(incident: Incident, data: Clockwork, bound: Bound) -> tuple[Clock, ...]:
    """Return every clock of an incident, the provisional one first."""
    provisional = _provisional(incident, bound)
    legal = _legal(incident, data.regimes[NIS2], bound) if _spans(incident.awareness) else ()
    return (*provisional, *legal, *_contractual(incident, data, bound))


def nearest(clocks: Iterable[Clock]) -> Clock | None:
    """Return the clock that somebody has to act for first."""
    running = [clock for clock in clocks if clock.running and clock.due_at is not None]
    return min(running, key=lambda clock: str(clock.due_at), default=None)


def due_warnings(clocks: Iterable[Clock], now: datetime) -> dict[str, str]:
    """Return what running clocks warn of at half, at three quarters and past their time, by a key of the warning."""
    found = {}
    for clock in clocks:
        if clock.running and clock.started_at and clock.due_at:
            word = escalation(clock.started_at, clock.due_at, now)
            if word != ON_TIME:
                key = f"{clock.id}/{word}"
                found[key] = f"{clock.title}: due {to_text(clock.due_at)}, {word}"
    return found


def _provisional(incident: Incident, bound: Bound) -> tuple[Clock, ...]:
    since = incident.untriaged_since
    if since is None or incident.merged_into:
        return ()
    due = calendar.due(since, PLANNING, bound.places)
    late = bound.now - due if bound.now > due else None
    words = "no clock of the law: nobody has decided yet whether the incident is significant"
    return (
        Clock(
            TRIAGE,
            "",
            "decide on significance",
            "2024/2690 recital 31",
            "project",
            ClockState.PROVISIONAL,
            "detection",
            str(PLANNING),
            since,
            due,
            late_by=late,
            note=f"{words}; {escalation(since, due, bound.now)}",
        ),
    )


def escalation(since: datetime, due: datetime, now: datetime) -> str:
    """Say how pressing an undecided incident is."""
    share = (now - since) / max(due - since, timedelta(seconds=1))  # a corrected start can lie after its deadline
    steps = ((1.0, "overdue"), (0.75, "escalated"), (0.5, "reminded"))
    return next((word for limit, word in steps if share >= limit), ON_TIME)


def _spans(versions: Iterable[Awareness], customer: str = "") -> tuple[Span, ...]:
    return tuple(Span(v.value, v.since) for v in versions if v.customer == customer)


def _legal(incident: Incident, regime: Regime, bound: Bound) -> tuple[Clock, ...]:
    outside = _outside(bound.standing)
    if outside:
        first = regime.stages[0]
        return (_clock(first, regime.id, ClockState.NOT_APPLICABLE, note=outside),)
    trust = TRUST_TYPE in bound.standing.types
    stages = [stage for stage in regime.stages if stage.id != TRUST_STAGE or trust]
    return tuple(_of_stage(incident, regime.id, stage, bound) for stage in stages)


def _outside(standing: Standing) -> str:
    """Say why Article 23 does not bind, or nothing where it does or may."""
    if standing.financial:
        return "a financial entity reports under DORA 19 instead (NIS2 4)"
    if standing.category is Category.OUT_OF_SCOPE:
        return "the entity is outside NIS2; contracts may still ask for a notice"
    if standing.category is Category.REGISTRATION_ONLY:
        return "only registration duties bind this entity, not NIS2 23"
    return ""


def _of_stage(incident: Incident, regime: str, stage: Stage, bound: Bound) -> Clock:
    filed = _first(incident.filed, stage.id)
    if stage.period is None:
        state = ClockState.MET if filed else ClockState.UNTIMED
        return _clock(stage, regime, state, filed=filed)
    special = _special(incident, stage, bound)
    if special is not None:
        return _clock(stage, regime, special, filed=filed, note=_ONGOING[special, stage.id])
    spans = _starts(incident, stage)
    return _judged(_clock(stage, regime, ClockState.WAITING, filed=filed), spans, stage.period, bound)


# Whether the incident was still going on when the final report fell due decides between the last three reports.
_ONGOING = {
    (ClockState.NOT_APPLICABLE, "nis2.progress"): "the incident was handled before the final report fell due",
    (ClockState.NOT_APPLICABLE, "nis2.final"): "the incident was going on then: a progress report, and the final "
    "report within a month of handling",
    (ClockState.NOT_APPLICABLE, "nis2.final_after_handling"): "only after a progress report",
    (ClockState.WAITING, "nis2.progress"): "only if the incident is still going on then",
}


def _special(incident: Incident, stage: Stage, bound: Bound) -> ClockState | None:
    sent = _first(incident.filed, ORDINARY_STAGE)
    if stage.id not in {"nis2.final", "nis2.progress", "nis2.final_after_handling"} or sent is None:
        return ClockState.NOT_APPLICABLE if stage.id == "nis2.final_after_handling" else None
    final = calendar.due(sent.at, Period(1, Unit.MONTHS), bound.places)
    handled = incident.closing.value if incident.closing else None
    ongoing = bound.now > final if handled is None else handled > final
    # A final report that was filed while the incident went on is the better report: nothing is asked for twice.
    early = _first(incident.filed, "nis2.final")
    ongoing = ongoing and not (early and early.at <= final)
    if stage.id == "nis2.final":
        return ClockState.NOT_APPLICABLE if ongoing else None
    if ongoing:
        return None
    decided = handled is not None or early is not None or stage.id == "nis2.final_after_handling"
    return ClockState.NOT_APPLICABLE if decided else ClockState.WAITING


def _starts(incident: Incident, stage: Stage) -> tuple[Span, ...]:
    match stage.anchor:
        case Anchor.AWARENESS:
            return _spans(incident.awareness)
        case Anchor.SUBMISSION:
            sent = _first(incident.filed, stage.after)
            spans: tuple[Span, ...] = (Span(sent.at, sent.recorded_at),) if sent else ()
        case Anchor.HANDLED:
            spans = _spans(incident.handled)
        case _:  # classification, measure available: no regime that is carried here counts from them yet
            spans = ()
    withdrawn = _spans(incident.awareness)[-1:]
    return (*spans, *(span for span in withdrawn if span.start is None and spans))


def _first(filed: Sequence[Filed], stage: str, customer: str = "") -> Filed | None:
    names = NOTIFICATION if stage in NOTIFICATION else {stage}
    found = [one for one in filed if one.stage in names and one.customer == customer]
    return min(found, key=lambda one: one.at, default=None)


def _contractual(incident: Incident, data: Clockwork, bound: Bound) -> tuple[Clock, ...]:
    stage = next(stage for stage in data.regimes["contract"].stages if stage.id == CONTRACT)
    return tuple(
        _of_customer(incident, stage, customer, bound)
        for customer in bound.customers
        if _spans(incident.awareness, customer.id)
    )


def _of_customer(incident: Incident, stage: Stage, customer: Customer, bound: Bound) -> Clock:
    filed = _first(incident.filed, stage.id, customer.id)
    note = "hours of the contract" if customer.agreed else "hours are a proposal of this project: enter the contract's"
    empty = _clock(stage, "contract", ClockState.WAITING, filed=filed, note=note, customer=customer.id)
    spans = _spans(incident.awareness, customer.id)
    # A contract binds whatever the entity is under NIS2.
    free = Bound(Standing(Category.IMPORTANT, jurisdiction=bound.standing.jurisdiction), (), bound.now)
    return _judged(empty, spans, Period(customer.hours, Unit.HOURS), free)


def _clock(
    stage: Stage, regime: str, state: ClockState, *, filed: Filed | None = None, note: str = "", customer: str = ""
) -> Clock:
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


def _judged(clock: Clock, spans: tuple[Span, ...], period: Period, bound: Bound) -> Clock:
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
