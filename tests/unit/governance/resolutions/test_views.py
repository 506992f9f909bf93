from dataclasses import replace

from ringfence.governance.resolutions.model import Closing, Told
from ringfence.governance.resolutions.views import choice_of, needs, shown, state
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId
from ringfence.kernel.voting import Ballot, Choice, Outcome
from ringfence.testing.clock import START

ANNA = PersonId("person-000000000000")


def test_it_shows_votes_with_their_sentences(one):
    voted = replace(one, votes={ANNA: Ballot(ANNA, Choice.DISAGREE, Digest.of(b"v"))})
    document = shown(voted, Told("A title", "A text", (), {ANNA: "no"}))
    assert document["votes"] == [
        {"member": ANNA, "choice": "disagree", "sentence": "no", "envelope": str(Digest.of(b"v"))}
    ]
    assert (document["title"], document["against"], document["outcome"]) == ("A title", 1, None)
    assert "not a qualified electronic signature" in document["note"]
    assert shown(voted)["title"] == ""  # erased
    assert choice_of(voted, ANNA) == "disagree"
    assert choice_of(one, ANNA) == ""


def test_it_says_where_it_stands(one):
    assert needs(one) == "0 of 3 voted, 2 must; 0 agree, 2 must"
    assert state(one, START) == ("pending", "open")
    assert state(one, one.terms.ends_at) == ("not-satisfied", "past its date")
    marks = [state(replace(one, closing=Closing(START, each, Digest.of(b"a"))), START) for each in Outcome]
    assert marks == [("satisfied", "approved"), ("not-applicable", "rejected"), ("not-satisfied", "no quorum")]
