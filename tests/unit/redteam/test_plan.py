import pytest

from ringfence.kernel.errors import UsageError
from ringfence.redteam.plan import BLOCK, CONTROL_CASES, for_dummies
from ringfence.testing.redteam import drawn, small

CORPUS = small(60)


def cases(attempts):
    return [attempt for attempt in attempts if attempt.case is not None]


def test_the_same_seed_draws_the_same_attempts():
    assert drawn(CORPUS, 50) == drawn(CORPUS, 50)
    assert [a.id for a in drawn(CORPUS, 50)] != [a.id for a in drawn(CORPUS, 50, seed=8)]


def test_families_take_turns_and_no_id_comes_twice():
    found = cases(drawn(CORPUS, 301))
    assert [attempt.family for attempt in found[:4]] == ["one", "two", "one", "two"]
    assert len({attempt.id for attempt in found}) == 301
    assert len({attempt.case.id for attempt in found}) == 120


def test_all_cases_come_before_any_comes_again():
    assert {attempt.repeat for attempt in cases(drawn(CORPUS, 120))} == {0}
    assert max(attempt.repeat for attempt in cases(drawn(CORPUS, 121))) == 1


def test_repeats_of_a_case_follow_one_another():
    found = cases(drawn(CORPUS, 12, repeats=3))
    assert len({attempt.case.id for attempt in found}) == 4
    assert {attempt.repeat for attempt in found} == {0, 1, 2}


def test_every_block_has_its_coherence_control():
    found = drawn(CORPUS, 3 * BLOCK + 1)
    assert [attempt.block for attempt in found if attempt.case is None] == [0, 1, 2, 3]


def test_the_dummies_are_asked_the_same_cases_and_not_without_end():
    asked = drawn(small(900), 1500)
    dummies = for_dummies(asked)
    assert set(dummies) <= set(asked)
    assert len(cases(dummies)) == CONTROL_CASES
    assert set(for_dummies(drawn(CORPUS, 40))) == set(drawn(CORPUS, 40))


@pytest.mark.parametrize("repeats", [0, -1, 101])
def test_a_plan_that_would_never_end_is_refused(repeats):
    with pytest.raises(UsageError, match="times"):
        drawn(CORPUS, 5, repeats=repeats)


@pytest.mark.parametrize("number", [0, -1, 100_001])
def test_a_number_out_of_range_is_refused(number):
    with pytest.raises(UsageError):
        drawn(CORPUS, number)
