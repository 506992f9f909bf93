from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.governance.resolutions.model import MEASURES, Attached, Proposal
from ringfence.governance.resolutions.statements import (
    APPROVAL,
    IN_FORCE,
    OPENED,
    ended,
    opened,
    parse_opening,
    parse_vote,
    voted,
)
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, PredicateName
from ringfence.kernel.statement import Statement
from ringfence.kernel.voting import Ballot, Choice, Outcome
from ringfence.testing.clock import START

ANNA = PersonId("person-000000000000")


def issued(draft, **claims):
    return Statement(draft.predicate, draft.subjects, dict(draft.claims) | claims, None)


def test_an_opening_says_its_terms_and_hides_its_words(terms):
    salt = b"s" * 32
    file = Attached("a.pdf", salt, Digest.of(salt))
    draft = opened(Proposal(MEASURES, "A title", "A text", files=(file,)), replace(terms, files=(file.digest,)))
    assert parse_opening(issued(draft)) == replace(terms, files=(file.digest,))
    assert draft.details == {
        "title": "A title",
        "text": "A text",
        "files": [{"name": "a.pdf", "salt": salt.hex(), "digest": str(file.digest)}],
    }
    assert "A t" not in str(draft.claims)


@given(
    name=st.sampled_from(["members", "quorum", "endsAt", "shown", "files", "headSize", "headRoot", "about"]),
    value=st.none() | st.booleans() | st.text(max_size=5) | st.lists(st.text(max_size=3) | st.just({}), max_size=2),
)
def test_hostile_terms_are_refused_in_a_sentence(name, value):
    claims = {
        "resolution": "resolution-0123456789ab", "about": "measures", "members": [ANNA], "eligible": 1, "quorum": 1,
        "agreementsNeeded": 1, "endsAt": "2026-11-22T09:00:00.000Z", "measureSet": str(Digest.of(b"")), "shown": [],
        "files": [], "records": [], "headSize": 1, "headRoot": "0" * 64, "tasksOverdue": 0,
    }  # fmt: skip
    statement = Statement(OPENED, (), claims, None)
    parse_opening(statement)
    changed = claims | {name: value}
    with suppress(MalformedInput):
        parse_opening(replace(statement, claims=changed))
    with pytest.raises(MalformedInput):
        parse_opening(replace(statement, predicate=PredicateName("mgmt.vote"), claims=changed))


def test_each_member_is_named_once(terms):
    draft = opened(Proposal(MEASURES, "t", "x"), terms)
    with pytest.raises(MalformedInput, match="once"):
        parse_opening(issued(draft, members=[*draft.claims["members"], ANNA]))


def test_a_vote_is_read_back(terms):
    opening, before, own = (Digest.of(bytes([n])) for n in range(3))
    for corrects in (None, before):
        draft = voted(terms.id, opening, Choice.ABSTAIN, corrects=corrects)
        assert parse_vote(issued(draft), ANNA, own) == (opening, Ballot(ANNA, Choice.ABSTAIN, own, corrects))
    assert draft.details == {}
    assert voted(terms.id, opening, Choice.AGREE, sentence="so be it").details == {"sentence": "so be it"}


@pytest.mark.parametrize(
    "claims", [{"choice": "yes"}, {"opening": "x"}, {"corrects": "x"}, {"more": 1}, {"resolution": 1}]
)
def test_what_is_no_vote_is_refused(terms, claims):
    draft = voted(terms.id, Digest.of(b"1"), Choice.AGREE)
    with pytest.raises(MalformedInput):
        parse_vote(issued(draft, **claims), ANNA, Digest.of(b"2"))


def test_an_approval_names_the_measures_or_the_opening(one):
    ballot = Ballot(ANNA, Choice.AGREE, Digest.of(b"vote"))
    voted_on = replace(one, votes={ANNA: ballot})
    draft = ended(voted_on, Outcome.NO_QUORUM, START, young=1, later_versions=0, incidents=2)
    assert draft.predicate == APPROVAL
    assert [(s.name, s.digest) for s in draft.subjects] == [(IN_FORCE, one.terms.measures)]
    assert draft.claims["votes"] == [str(ballot.envelope)]
    assert (draft.claims["voted"], draft.claims["incidentsNotShown"], draft.claims["youngKeys"]) == (1, 2, 1)
    other = replace(one, terms=replace(one.terms, about="BCM-05"))
    (subject,) = ended(other, Outcome.REJECTED, START, young=0, later_versions=0, incidents=0).subjects
    assert (subject.name, subject.digest) == ("control/BCM-05", one.opening)
