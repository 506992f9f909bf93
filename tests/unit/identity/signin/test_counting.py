from datetime import timedelta

import pytest

from ringfence.identity.signin.service import owner_of
from ringfence.kernel.errors import Conflict, VerificationFailed
from ringfence.testing.home import TENANT
from ringfence.testing.signin import enrol


@pytest.fixture
def passkey(services, key, home, site):
    enrol(services.signin, key, owner_of(home.actor()), site)
    (found,) = services.signin.passkeys.passkeys.of(owner_of(home.actor()))
    return found


def known(services, passkey):
    return services.signin.passkeys.passkeys.by_credential(passkey.credential)


def refused(services):
    services.ledger.integrate()
    return services.ledger.statements(TENANT, ("passkey.refused",))


def test_a_counter_that_grew_is_kept(services, passkey):
    counting = services.signin.passkeys.counting
    counting(passkey, passkey.sign_count + 3)
    assert known(services, passkey).sign_count == passkey.sign_count + 3
    with pytest.raises(Conflict):  # as it was read before: another use was faster
        counting(passkey, passkey.sign_count + 2)
    assert refused(services) == []


def test_a_passkey_that_may_be_two_is_stated_once_an_hour(services, passkey, clock):
    """Its holder signs rightly, as often as they like: that must not fill the log."""
    counting = services.signin.passkeys.counting
    counting(passkey, 9)
    for _ in range(3):
        with pytest.raises(VerificationFailed, match="there may be two of it"):
            counting(known(services, passkey), 4)
    assert len(refused(services)) == 1
    clock.advance(timedelta(hours=1))
    with pytest.raises(VerificationFailed):
        counting(known(services, passkey), 5)
    assert [one.envelope.statement.claims["counter"] for one in refused(services)] == [4, 5]
