"""Clocks of contracts, beside those of the law: of an incident, and of a breach of a customer's personal data. Pure.

Each starts with the awareness that this very customer is affected; a breach, with the awareness of the incident that a
person decided to be one. As long as nobody has decided that, the hours are planned with and the clock says so.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from ringfence.incidents.counting import Bound, Span, clock_of, first_filed, judged, spans_of
from ringfence.incidents.model import Answer, Clock, ClockState, Incident
from ringfence.incidents.terms import Category, Customer, Period, Regime, Stage, Standing, Unit

REGIME, NOTICE, BREACH = "contract", "contract.customer_notice", "contract.breach_notice"
_AGREED = "hours of the contract"
_UNDECIDED = "not decided: whether personal data of this customer is affected; plan with this date"


def run(incident: Incident, regime: Regime, bound: Bound) -> tuple[Clock, ...]:
    """Return the clocks of every customer whom a decision names."""
    return tuple(_all(incident, {stage.id: stage for stage in regime.stages}, bound))


def _all(incident: Incident, stages: dict[str, Stage], bound: Bound) -> Iterator[Clock]:
    for customer in bound.customers:
        if spans_of(incident.awareness, customer.id):
            yield _of_incident(incident, stages[NOTICE], customer, bound)
            yield from _of_breach(incident, stages[BREACH], customer, bound)


def _of_incident(incident: Incident, stage: Stage, customer: Customer, bound: Bound) -> Clock:
    spans = spans_of(incident.awareness, customer.id)
    start = _start(spans)
    hours, agreed, basis = customer.at(start) if start else (customer.hours, customer.agreed, customer.basis)
    note = _AGREED if agreed else f"hours are {basis}: enter the contract's"
    return judged(_empty(incident, stage, customer, note), spans, Period(hours, Unit.HOURS), _free(bound))


def _of_breach(incident: Incident, stage: Stage, customer: Customer, bound: Bound) -> Iterator[Clock]:
    decided = spans_of(incident.awareness, customer.id, breach=True)
    spans = decided or spans_of(incident.awareness, customer.id)
    hours = customer.breach_at(_start(spans))
    if hours is None:
        return
    empty = replace(_empty(incident, stage, customer, _AGREED), period=str(Period(hours, Unit.HOURS)))
    answer = incident.triage.personal_data if incident.triage else Answer.UNKNOWN
    if decided:
        yield judged(empty, spans, Period(hours, Unit.HOURS), _free(bound))
    elif answer is not Answer.UNKNOWN:
        said = "no breach of personal data" if answer is Answer.NO else "no personal data of this customer is affected"
        yield replace(empty, state=ClockState.NOT_APPLICABLE, note=f"decided: {said}")
    else:
        yield _planned(judged(empty, spans, Period(hours, Unit.HOURS), _free(bound)))


def _planned(clock: Clock) -> Clock:
    """Return a clock about which nobody has decided: it is neither late nor kept."""
    if clock.state is ClockState.WITHDRAWN:
        return clock
    return replace(clock, state=ClockState.UNDETERMINED, late_by=None, note=f"{_UNDECIDED}; {clock.note}")


def is_undecided(clock: Clock) -> bool:
    """Tell whether nobody has decided yet that a breach touches this customer."""
    return clock.id.startswith(BREACH) and clock.state is ClockState.UNDETERMINED


def _start(spans: tuple[Span, ...]) -> datetime | None:
    return min((span.start for span in spans if span.start), default=None)


def _empty(incident: Incident, stage: Stage, customer: Customer, note: str) -> Clock:
    filed = first_filed(incident.filed, stage.id, customer.id)
    return clock_of(stage, REGIME, ClockState.WAITING, filed=filed, note=note, customer=customer.id)


def _free(bound: Bound) -> Bound:
    """Return whom a contract binds: whatever the entity is under NIS2."""
    return Bound(Standing(Category.IMPORTANT, jurisdiction=bound.standing.jurisdiction), (), bound.now)
