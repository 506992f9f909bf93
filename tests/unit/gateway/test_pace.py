from hypothesis import given
from hypothesis import strategies as st

from ringfence.gateway.pace import AHEAD, EVERY, Pace

DAY = 86_400.0


def test_who_asks_now_and_then_never_waits():
    pace, now = Pace(), 1000.0
    for _ in range(500):
        assert pace.wait(now) == 0
        pace.spend(now)
        now += EVERY


def test_steady_traffic_closes_one_a_minute_after_a_hundred():
    pace, now, closed = Pace(), 0.0, 0
    while now < DAY:
        now += max(5.0, pace.wait(now))
        pace.spend(now)
        closed += 1
    assert AHEAD + DAY / EVERY - 10 <= closed <= AHEAD + DAY / EVERY + 10


@given(st.lists(st.floats(0, 500), max_size=60))
def test_nobody_waits_longer_than_a_minute(pauses):
    pace, now = Pace(left=0.0), 0.0
    for pause in pauses:
        now += pause
        assert 0 <= pace.wait(now) <= EVERY
        pace.spend(now)


def test_a_clock_that_does_not_go_on_gives_nothing():
    pace = Pace(left=0.0, since=10.0)
    assert pace.wait(5.0) == EVERY
