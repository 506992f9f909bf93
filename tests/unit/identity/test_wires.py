from datetime import timedelta

import pytest

from ringfence.identity.wires import AccessNow, counting
from ringfence.kernel.actor import Role
from ringfence.testing.home import TENANT


@pytest.fixture
def now(services):
    return AccessNow(services.identity, services.access.accounts)


@pytest.fixture
def service(services, home):
    scope = frozenset({"event.ingest"})
    return services.access.accounts.enrol(home.actor(), "ci", Role.SECURITY, scope, 1).account


def test_who_has_access_now_are_people_and_services(services, now, home, service):
    everybody = {person.id for person in home.people.values()} | {service.id}
    assert {entry.subject for entry in now.entries(TENANT)} == everybody
    services.identity.revocations.revoke(home.people[Role.AUDITOR].id)  # the register has not heard of it yet
    services.identity.revocations.revoke(service.id)
    assert {entry.subject for entry in now.entries(TENANT)} == everybody - {
        home.people[Role.AUDITOR].id,
        service.id,
    }


def test_access_ends_by_the_ordinary_way(services, now, home, service):
    now.end(service.id, home.actor())
    now.end(home.people[Role.AUDITOR].id, home.actor())
    stated = [one.envelope.statement.predicate for one in services.ledger.statements(TENANT)]
    assert stated[-2:] == ["service.revoked", "key.revoked"]


@pytest.mark.usefixtures("service")
def test_services_with_a_key_in_force_are_counted(services, clock):
    count = counting(services.database, clock)
    assert count(TENANT) == 1
    clock.advance(timedelta(days=1))
    assert count(TENANT) == 0


def test_the_disk_of_a_journal_is_reserved_once(services):
    place = services.access.tenants.reserve.__self__
    place.reserve("other")
    place.reserve("other")
    assert services.journal.file("other").records() == []
