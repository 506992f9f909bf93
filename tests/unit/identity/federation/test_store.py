from datetime import timedelta

import pytest

from ringfence.identity.federation.model import Alias
from ringfence.identity.federation.store import AliasTable
from ringfence.kernel.errors import Conflict
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.testing.home import TENANT

pytestmark = pytest.mark.databases

PERSON, OTHER = PersonId("person-0123456789ab"), Tenant("other")


@pytest.fixture
def table(services):
    return AliasTable(services.database)


@pytest.fixture
def write(services):
    return services.database.transaction


def alias(clock, tenant=TENANT, subject="ada"):
    return Alias(tenant, "https://id.example", subject, PERSON, clock.now())


def test_a_name_means_one_person_per_tenant(table, write, clock):
    with write():
        table.link(alias(clock))
        table.link(alias(clock, OTHER))
    assert table.whose(TENANT, "https://id.example", "ada") == PERSON
    assert table.whose(TENANT, "https://id.example", "eve") is None
    assert table.whose(TENANT, "https://other.example", "ada") is None
    assert table.of(TENANT) == [alias(clock)]
    with pytest.raises(Conflict), write():
        table.link(alias(clock))


def test_a_name_is_forgotten_in_its_own_tenant_only(table, write, clock):
    with write():
        table.link(alias(clock))
        assert not table.unlink(OTHER, "https://id.example", "ada")
        assert table.unlink(TENANT, "https://id.example", "ada")
    assert table.of(TENANT) == []


def test_a_login_is_taken_once_and_in_time(table, write, clock):
    until = clock.now() + timedelta(minutes=1)
    with write():
        table.begin(b"a" * 32, TENANT, until)
        table.begin(b"b" * 32, TENANT, until)
        assert table.take(b"a" * 32, clock.now()) == TENANT
        assert table.take(b"a" * 32, clock.now()) is None
        assert table.take(b"b" * 32, until) is None
        assert table.take(b"c" * 32, clock.now()) is None


def test_logins_that_nobody_ends_are_forgotten(table, write, clock):
    now = clock.now()
    with write():
        for number in range(5):
            table.begin(bytes([number]) * 32, TENANT, now + timedelta(minutes=number))
        table.forget_logins(now, 2)
        left = [number for number in range(5) if table.take(bytes([number]) * 32, now)]
    assert left == [3, 4]
