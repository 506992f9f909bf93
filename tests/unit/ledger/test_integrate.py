from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Unavailable
from ringfence.ledger import entry
from ringfence.ledger.integrate import BACKWARDS, plan, recording_time
from ringfence.storage.rows import Pending
from ringfence.testing.clock import START

MS = timedelta(milliseconds=1)


@given(st.integers(0, 2**40), st.lists(st.integers(1, 2**40), unique=True, max_size=20))
def test_indexes_follow_the_tree_in_the_order_of_sequencing(size, ids):
    pending = [Pending(row, Digest.of(bytes([row % 256]))) for row in ids]
    integrated, entries = plan(size, None, pending, START)
    assert [(item.id, item.entry) for item in integrated] == [(row, size + offset) for offset, row in enumerate(ids)]
    assert [entry.decode(data).envelope for data in entries] == [item.digest for item in pending]
    assert {entry.decode(data).recorded_at for data in entries} <= {START}


@given(st.integers(-10_000_000, 10_000_000))
def test_time_never_runs_backwards(difference):
    now = START + timedelta(microseconds=difference)
    try:
        assert recording_time(START, now) >= START
    except Unavailable:
        assert START - now > BACKWARDS


def test_a_small_step_back_takes_the_time_of_the_entry_before():
    assert recording_time(START, START - BACKWARDS) == START


def test_a_clock_before_the_log_is_one_sentence():
    with pytest.raises(Unavailable, match="set the clock") as caught:
        recording_time(START, START - BACKWARDS - MS)
    assert "nothing was written" in str(caught.value)


def test_times_are_cut_to_milliseconds_before_they_are_compared():
    assert recording_time(START, START + timedelta(microseconds=999)) == START
