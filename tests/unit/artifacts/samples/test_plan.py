from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.samples.plan import Draws, Part, Share, parts, shared
from ringfence.kernel.errors import UsageError

PINNED = [7, 1, 4, 5, 3, 2, 0, 6]
WHOLE = [part for name in "abc" for part in parts(f"{name}.txt", 1000, step=70)]


def test_a_file_is_cut_without_gap_or_overlap():
    found = parts("a", 1000, step=300)
    assert [(part.start, part.end) for part in found] == [(0, 300), (300, 600), (600, 900), (900, 1000)]
    assert parts("a", 0) == []


@given(ranks=st.integers(1, 5), workers=st.integers(1, 5), shuffle=st.booleans(), turn=st.integers(0, 9))
def test_every_part_has_exactly_one_reader(ranks, workers, shuffle, turn):
    shares = [Share(rank, ranks, worker, workers) for rank in range(ranks) for worker in range(workers)]
    found = [part for share in shares for part in shared(WHOLE, share, seed=1, turn=turn, shuffle=shuffle)]
    assert sorted(found) == sorted(WHOLE)


def test_seed_and_turn_alone_decide_the_order():
    def order(seed, turn, whole=WHOLE):
        return shared(whole, Share(), seed=seed, turn=turn, shuffle=True)

    assert order(1, 0) == order(1, 0, list(reversed(WHOLE)))
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)
    assert shared(reversed(WHOLE), Share(), seed=1, turn=0, shuffle=False) == sorted(WHOLE)


def test_the_order_is_the_same_in_every_release():
    assert Draws(7, "parts", 0).permuted(range(8)) == PINNED


def test_numbers_are_spread_evenly():
    draws = Draws(3, "even")
    counts = Counter(draws.below(6) for _ in range(6000))
    assert set(counts) == set(range(6))
    assert all(850 < count < 1150 for count in counts.values())  # fixed by the seed, so never by chance


def test_shuffling_within_loses_nothing():
    assert sorted(Draws(1).permuted(range(100))) == list(range(100))
    assert Draws(1).permuted([]) == []


@pytest.mark.parametrize("share", [(1, 1, 0, 1), (-1, 2, 0, 1), (0, 1, 2, 2), (0, 0, 0, 1), (0, 1, 0, 2**21)])
def test_a_share_that_is_none(share):
    with pytest.raises(UsageError):
        Share(*share)


def test_readers_are_numbered_over_ranks():
    assert [Share(rank, 2, worker, 2).number for rank in (0, 1) for worker in (0, 1)] == [0, 1, 2, 3]
    assert Part("a", 0, 1) < Part("b", 0, 1)
