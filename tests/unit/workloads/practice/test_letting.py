import pytest

from ringfence.identity.signin.service import owner_of
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import NotFound, Refused
from ringfence.ledger.model import Standing
from ringfence.testing.authenticator import Authenticator
from ringfence.testing.home import TENANT
from ringfence.testing.signin import SITE, enrol
from ringfence.workloads.practice.letting import Letting


def letting(home, services):
    return Letting(home.path, services.acting.enrolling, services.acting.desk.issuing)


def passkey_of(services, person):
    enrol(services.signin, Authenticator(SITE.origin), owner_of(person), SITE)
    (found,) = services.signin.passkeys.passkeys.of(owner_of(person))
    return found


def test_in_a_practice_a_button_lets_a_passkey_sign(practice, clock):
    with practice.services(clock) as services:
        passkey = passkey_of(services, practice.actor())
        letting(practice, services)(practice.actor(), passkey.id)
        assert services.acting.desk.signers(practice.actor()) == [passkey]
        assert services.ledger.issuers(TENANT).at(passkey.key, clock.now())[0] is Standing.TRUSTED


def test_nobody_lets_the_passkey_of_somebody_else_sign(practice, clock):
    with practice.services(clock) as services:
        passkey = passkey_of(services, practice.actor())
        with pytest.raises(NotFound):
            letting(practice, services)(practice.actor(Role.ENGINEER), passkey.id)


def test_in_an_own_installation_a_person_signs_that_in_a_terminal(home, services):
    passkey = passkey_of(services, home.actor())
    with pytest.raises(Refused, match="in a practice only"):
        letting(home, services)(home.actor(), passkey.id)
    assert services.acting.desk.signers(home.actor()) == []
