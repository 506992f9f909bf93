"""One member, one vote; what is decided follows from the votes that stand, in whatever order they came."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId
from ringfence.kernel.voting import Ballot, Choice, Outcome, Rule, Tally, outcome, settled, standing, tally

ANNA, BERT, CARL, EVE = (PersonId(f"person-{n:012x}") for n in range(4))
RULE = Rule(frozenset({ANNA, BERT, CARL}), 2, 2)


def digest(number):
    return Digest.of(str(number).encode())


def ballot(person, choice=Choice.AGREE, number=0, corrects=None):
    return Ballot(person, choice, digest(number), corrects if corrects is None else digest(corrects))


@pytest.mark.parametrize(("members", "quorum", "agreements"), [(0, 1, 1), (101, 1, 1), (3, 0, 1), (3, 4, 1), (3, 1, 4)])
def test_a_rule_that_cannot_be_met_is_none(members, quorum, agreements):
    people = frozenset(PersonId(f"person-{n:012x}") for n in range(members))
    with pytest.raises(MalformedInput):
        Rule(people, quorum, agreements).check()


def test_a_vote_counts_once_and_strangers_have_none():
    found = standing(RULE, [ballot(ANNA, number=1), ballot(ANNA, number=2), ballot(EVE, number=3)])
    assert {person: one.envelope for person, one in found.items()} == {ANNA: digest(1)}


def test_a_correction_names_the_vote_that_stands():
    chain = [ballot(ANNA, number=1), ballot(ANNA, Choice.ABSTAIN, 2, corrects=1), ballot(ANNA, number=3, corrects=1)]
    assert standing(RULE, chain)[ANNA].choice is Choice.ABSTAIN
    assert standing(RULE, [ballot(ANNA, number=2, corrects=1)]) == {}


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        (Tally(2, 0, 0), Outcome.APPROVED),
        (Tally(2, 1, 0), Outcome.APPROVED),
        (Tally(1, 1, 1), Outcome.REJECTED),
        (Tally(1, 0, 1), Outcome.REJECTED),
        (Tally(1, 0, 0), Outcome.NO_QUORUM),
        (Tally(0, 0, 0), Outcome.NO_QUORUM),
    ],
)
def test_what_the_votes_decide(counted, expected):
    assert outcome(RULE, counted) is expected


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        (Tally(2, 0, 0), Outcome.APPROVED),
        (Tally(1, 1, 0), None),
        (Tally(0, 2, 0), Outcome.REJECTED),
        (Tally(1, 0, 0), None),
        (Tally(0, 0, 0), None),
        (Tally(1, 1, 1), Outcome.REJECTED),
    ],
)
def test_what_no_missing_vote_can_turn(counted, expected):
    assert settled(RULE, counted) is expected


sizes = st.integers(1, 5).flatmap(
    lambda n: st.tuples(st.just(n), st.integers(1, n), st.integers(1, n), st.lists(st.sampled_from(Choice), max_size=n))
)


@given(sizes)
def test_what_is_settled_comes_out_whatever_the_others_say(case):
    count, quorum, agreements, said = case
    people = [PersonId(f"person-{n:012x}") for n in range(count)]
    rule = Rule(frozenset(people), quorum, agreements)
    cast = [ballot(person, choice, n) for n, (person, choice) in enumerate(zip(people, said, strict=False))]
    sure = settled(rule, tally(standing(rule, cast)))
    for rest in Choice:
        everybody = [*cast, *(ballot(person, rest, 100 + n) for n, person in enumerate(people[len(said) :]))]
        if sure is not None:
            assert outcome(rule, tally(standing(rule, everybody))) is sure
    if len(said) == count:
        assert sure is outcome(rule, tally(standing(rule, cast)))
