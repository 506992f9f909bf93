from datetime import timedelta
from itertools import pairwise

import pytest

from ringfence.testing.clock import START
from ringfence.workloads.patience import FIRST, LONGEST, Wait, after


def series(count, jitter=0.5, seen="up"):
    """Return the waits of so many failures one after the other, each at the end of the wait before."""
    waits, now = [None], START
    for _ in range(count):
        waits.append(after(waits[-1], seen, now, jitter))
        now = waits[-1].until
    return waits[1:]


def test_waits_grow_to_half_an_hour_and_no_further():
    lengths = [one.until - one.began for one in series(50)]
    assert lengths[:5] == [FIRST, FIRST * 4, FIRST * 16, FIRST * 64, LONGEST]
    assert lengths[-1] == LONGEST


def test_a_dead_node_is_tried_a_handful_of_times_an_hour():
    hour = START + timedelta(hours=1)
    assert sum(one.began < hour for one in series(50)) <= 6
    later = [one.began for one in series(100) if one.began >= hour]
    assert max(b - a for a, b in pairwise(later)) == LONGEST


@pytest.mark.parametrize(("jitter", "share"), [(0.0, 0.75), (0.5, 1.0), (0.999999, 1.25)])
def test_jitter_spreads_and_never_more_than_by_a_quarter(jitter, share):
    (wait,) = series(1, jitter)
    assert (wait.until - START).total_seconds() == pytest.approx(FIRST.total_seconds() * share, abs=1e-3)


def test_what_has_changed_is_tried_at_once_and_counts_anew():
    wait = series(4)[-1]
    assert wait.holds("up", wait.began)
    assert not wait.holds("up", wait.until)
    assert not wait.holds("gone", wait.began)
    assert not wait.holds("up", wait.began - timedelta(seconds=1))  # the clock was set back
    assert after(wait, "gone", START, 0.5).failures == 1
    assert after(Wait(10**6, START, START, "up"), "up", START, 0.5).until == START + LONGEST
