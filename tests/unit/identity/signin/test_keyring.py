from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.identity.model import Factors
from ringfence.identity.signin.keyring import CodeTable, PasskeyTable, factors
from ringfence.identity.signin.model import Owner, Passkey, RecoveryCode, Totp
from ringfence.kernel.errors import Conflict

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def passkey(owner, site):
    return Passkey(b"c" * 20, owner, b"\x04" * 65, site, 7, "näme", ("nfc", "usb"), True, NOW, owner.person)


@pytest.fixture
def passkeys(services):
    return PasskeyTable(services.database)


@pytest.fixture
def codes(services):
    return CodeTable(services.database)


def test_a_passkey_comes_back_as_it_was_kept(passkeys, passkey, services, owner, other):
    with services.database.transaction():
        passkeys.add(passkey)
    assert passkeys.of(owner) == [passkey] == [passkeys.by_credential(passkey.credential)]
    assert passkeys.of(other) == passkeys.of(Owner("other", owner.person)) == []
    assert passkeys.by_credential(b"another") is None
    with pytest.raises(Conflict), services.database.transaction():
        passkeys.add(replace(passkey, owner=other))


def test_of_two_uses_at_once_one_counts(passkeys, passkey, services, owner):
    later = NOW + timedelta(seconds=1)
    with services.database.transaction():
        passkeys.add(passkey)
        assert passkeys.used(passkey, counter=9, at=later)
        assert not passkeys.used(passkey, counter=8, at=later)
    assert passkeys.of(owner) == [replace(passkey, sign_count=9, last_used_at=later)]
    with services.database.transaction():
        assert passkeys.drop(passkey)
        assert not passkeys.drop(passkey)


def test_a_counter_of_an_app_only_grows(codes, services, owner, other):
    app = Totp(owner, b"sealed", "hash", 10, NOW)
    with services.database.transaction():
        codes.put_totp(replace(app, confirmed_at=None))
        codes.put_totp(app)
        assert not codes.advance_totp(owner, counter=10)
        assert codes.advance_totp(owner, counter=11)
        assert not codes.advance_totp(other, counter=99)
    assert codes.totp(owner) == replace(app, last_counter=11)
    assert codes.totp(other) is None
    with services.database.transaction():
        assert codes.drop_totp(owner)
        assert not codes.drop_totp(owner)


def test_recovery_codes_are_replaced_as_a_whole(codes, services, owner):
    old, new = ([RecoveryCode(owner, n, f"{kind}{n}") for n in (1, 2)] for kind in ("old", "new"))
    with services.database.transaction():
        codes.put_recovery(owner, old)
        codes.put_recovery(owner, new)
        assert codes.drop_recovery(owner, 1)
        assert not codes.drop_recovery(owner, 1)
    assert codes.recovery(owner) == new[1:]


def test_a_typed_id_means_one_person_or_nobody(codes, services, owner):
    assert codes.owner(owner.person) is None
    with services.database.transaction():
        codes.put_recovery(owner, [RecoveryCode(owner, 1, "h")])
        codes.put_totp(Totp(owner, b"s", "h", 0, None))
    assert codes.owner(owner.person) == owner
    twin = Owner("other", owner.person)
    with services.database.transaction():
        codes.put_recovery(twin, [RecoveryCode(twin, 1, "h")])
    assert codes.owner(owner.person) is None


def test_second_factors_are_counted_of_one_tenant_and_only_once_confirmed(
    codes, passkeys, passkey, services, owner, other
):
    app = Totp(owner, b"sealed", "hash", 10, NOW)
    with services.database.transaction():
        passkeys.add(passkey)
        codes.put_totp(app)
        codes.put_totp(replace(app, owner=other, confirmed_at=None))
    assert factors(services.database, owner.tenant) == Factors(frozenset({owner.person}), frozenset({owner.person}))
    assert factors(services.database, "elsewhere") == Factors()
    services.identity.record_register(owner.tenant)
    services.ledger.integrate()
    claims = services.ledger.statements(owner.tenant, ("access.register",))[-1].envelope.statement.claims
    assert (claims["peopleWithPasskey"], claims["peopleWithoutSecondFactor"]) == (1, claims["people"] - 1)
