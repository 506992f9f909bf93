"""A decision counts only as far as people signed it; whatever else a service states is not theirs."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import PersonId
from ringfence.kernel.statement import KeyRole
from ringfence.obligations.recount import recount
from ringfence.testing.obligations import START, Story, issuer_of

ANNA, BERT, CARL, EVE = (PersonId(f"person-{n:012x}") for n in range(4))
TERMS = {
    "resolution": "resolution-0123456789ab",
    "about": "measures",
    "eligible": 3,
    "quorum": 2,
    "agreementsNeeded": 2,
    "measureSet": "sha256:" + "0" * 64,
    "shown": ["control-status"],
    "tasksOverdue": 0,
}


class Told:
    """A log of three members: what each signs, and what a service says of it."""

    def __init__(self, said=("agree", "agree", "disagree"), **terms):
        self.story = Story()
        members = {"members": [ANNA, BERT, CARL]}
        self.opening = self.by(ANNA, "mgmt.resolution_opened", TERMS | members | terms)
        self.votes = [self.vote(person, choice) for person, choice in zip((ANNA, BERT, CARL), said, strict=False)]

    def by(self, person, predicate, claims, **issuer):
        logged = self.story.add(predicate, claims)
        envelope = logged.envelope
        named = Envelope(str(logged.entry).encode(), b"", envelope.signer, b"", envelope.statement)
        return replace(logged, envelope=named, issuer=replace(issuer_of(KeyRole.OPERATOR), person=person, **issuer))

    def vote(self, person, choice, corrects="", opening=None, **issuer):
        about = opening or str(self.opening.envelope.digest)
        return self.by(person, "mgmt.vote", {"opening": about, "choice": choice, "corrects": corrects}, **issuer)

    def decided(self, cast=None, **claims):
        counted = [str(one.envelope.digest) for one in (self.votes if cast is None else cast)]
        given = {
            "opening": str(self.opening.envelope.digest),
            "outcome": "approved",
            "members": 3,
            "voted": len(counted),
            "inFavour": 2,
            "against": 1,
            "abstained": 0,
            "votes": sorted(counted),
        }
        return self.story.add("mgmt.approval", TERMS | given | claims, role=KeyRole.CONTROL_PLANE)

    def wrong(self, decision, openings=None, votes=None):
        return recount(
            decision, [self.opening] if openings is None else openings, self.votes if votes is None else votes
        ).wrong


def test_what_follows_from_the_votes_stands_and_rests_on_them():
    told = Told()
    found = recount(told.decided(), [told.opening], told.votes)
    assert found.wrong == ""
    assert [one.entry for one in found.rests_on] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"opening": "sha256:" + "1" * 64}, "no person signed the resolution"),
        ({"opening": None}, "no person signed the resolution"),
        ({"quorum": 1}, "quorum is another"),
        ({"agreementsNeeded": 1}, "agreementsNeeded is another"),
        ({"measureSet": "sha256:" + "1" * 64}, "measureSet is another"),
        ({"shown": ["control-status", "open-risks"]}, "shown is another"),
        ({"tasksOverdue": False}, "tasksOverdue is another"),
        ({"members": 2}, "members is 3"),
        ({"inFavour": 3}, "inFavour is 2"),
        ({"against": 0}, "against is 1"),
        ({"outcome": "rejected"}, "outcome is approved"),
        ({"votes": []}, "votes is not theirs"),
        ({"votes": None}, "votes is not theirs"),
    ],
)
def test_every_number_is_theirs(claims, says):
    told = Told()
    assert says in told.wrong(told.decided(**claims))


def test_without_any_vote_a_service_decides_nothing():
    told = Told(said=())
    assert "counted otherwise" in told.wrong(told.decided(cast=[], voted=3, inFavour=3, against=0))


@pytest.mark.parametrize("eligible", [4, None, "3", True])
def test_who_opens_a_resolution_does_not_choose_who_decides(eligible):
    told = Told(eligible=eligible)
    assert "had the role management" in told.wrong(told.decided(eligible=eligible))


def test_a_vote_that_is_left_out_is_seen():
    told = Told()
    assert told.wrong(told.decided(cast=told.votes[:2], against=0))


def test_a_key_in_a_file_a_stranger_and_nobody_do_not_vote():
    told = Told(said=("agree",))
    file = told.vote(BERT, "agree", algorithm="ed25519")
    stranger, nobody = told.vote(EVE, "agree"), told.vote(None, "agree")
    for other in (file, stranger, nobody):
        cast = [*told.votes, other]
        assert told.wrong(told.decided(cast=cast, against=0), votes=cast)


def test_one_person_votes_once():
    told = Told(said=("agree",))
    cast = [*told.votes, told.vote(ANNA, "agree")]
    assert told.wrong(told.decided(cast=cast, against=0), votes=cast)
    corrected = told.vote(ANNA, "disagree", corrects=str(told.votes[0].envelope.digest))
    cast = [*told.votes, corrected]
    fair = told.decided(cast=[corrected], inFavour=0, outcome="no-quorum")
    assert told.wrong(fair, votes=cast) == ""


def test_a_vote_on_another_text_or_after_the_decision_is_none():
    told = Told(said=("agree",))
    elsewhere = told.vote(BERT, "agree", opening="sha256:" + "2" * 64)
    decision = told.decided(cast=[*told.votes, elsewhere], against=0)
    late = told.vote(CARL, "agree")
    assert told.wrong(decision, votes=[*told.votes, elsewhere, late])


def test_an_opening_after_the_decision_is_none():
    told = Told()
    early = told.decided()
    assert "no person signed" in told.wrong(replace(early, entry=0))


@given(
    st.dictionaries(
        st.sampled_from(["members", "quorum", "agreementsNeeded", "choice", "corrects"]),
        st.none()
        | st.booleans()
        | st.integers(-1, 4)
        | st.text(max_size=4)
        | st.lists(st.text(max_size=3), max_size=2),
        min_size=1,
    )
)
def test_hostile_claims_never_raise_and_never_add_a_vote(claims):
    told = Told(said=("agree",))
    opening = told.by(ANNA, "mgmt.resolution_opened", TERMS | {"members": [ANNA, BERT, CARL]} | claims)
    vote = {"opening": str(opening.envelope.digest), "choice": "agree", "corrects": ""} | claims
    cast = [told.by(person, "mgmt.vote", vote) for person in (ANNA, EVE)]
    same = {name: value for name, value in claims.items() if name in TERMS}
    decision = told.decided(cast=cast, opening=str(opening.envelope.digest), against=0, **same)
    assert told.wrong(decision, openings=[opening], votes=cast)


def test_the_order_in_which_they_are_handed_over_does_not_matter():
    told = Told()
    told.story.wait(timedelta(days=1))
    decision = told.decided()
    assert decision.recorded_at > START
    assert recount(decision, [told.opening], told.votes[::-1]).wrong == ""


@pytest.mark.parametrize("choice", [[], {}, None, 7])
def test_a_choice_that_is_no_word_is_no_vote(choice):
    told = Told((choice, "agree", "agree"))
    assert told.wrong(told.decided(told.votes[1:], against=0)) == ""
    assert "votes is not theirs" in told.wrong(told.decided(voted=2, against=0))
