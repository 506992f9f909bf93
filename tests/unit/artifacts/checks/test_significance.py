"""Tails against values of tables and against counting; adjustments against their definitions."""

import math
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.checks.significance import (
    benjamini_yekutieli,
    binomial_tail,
    chi_square_tail,
    distance,
    fisher_tail,
    holm,
    kolmogorov_tail,
)


@pytest.mark.parametrize(
    ("statistic", "freedom", "tail"),
    [
        (3.841, 1, 0.05),
        (5.991, 2, 0.05),
        (18.307, 10, 0.05),
        (6.635, 1, 0.01),
        (76.154, 50, 0.01),
        (124.342, 100, 0.05),
    ],
)
def test_chi_square_is_that_of_the_tables(statistic, freedom, tail):
    assert chi_square_tail(statistic, freedom) == pytest.approx(tail, rel=2e-3)


def test_chi_square_of_two_degrees_is_an_exponential():
    for at in (0.1, 1.0, 5.0, 40.0, 200.0):
        assert chi_square_tail(at, 2) == pytest.approx(math.exp(-at / 2), rel=1e-9)
    assert chi_square_tail(0, 3) == chi_square_tail(5, 0) == 1.0


def test_kolmogorov_is_that_of_the_tables():
    assert kolmogorov_tail(1.358 / math.sqrt(500), 1000, 1000) == pytest.approx(0.05, abs=0.004)
    assert kolmogorov_tail(0.0, 10, 10) == 1.0
    assert kolmogorov_tail(0.9, 0, 10) == 1.0


def test_the_binomial_tail_is_what_counting_gives():
    for trials, chance in product((1, 3, 7), (0.1, 0.5, 0.9)):
        for hits in range(trials + 1):
            counted = sum(
                math.prod(chance if bit else 1 - chance for bit in bits)
                for bits in product((0, 1), repeat=trials)
                if sum(bits) >= hits
            )
            assert binomial_tail(hits, trials, chance) == pytest.approx(counted)
    assert binomial_tail(3, 5, 0.0) == 0.0
    assert binomial_tail(0, 5, 0.0) == binomial_tail(3, 5, 1.0) == 1.0


def test_fishers_tail_is_the_lady_tasting_tea():
    assert fisher_tail(4, 4, 4, 8) == pytest.approx(1 / 70)
    assert fisher_tail(3, 4, 4, 8) == pytest.approx(17 / 70)
    assert fisher_tail(0, 4, 4, 8) == 1.0


P = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(P)
def test_adjusted_values_keep_the_order_and_never_fall(values):
    for adjusted in (holm(values), benjamini_yekutieli(values)):
        assert all(a >= p or math.isclose(a, p) for a, p in zip(adjusted, values, strict=True))
        assert all(0 <= a <= 1 for a in adjusted)
        order = sorted(range(len(values)), key=values.__getitem__)
        assert all(adjusted[a] <= adjusted[b] for a, b in pairwise(order))


def test_adjustment_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert benjamini_yekutieli([0.01]) == pytest.approx([0.01])
    assert benjamini_yekutieli([0.01, 0.02]) == pytest.approx([0.03, 0.03])
    assert benjamini_yekutieli([1e-6], tested=10_000)[0] > 0.05


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_the_distance_is_the_greatest_gap(first, second):
    first, second = sorted(map(float, first)), sorted(map(float, second))
    gaps = [
        abs(sum(x <= at for x in first) / len(first) - sum(x <= at for x in second) / len(second)) for at in range(10)
    ]
    assert distance(first, second) == pytest.approx(max(gaps))
