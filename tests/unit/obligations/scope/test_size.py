"""Size classes: every boundary, both ceilings, groups, and the two-year rule."""

from fractions import Fraction

import pytest

from ringfence.obligations.scope import size
from ringfence.obligations.scope.model import Earlier, Enterprise, Figures, Relation, Size
from ringfence.obligations.scope.size import SizeClass, settled, totals, weight
from ringfence.testing.organisations import answer

MICRO, SMALL, MEDIUM, LARGE = SizeClass
M = 1_000_000


def found(staff, turnover, balance):
    figures = Figures(Fraction(staff), turnover, balance)
    inputs = size.dimensions(Size(figures, Earlier.SAME_CLASS, (), None))
    assert all(len(choices) == 1 for choices in inputs.values())
    return size.decide(*(choices[0] for choices in inputs.values()))


BOUNDARIES = [
    (9, 100 * M, 2 * M, MICRO),
    (9, 2 * M, 100 * M, MICRO),
    (9, 2 * M + 1, 2 * M + 1, SMALL),
    (10, 0, 0, SMALL),
    (49, 10 * M, 10 * M, SMALL),
    (49, 10 * M + 1, 10 * M, SMALL),
    (49, 10 * M, 10 * M + 1, SMALL),
    (49, 10 * M + 1, 10 * M + 1, MEDIUM),
    ("49.9", 0, 0, SMALL),
    (50, 0, 0, MEDIUM),
    (249, 50 * M, 43 * M, MEDIUM),
    (249, 50 * M + 1, 43 * M, MEDIUM),
    (249, 50 * M, 43 * M + 1, MEDIUM),
    (249, 50 * M + 1, 43 * M + 1, LARGE),
    (250, 0, 0, LARGE),
    (0, 900 * M, 900 * M, LARGE),
]


@pytest.mark.parametrize(("staff", "turnover", "balance", "expected"), BOUNDARIES)
def test_boundaries(staff, turnover, balance, expected):
    assert found(staff, turnover, balance) is expected


def by_the_letter(staff, turnover, balance):
    """Say the class in the words of the reference, to check the shorter formula."""
    if staff < 10 and (turnover <= 2 * M or balance <= 2 * M):
        return MICRO
    if staff < 50 and (turnover <= 10 * M or balance <= 10 * M):
        return SMALL
    if staff < 250 and (turnover <= 50 * M or balance <= 43 * M):
        return MEDIUM
    return LARGE


def test_the_formula_says_what_the_recommendation_says():
    staffs = (0, 9, 10, 49, 50, 249, 250)
    amounts = (0, 2 * M, 2 * M + 1, 10 * M, 10 * M + 1, 43 * M, 43 * M + 1, 50 * M, 50 * M + 1)
    cases = [(s, t, b) for s in staffs for t in amounts for b in amounts]
    assert [found(*case) for case in cases] == [by_the_letter(*case) for case in cases]


@pytest.mark.parametrize(
    ("periods", "before", "expected"),
    [
        ([SMALL, MEDIUM], SMALL, SMALL),  # one period above is not enough
        ([SMALL, MEDIUM], MEDIUM, MEDIUM),  # nor is one period below
        ([SMALL, MEDIUM, MEDIUM], SMALL, MEDIUM),
        ([MEDIUM, SMALL, SMALL], LARGE, SMALL),
        ([SMALL, MEDIUM, LARGE], SMALL, MEDIUM),  # two periods at least medium, one large
        ([MEDIUM, SMALL, MEDIUM], SMALL, SMALL),
    ],
)
def test_a_threshold_needs_two_consecutive_periods(periods, before, expected):
    assert settled(periods, before) is expected


def test_earlier_periods_in_the_file():
    small = {"staff": 40, "turnover": M, "balance": M}
    medium = {"staff": 60, "turnover": M, "balance": M}

    def size_of(*earlier):
        return answer(size__staff=60, size__earlier_periods=list(earlier))["size"]

    assert size_of(medium) == "medium"
    assert size_of(small, small) == "small"
    assert size_of(small) == "undetermined"
    assert answer(size__staff=60, size__earlier_periods="take_over")["size"] == "medium"
    assert answer(size__staff=60, size__earlier_periods="unknown")["size"] == "undetermined"


def enterprise(relation, capital=None, votes=None, *, exempt=False):
    return Enterprise(relation, capital, votes, exempt, Figures(Fraction(100), 10 * M, 4 * M))


@pytest.mark.parametrize(
    ("one", "low", "high"),
    [
        (enterprise(Relation.LINKED), "1", "1"),
        (enterprise(None, votes=Fraction(51)), "1", "1"),
        (enterprise(Relation.PARTNER, Fraction(25), Fraction(40)), "0.4", "0.4"),
        (enterprise(Relation.PARTNER, Fraction(30)), "0.3", "1"),
        (enterprise(Relation.PARTNER, Fraction(30), Fraction(30), exempt=True), "0", "0"),
        (enterprise(Relation.PARTNER, Fraction(30), Fraction(30), exempt=None), "0", "0.3"),
        (enterprise(Relation.PARTNER, Fraction(60), Fraction(30), exempt=True), "0.6", "0.6"),
        (enterprise(Relation.PARTNER, Fraction(30), None, exempt=True), "0", "1"),
        (enterprise(Relation.AUTONOMOUS), "0", "0"),
        (enterprise(None), "0", "1"),
    ],
)
def test_the_share_that_counts(one, low, high):
    assert weight(one)[:2] == (Fraction(low), Fraction(high))


def test_linked_in_full_and_partners_pro_rata():
    own = Figures(Fraction(20), 2 * M, M)
    group = (enterprise(Relation.LINKED), enterprise(Relation.PARTNER, Fraction(25), Fraction(25)))
    staff, turnover, balance = totals(Size(own, Earlier.SAME_CLASS, group, None))
    assert (staff.low, turnover.low, balance.low) == (145, 14_500_000, 6 * M)
    assert (staff.high, staff.unknown) == (145, ())


def test_a_parent_lifts_a_small_cloud():
    parent = {"relation": "linked", "staff": 400, "turnover": 80 * M, "balance": 60 * M}
    found = answer(services=["gpu_cloud"], size__group=[parent])
    assert found["nis2"]["category"] == "essential"
    assert "NIS2 recital 16" in [reason["provision"] for reason in found["reasons"]]


def test_an_unknown_figure_matters_only_where_it_can_change_the_class():
    assert answer(services=["gpu_cloud"], size__turnover="unknown")["size"] == "small"
    open_size = answer(services=["gpu_cloud"], size__turnover="unknown", size__balance=20 * M)
    assert open_size["nis2"]["category"] == "undetermined"
    gap = next(gap for gap in open_size["undetermined"] if gap["subject"] == "nis2.category")
    assert gap["decided_by"] == ["size.turnover"]


def test_a_group_that_is_not_described_leaves_the_upper_bound_open():
    found = answer(services=["gpu_cloud"], size__staff=60, size__group="unknown")
    assert found["nis2"]["possible"] == ["essential", "important"]
    assert answer(services=["gpu_cloud"], size__staff=300, size__group="unknown")["nis2"]["category"] == "essential"
