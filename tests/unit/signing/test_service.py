from datetime import timedelta

import pytest

from ringfence.identity.register import key_revoked
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import NotFound, Refused, VerificationFailed
from ringfence.kernel.identifier import KeyId
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Standing
from ringfence.signing.custody import State
from ringfence.testing.home import TENANT, draft, signed
from ringfence.testing.tenancy import root_of


def by_root(services, home, wanted, **changes):
    return signed(services, root_of(home), wanted, **changes)[0]


def held(services, role):
    return next(each for each in services.keys.history(TENANT) if each.role is role and each.state is State.IN_FORCE)


def test_the_root_ends_a_key_and_what_came_before_stays(services, home, clock):
    person = home.people[Role.ENGINEER]
    clock.advance(timedelta(hours=1))
    done = services.keys.revoke(
        by_root(services, home, key_revoked(person.signer.key, reason="lost", at=clock.now())), by=home.actor()
    )
    assert done.entry is not None
    assert services.ledger.issuers(TENANT).at(person.signer.key, clock.now())[0] is Standing.REVOKED
    assert {logged.standing for logged in services.ledger.statements(TENANT)} == {Standing.TRUSTED}


@pytest.mark.parametrize("role", [KeyRole.CONTROL_PLANE, KeyRole.EMERGENCY, KeyRole.LEDGER, KeyRole.GATEWAY])
def test_a_key_in_service_is_replaced_not_revoked(services, home, clock, role):
    wanted = key_revoked(held(services, role).key, reason="compromised", at=clock.now())
    with pytest.raises(Refused, match=f"rotate {role}"):
        services.keys.revoke(by_root(services, home, wanted), by=home.actor())


def test_nobody_revokes_the_root(services, home, clock):
    wanted = key_revoked(held(services, KeyRole.ROOT).key, reason="lost", at=clock.now())
    with pytest.raises(Refused, match="nobody revokes the root"):
        services.keys.revoke(by_root(services, home, wanted), by=home.actor())


def test_only_the_root_s_revocations_for_this_tenant_are_taken(services, home, clock):
    wanted = key_revoked(home.people[Role.ENGINEER].signer.key, reason="lost", at=clock.now())
    with pytest.raises(VerificationFailed):
        services.keys.revoke(signed(services, home.people[Role.OWNER], wanted)[0], by=home.actor())
    with pytest.raises(Refused, match="own tenant"):
        services.keys.revoke(by_root(services, home, wanted, tenant="other"), by=home.actor())
    with pytest.raises(Refused, match="revocation of a key"):
        services.keys.revoke(by_root(services, home, draft()), by=home.actor())
    unknown = key_revoked(KeyId("ff" * 32), reason="lost", at=clock.now())
    with pytest.raises(NotFound):
        services.keys.revoke(by_root(services, home, unknown), by=home.actor())


def test_an_operator_states_where_a_key_lies(services, home):
    key = held(services, KeyRole.LEDGER).key
    owner = home.people[Role.OWNER]
    envelope, _ = signed(services, owner, draft("key.custody", {"keyId": key, "custody": "pkcs11"}))
    services.keys.state_custody(envelope, by=home.actor())
    assert held(services, KeyRole.LEDGER).kept[-1].custody == "pkcs11"
    with pytest.raises(Refused, match="where a key lies"):
        services.keys.state_custody(signed(services, owner, draft())[0], by=home.actor())
    other, _ = signed(services, owner, draft("key.custody", {"keyId": "ff" * 32, "custody": "pkcs11"}))
    with pytest.raises(NotFound):
        services.keys.state_custody(other, by=home.actor())
