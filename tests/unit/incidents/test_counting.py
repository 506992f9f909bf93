from datetime import timedelta

from ringfence.incidents import counting
from ringfence.incidents.counting import Bound, Span
from ringfence.incidents.model import Awareness, ClockState
from ringfence.incidents.terms import Anchor, Period, Stage, Unit
from ringfence.testing.incidents import API_PROVIDER, SECURITY, event

T = event(1).at
H = timedelta(hours=1)
STAGE = Stage("x.notice", "notice", "clause", None, Anchor.AWARENESS, "awareness", "", (), "project")


def counted(spans, now):
    empty = counting.clock_of(STAGE, "contract", ClockState.WAITING)
    return counting.judged(empty, spans, Period(4, Unit.HOURS), Bound(API_PROVIDER, (), now))


def test_without_a_start_a_clock_stays_as_it_is():
    assert counted((), T).state is ClockState.WAITING


def test_a_start_that_was_replaced_before_its_deadline_was_never_missed():
    spans = (Span(T, T), Span(T + 3 * H, T + H))
    found = counted(spans, T + 6 * H)
    assert (found.state, found.due_at) == (ClockState.PENDING, T + 7 * H)
    assert "earlier deadline" in found.note


def test_a_start_that_was_missed_while_it_was_in_force_stays_missed():
    assert counted((Span(T, T), Span(None, T + 5 * H)), T + 6 * H).state is ClockState.LATE


def test_the_awareness_of_a_breach_is_one_of_its_own():
    known = [
        Awareness(T, T, SECURITY.id, "x", "cars"),
        Awareness(T + H, T, SECURITY.id, "x", "cars", breach=True),
    ]
    assert counting.spans_of(known, "cars") == (Span(T, T),)
    assert counting.spans_of(known, "cars", breach=True) == (Span(T + H, T),)
