from dataclasses import replace

import pytest

from ringfence.governance.resolutions.counting import check_sentence, check_signature, member
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, Refused
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.kernel.two_person import Half
from ringfence.kernel.voting import Choice
from ringfence.testing.clock import START

ANNA, BERT, _ = (PersonId(f"person-{n:012x}") for n in range(3))
HALF = Half(ANNA, Digest.of(b"1"), START, "webauthn-es256", START, "root")


def test_a_passkey_that_no_other_member_made_votes(one):
    check_signature(one, HALF)
    check_signature(one, replace(HALF, credential_by=ANNA))  # a passkey that this same person let sign
    with pytest.raises(Refused, match="key in a file"):
        check_signature(one, replace(HALF, algorithm="ed25519"))
    for change in ({"credential_by": BERT}, {"person_by": BERT}):
        with pytest.raises(Refused, match="another member enrolled"):
            check_signature(one, replace(HALF, **change))


def test_only_a_named_member_who_is_here_votes_in_time(one):
    anna = Person(ANNA, Tenant("main"), Role.MANAGEMENT)
    member(one, anna, {ANNA}, START)
    with pytest.raises(Refused, match="any more"):
        member(one, anna, {BERT}, START)
    with pytest.raises(Refused, match="only the members"):
        member(one, replace(anna, id=PersonId("person-ffffffffffff")), {ANNA}, START)
    with pytest.raises(Conflict, match="has ended"):
        member(one, anna, {ANNA}, one.terms.ends_at)


@pytest.mark.parametrize(
    "details", [{}, {"sentence": " "}, {"sentence": 7}, {"sentence": "x", "more": 1}, {"why": "x"}]
)
def test_who_disagrees_says_why(details):
    check_sentence(Choice.DISAGREE, {"sentence": "no budget"})
    check_sentence(Choice.AGREE, {})
    with pytest.raises(MalformedInput):
        check_sentence(Choice.DISAGREE, details)
