from datetime import UTC, datetime, timedelta

import pytest

from ringfence.frontends.waiting import Item, Kind, most_pressing

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_the_nearest_deadline_comes_first_and_what_has_none_last():
    due = Item(Kind.CLOCK, "due", "/", NOW + HOUR)
    late = Item(Kind.CLOCK, "late", "/", NOW - HOUR)
    soon = Item(Kind.UNDECIDED, "soon", "/", NOW + HOUR / 2)
    free, alert = Item(Kind.CUT_OFF, "free", "/"), Item(Kind.NOT_SENT, "alert", "/")
    assert most_pressing([alert, due, free, soon, late]) == [late, soon, due, free, alert]


@pytest.mark.parametrize(
    ("kind", "hours", "presses"),
    [
        (Kind.CLOCK, 1, False),
        (Kind.CLOCK, -1, True),
        (Kind.UNDECIDED, None, False),
        (Kind.NOT_SENT, None, True),
        (Kind.QUEUED, None, False),
    ],
)
def test_what_is_past_its_time_or_failed_presses(kind, hours, presses):
    due = None if hours is None else NOW + hours * HOUR
    assert Item(kind, "x", "/", due).presses(NOW) is presses
