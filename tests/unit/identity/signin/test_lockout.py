from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.identity.signin.lockout import FORGOTTEN_AFTER, PERSON, PLACE, Limit, counted, taken_back, waits
from ringfence.identity.signin.model import Attempts

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LIMIT = Limit(free=3, first=timedelta(seconds=10), cap=timedelta(minutes=5))


def failed(times, at=NOW):
    return Attempts(b"s", times, at)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (1, 0), (2, 0), (3, 10), (4, 20), (5, 40), (6, 80), (7, 160), (8, 300), (9, 300), (10**9, 300)],
)
def test_the_delay_doubles_up_to_the_cap(failures, seconds):
    assert LIMIT.delay(failures) == timedelta(seconds=seconds)
    assert waits(failed(failures), LIMIT, NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("passed", "left"), [(0, 10), (9, 1), (10, 0), (11, 0), (-5, 10)])
def test_waiting_ends(passed, left):
    assert waits(failed(3), LIMIT, NOW + timedelta(seconds=passed)) == timedelta(seconds=left)


def test_nobody_waits_for_what_never_failed():
    assert waits(None, LIMIT, NOW) == timedelta(0)
    assert counted(None, b"s", NOW) == failed(1)


def test_what_failed_long_ago_is_forgotten():
    later = NOW + FORGOTTEN_AFTER
    assert counted(failed(9), b"s", later) == failed(1, later)
    assert counted(failed(9), b"s", later - timedelta(milliseconds=1)).failures == 10


def test_a_clock_that_was_set_back_opens_nothing():
    assert counted(failed(3), b"s", NOW - timedelta(hours=1)) == failed(4)


@given(st.sampled_from([PERSON, PLACE, LIMIT]), st.lists(st.integers(0, 10_000), max_size=60))
def test_whoever_keeps_guessing_gets_few_guesses(limit, pauses):
    """However the guesses are spread, the free ones and one per delay is all that is looked at."""
    known, now, looked_at = None, NOW, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        if not waits(known, limit, now):
            looked_at.append(now)
            known = counted(known, b"s", now)
    for before, after in zip(looked_at[limit.free - 1 :], looked_at[limit.free :], strict=False):
        assert after - before >= limit.first or after - before >= FORGOTTEN_AFTER


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_failures_never_wait_less(few, more):
    assert PERSON.delay(few) <= PERSON.delay(few + more) <= PERSON.cap


def test_one_that_was_right_takes_back_itself_and_not_when_the_others_were():
    assert taken_back(failed(3)) == failed(2)
    assert taken_back(failed(1)) is None
    assert taken_back(None) is None
