"""Facts to clocks: which run, from when, until when, and whether they were kept.

A finding starts no clock of the law. Until somebody has decided on significance one provisional clock runs from the
detection, to plan with. A signed awareness starts the others. Each value that the awareness ever had stays in force
for the time that it was in force, so that a correction, a merger or a withdrawal turns nothing late into in time.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ringfence.incidents import calendar, contracts
from ringfence.incidents.counting import (
    ORDINARY_STAGE,
    TRUST_STAGE,
    Bound,
    Span,
    clock_of,
    first_filed,
    judged,
    spans_of,
)
from ringfence.incidents.model import Clock, ClockState, Incident
from ringfence.incidents.terms import Anchor, Category, Clockwork, Period, Regime, Stage, Standing, Unit
from ringfence.kernel.clock import to_text

PLANNING = Period(24, Unit.HOURS)  # as if the detection had been the awareness: never later than the real deadline
TRIAGE = "triage"
ON_TIME = "on time"
NIS2 = "nis2"
TRUST_TYPE = "trust_service_provider"


def run(incident: Incident, data: Clockwork, bound: Bound) -> tuple[Clock, ...]:
    """Return every clock of an incident, the provisional one first."""
    provisional = _provisional(incident, bound)
    legal = _legal(incident, data.regimes[NIS2], bound) if spans_of(incident.awareness) else ()
    return (*provisional, *legal, *contracts.run(incident, data.regimes["contract"], bound))


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


def command(clock: Clock, incident: str) -> str:
    """Return what a person enters for a clock: the decision that it waits for, or what acknowledges the act."""
    if clock.id == TRIAGE:
        return f"ringfence incident triage {incident}"
    if contracts.is_undecided(clock):
        return f"ringfence incident triage {incident} --personal-data yes --breached {clock.customer}"
    which = f"--customer {clock.customer}" if clock.customer else f"--stage {clock.id}"
    breach = " --breach" if clock.id.startswith(contracts.BREACH) else ""
    return f"ringfence incident notify {incident} {which}{breach} --reference NUMBER --receipt FILE"


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


def _legal(incident: Incident, regime: Regime, bound: Bound) -> tuple[Clock, ...]:
    outside = _outside(bound.standing)
    if outside:
        first = regime.stages[0]
        return (clock_of(first, regime.id, ClockState.NOT_APPLICABLE, note=outside),)
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
    filed = first_filed(incident.filed, stage.id)
    if stage.period is None:
        state = ClockState.MET if filed else ClockState.UNTIMED
        return clock_of(stage, regime, state, filed=filed)
    special = _special(incident, stage, bound)
    if special is not None:
        return clock_of(stage, regime, special, filed=filed, note=_ONGOING[special, stage.id])
    spans = _starts(incident, stage)
    return judged(clock_of(stage, regime, ClockState.WAITING, filed=filed), spans, stage.period, bound)


# Whether the incident was still going on when the final report fell due decides between the last three reports.
_ONGOING = {
    (ClockState.NOT_APPLICABLE, "nis2.progress"): "the incident was handled before the final report fell due",
    (ClockState.NOT_APPLICABLE, "nis2.final"): "the incident was going on then: a progress report, and the final "
    "report within a month of handling",
    (ClockState.NOT_APPLICABLE, "nis2.final_after_handling"): "only after a progress report",
    (ClockState.WAITING, "nis2.progress"): "only if the incident is still going on then",
}


def _special(incident: Incident, stage: Stage, bound: Bound) -> ClockState | None:
    sent = first_filed(incident.filed, ORDINARY_STAGE)
    if stage.id not in {"nis2.final", "nis2.progress", "nis2.final_after_handling"} or sent is None:
        return ClockState.NOT_APPLICABLE if stage.id == "nis2.final_after_handling" else None
    final = calendar.due(sent.at, Period(1, Unit.MONTHS), bound.places)
    handled = incident.closing.value if incident.closing else None
    ongoing = bound.now > final if handled is None else handled > final
    # A final report that was filed while the incident went on is the better report: nothing is asked for twice.
    early = first_filed(incident.filed, "nis2.final")
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
            return spans_of(incident.awareness)
        case Anchor.SUBMISSION:
            sent = first_filed(incident.filed, stage.after)
            spans: tuple[Span, ...] = (Span(sent.at, sent.recorded_at),) if sent else ()
        case Anchor.HANDLED:
            spans = spans_of(incident.handled)
        case _:  # classification, measure available: no regime that is carried here counts from them yet
            spans = ()
    withdrawn = spans_of(incident.awareness)[-1:]
    return (*spans, *(span for span in withdrawn if span.start is None and spans))
