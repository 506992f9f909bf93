from datetime import timedelta

import pytest

from ringfence.identity.acting.enrolling import enrolment
from ringfence.identity.signin.service import owner_of
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused, VerificationFailed
from ringfence.ledger.model import Standing
from ringfence.testing.home import TENANT, draft, signed


def standing(services, passkey):
    services.ledger.integrate()
    return services.ledger.issuers(TENANT).at(passkey.key, services.clock.now())


def test_the_key_of_a_person_lets_a_passkey_of_theirs_sign(services, signing, anna):
    found, issuer = standing(services, signing)
    assert found is Standing.TRUSTED
    assert (issuer.person, issuer.enrolled_by, issuer.public_key) == (anna.id, anna.id, signing.public_key)
    assert (issuer.rp_id, issuer.origin) == (signing.site.rp_id, signing.site.origin)


def test_nobody_enrols_a_passkey_of_somebody_else(acting, passkey, home, by_key, anna):
    wanted = acting.enrolling.draft(anna, passkey.id)
    with pytest.raises(NotFound):
        acting.enrolling.draft(home.actor(Role.SECURITY), passkey.id)
    with pytest.raises(NotFound):
        acting.enrolling.enrol(home.actor(Role.SECURITY), passkey.id, by_key(wanted, Role.SECURITY))
    with pytest.raises(Refused):
        acting.enrolling.enrol(anna, passkey.id, by_key(wanted, Role.SECURITY))


def test_a_passkey_is_enrolled_for_signing_once(acting, signing, anna, by_key):
    with pytest.raises(Refused, match="one enrolment for ever"):
        acting.enrolling.enrol(anna, signing.id, by_key(acting.enrolling.draft(anna, signing.id)))


@pytest.mark.parametrize("change", [{"role": "root"}, {"origin": "http://localhost:1"}, {"more": 1}, {"person": "x"}])
def test_what_was_signed_is_the_enrolment_of_this_passkey(acting, passkey, anna, by_key, services, change):
    right = enrolment(passkey, services.clock.now())
    wrong = draft("key.enrolled", {**right.claims, **change})
    with pytest.raises((Refused, MalformedInput)):
        acting.enrolling.enrol(anna, passkey.id, by_key(wrong))
    assert standing(services, passkey)[0] is Standing.UNKNOWN


def test_an_enrolment_starts_now(acting, passkey, anna, by_key, services):
    for hours in (-1, 1):
        wanted = enrolment(passkey, services.clock.now() + timedelta(hours=hours))
        with pytest.raises(Refused, match="ask for it again"):
            acting.enrolling.enrol(anna, passkey.id, by_key(wanted))


def test_no_person_enrols_keys_as_a_plain_statement(services, home, passkey, anna, acting):
    envelope, _ = signed(services, home.people[Role.SECURITY], acting.enrolling.draft(anna, passkey.id))
    with pytest.raises((Refused, VerificationFailed)), services.database.transaction():
        services.outbox.admit(envelope, None, by=home.actor(Role.SECURITY))


def test_a_passkey_that_is_removed_signs_nothing_any_more(services, signing, anna, acting):
    services.signin.passkeys.remove(owner_of(anna), signing.id, recoverable=True)
    assert standing(services, signing)[0] is Standing.REVOKED
    assert acting.desk.signers(anna) == []


def test_the_passkeys_of_somebody_who_leaves_are_revoked_with_the_key(services, signing, home, anna):
    services.identity.remove(anna.id, by=home.actor(Role.SECURITY), left_at=None, reason="left")
    assert standing(services, signing)[0] is Standing.REVOKED
    revoked = [one.envelope.statement.claims["keyId"] for one in services.ledger.statements(TENANT, ("key.revoked",))]
    assert sorted(revoked) == sorted([signing.key, home.people[Role.OWNER].signer.key])


def test_a_passkey_is_enrolled_by_a_repeated_post_once(acting, passkey, anna, by_key, services):
    envelope = by_key(acting.enrolling.draft(anna, passkey.id))
    acting.enrolling.enrol(anna, passkey.id, envelope)
    with pytest.raises((Refused, Conflict)):
        acting.enrolling.enrol(anna, passkey.id, envelope)
    services.ledger.integrate()
    assert (
        len([one for one in services.ledger.statements(TENANT, ("key.enrolled",)) if one.issuer and one.issuer.person])
        == 1
    )
