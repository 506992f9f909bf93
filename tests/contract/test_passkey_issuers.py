"""Passkeys among the issuers: who enrols them, and what a statement by one of them is worth."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.kernel.clock import to_text
from ringfence.kernel.envelope import parse
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.statement import KeyRole, Subject
from ringfence.ledger.issuers import fold, parse_enrolment
from ringfence.ledger.model import Standing
from ringfence.testing import acting
from ringfence.testing.authenticator import Authenticator
from ringfence.testing.clock import START
from ringfence.testing.keys import ed25519, enrolment, key_subject, public, revocation, state

ROOT, ANNA, BERT, CONTROL, EMERGENCY = (ed25519(seed) for seed in range(30, 35))
ANNA_ID, BERT_ID = "person-00000000000a", "person-00000000000b"
PAGE = "http://localhost:8400"
KEY, SECOND, STRANGER = Authenticator(PAGE), Authenticator(PAGE), Authenticator(PAGE)
HOUR = timedelta(hours=1)


def by_root(key, role, person=None):
    return state(ROOT, "key.enrolled", enrolment(key, role, person=person), key_subject(key))


PEOPLE = [
    (START, by_root(ANNA, KeyRole.OPERATOR, ANNA_ID)),
    (START, by_root(BERT, KeyRole.OPERATOR, BERT_ID)),
    (START, by_root(CONTROL, KeyRole.CONTROL_PLANE)),
    (START, by_root(EMERGENCY, KeyRole.EMERGENCY)),
]


def enrolled(key=KEY, person=ANNA_ID, /, *, by=ANNA, **claims):
    made = acting.enrolment(key, person, **claims)
    signer = acting if isinstance(by, Authenticator) else None
    return (signer.state if signer else state)(by, "key.enrolled", made, acting.subject_of(key))


def folded(*envelopes):
    return fold([*PEOPLE, *[(START + HOUR, envelope) for envelope in envelopes]], public(ROOT))


def standing(*envelopes, key=KEY):
    return folded(*envelopes).at(acting.id_of(key), START + 2 * HOUR)[0]


def why_not(*envelopes):
    return folded(*envelopes).disregarded[-1].reason


def test_a_person_enrols_a_passkey_with_the_own_key():
    standing_, issuer = folded(enrolled()).at(acting.id_of(KEY), START + HOUR)
    assert standing_ is Standing.TRUSTED
    assert (issuer.algorithm, issuer.rp_id, issuer.origin) == ("webauthn-es256", "localhost", PAGE)
    assert (issuer.person, issuer.enrolled_by, issuer.role) == (ANNA_ID, ANNA_ID, KeyRole.OPERATOR)


def test_the_root_enrols_a_passkey_and_that_passkey_another_one_of_the_same_person():
    first = enrolled(by=ROOT, enrolledBy="root")
    assert standing(first) is Standing.TRUSTED
    assert standing(first, enrolled(SECOND, by=KEY), key=SECOND) is Standing.TRUSTED


@pytest.mark.parametrize("by", [BERT, CONTROL, EMERGENCY, ed25519(40)])
def test_nobody_else_enrols_it(by):
    assert standing(enrolled(by=by)) is Standing.UNKNOWN


def test_an_emergency_key_of_the_same_person_enrols_nothing():
    own = ed25519(42)
    log = [*PEOPLE, (START, by_root(own, KeyRole.EMERGENCY, ANNA_ID)), (START + HOUR, enrolled(by=own))]
    assert fold(log, public(ROOT)).at(acting.id_of(KEY), START + 2 * HOUR)[0] is Standing.UNKNOWN


def test_another_persons_passkey_enrols_nothing_of_mine():
    theirs = enrolled(SECOND, BERT_ID, by=BERT)
    assert standing(theirs, enrolled(KEY, ANNA_ID, by=SECOND)) is Standing.UNKNOWN
    assert "that same person" in why_not(theirs, enrolled(KEY, ANNA_ID, by=SECOND))


@pytest.mark.parametrize(("by", "says"), [(ROOT, ANNA_ID), (ANNA, "root")])
def test_the_enrolment_names_who_signed_it(by, says):
    assert standing(enrolled(by=by, enrolledBy=says)) is Standing.UNKNOWN
    assert "names somebody else" in why_not(enrolled(by=by, enrolledBy=says))


def test_a_passkey_that_is_not_enrolled_enrols_nothing():
    assert standing(enrolled(by=STRANGER)) is Standing.UNKNOWN


def test_a_key_that_was_revoked_enrols_nothing():
    gone = state(CONTROL, "key.revoked", revocation(ANNA, START), key_subject(ANNA))
    assert standing(gone, enrolled()) is Standing.UNKNOWN


def test_a_persons_key_enrols_no_other_kind_of_key():
    other = ed25519(41)
    log = state(ANNA, "key.enrolled", enrolment(other, KeyRole.OPERATOR, person=ANNA_ID), key_subject(other))
    assert "and nothing else" in why_not(log)


def test_a_passkey_revokes_nothing_and_is_revoked():
    from_passkey = acting.state(KEY, "key.revoked", revocation(BERT, START), key_subject(BERT), sequence=2)
    assert "may not revoke" in why_not(enrolled(), from_passkey)
    claims = {"keyId": acting.id_of(KEY), "reason": "removed", "at": to_text(START + HOUR)}
    gone = state(CONTROL, "key.revoked", claims, acting.subject_of(KEY))
    assert standing(enrolled(), gone) is Standing.REVOKED


@pytest.mark.parametrize(
    "changes",
    [
        {"person": None},
        {"rpId": None},
        {"origin": None},
        {"enrolledBy": None},
        {"enrolledBy": BERT_ID},
        {"role": "control-plane"},
        {"custody": "file-plain"},
        {"algorithm": "ed25519"},
        {"algorithm": "webauthn-rs256"},
        {"publicKey": "AAAA"},
        {"origin": "https://other.example"},
        {"origin": "http://localhost:8400/"},
        {"origin": "http://evil-localhost"},
        {"rpId": "ocalhost"},
        {"rpId": ""},
        {"mlDsa44PublicKey": "AAAA"},
        {"validUntil": to_text(START)},
    ],
)
def test_claims_that_are_not_those_of_a_passkey_are_refused(changes):
    envelope = enrolled(by=ROOT, **{"enrolledBy": "root", **changes})
    with pytest.raises(MalformedInput):
        parse_enrolment(envelope.statement)
    assert standing(envelope) is Standing.UNKNOWN


def test_the_site_may_be_a_domain_above_the_page():
    made = enrolled(origin="https://console.example.eu", rpId="example.eu")
    assert parse_enrolment(made.statement).rp_id == "example.eu"


class TestActs:
    """A statement by an enrolled passkey, and everything that is not one."""

    about = Subject("thing/1", acting.subject_of(KEY).digest)

    @pytest.fixture
    def issuer(self):
        return folded(enrolled()).enrolments[acting.id_of(KEY)].issuer

    def act(self, key=KEY, **changes):
        return acting.state(replace(key, **changes), "incident.triage", {"n": 1}, self.about)

    def test_it_counts(self, issuer):
        assert issuer.verify(self.act()).claims == {"n": 1}

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"origin": "http://localhost:8401"}, "another page"),
            ({"flags": 0x01}, "present and verified"),
            ({"flags": 0x04}, "present and verified"),
            ({"more": {"crossOrigin": True}}, "inside a page"),
        ],
    )
    def test_not_by_another_page_or_without_its_holder(self, issuer, changes, words):
        with pytest.raises(VerificationFailed, match=words):
            issuer.verify(self.act(**changes))

    def test_not_for_another_site(self, issuer):
        envelope = acting.sign(KEY, self.act().statement, rp_id="example.eu")
        with pytest.raises(VerificationFailed, match="another site"):
            issuer.verify(envelope)

    def test_not_over_another_statement(self, issuer):
        other = acting.state(KEY, "incident.triage", {"n": 2}, self.about)
        with pytest.raises(VerificationFailed, match="another statement"):
            issuer.verify(replace(other, signature=self.act().signature))

    def test_not_by_another_passkey(self, issuer):
        with pytest.raises(VerificationFailed, match="not by the key given"):
            issuer.verify(self.act(STRANGER))

    def test_no_byte_of_it_may_change(self, issuer):
        act = self.act()
        for place in range(len(act.signature)):
            changed = bytearray(act.signature)
            changed[place] ^= 0x01
            with pytest.raises((VerificationFailed, MalformedInput)):
                issuer.verify(replace(act, signature=bytes(changed)))

    def test_the_plain_signature_of_the_same_key_is_none(self, issuer):
        with pytest.raises(MalformedInput):
            issuer.verify(replace(self.act(), signature=bytes(64)))

    def test_an_algorithm_that_nobody_knows_verifies_nothing(self, issuer):
        with pytest.raises(VerificationFailed, match="not an algorithm"):
            replace(issuer, algorithm="none").verify(self.act())

    def test_it_has_one_byte_form(self):
        act = self.act()
        assert parse(act.data) == act

    def test_what_was_signed_before_the_enrolment_counts_not(self):
        issuers = folded(enrolled())
        assert issuers.at(acting.id_of(KEY), START + HOUR - timedelta(milliseconds=1))[0] is Standing.UNKNOWN
