from datetime import timedelta

import pytest

from ringfence.cutoff.colleagues import Colleagues, established
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Refused
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.testing.home import TENANT as MAIN

DAY = timedelta(hours=24)


def colleagues(services):
    return Colleagues(services.identity, lambda _tenant, _person: None, services.ledger.issuers, services.outbox.stated)


@pytest.mark.parametrize("role", Role)
def test_security_and_owners_release_nodes(services, home, role):
    found = colleagues(services).may_release(MAIN, home.people[role].id)
    assert found is (role in {Role.SECURITY, Role.OWNER})


def test_strangers_people_of_another_tenant_and_people_who_left_do_not(services, home):
    people, security = colleagues(services), home.people[Role.SECURITY].id
    assert not people.may_release(MAIN, PersonId("person-ffffffffffff"))
    assert not people.may_release(Tenant("other"), security)
    services.identity.remove(security, by=home.actor(), left_at=None, reason="left")
    assert not people.may_release(MAIN, security)


def test_who_enrolled_whom_is_asked_where_it_is_known(services, home):
    root = PersonId("person-00000000000a")
    asked = Colleagues(services.identity, lambda tenant, _: root if tenant == MAIN else None, None, None)
    assert asked.enrolled_by(MAIN, home.people[Role.SECURITY].id) == root


def test_nobody_is_established_in_the_first_day_and_whoever_releases_nodes_is_afterwards(services):
    people, now = colleagues(services), services.clock.now()
    assert people.established(MAIN, now + DAY - timedelta(minutes=1)) == 0
    assert people.established(MAIN, now + DAY) == 2


def test_a_credential_that_was_revoked_establishes_nobody(services, home):
    security = home.people[Role.SECURITY].id
    services.identity.remove(security, by=home.actor(), left_at=None, reason="left")
    services.ledger.integrate()
    later = services.clock.now() + DAY
    assert security not in established(services.ledger.issuers(MAIN), later)
    assert home.actor().id in established(services.ledger.issuers(MAIN), later)


class TestHalf:
    def test_is_what_the_log_knows_of_it(self, services, home):
        logged = services.ledger.statements(MAIN)[-1]
        with pytest.raises(Refused, match="was not signed by"):
            colleagues(services).half(MAIN, home.actor().id, logged.envelope.digest)

    def test_is_none_where_nothing_was_recorded(self, services, home):
        with pytest.raises(Refused, match="holds no statement"):
            colleagues(services).half(MAIN, home.actor().id, Digest.of(b"made up"))
