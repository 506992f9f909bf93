from datetime import timedelta

import pytest

from ringfence.identity.accounts.model import Account
from ringfence.identity.accounts.store import AccountTable
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Conflict
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.testing.home import TENANT

pytestmark = pytest.mark.databases


@pytest.fixture
def table(services):
    return AccountTable(services.database)


def made(clock, number=1, tenant=TENANT, secret=b"s"):
    service, until = PersonId(f"service-{number:012x}"), clock.now() + timedelta(days=1)
    return Account(service, tenant, Role.ENGINEER, "ci", frozenset({"a.b", "c.d"}), secret * 32, clock.now(), until)


def test_an_account_is_what_was_written_in_its_own_tenant_only(services, table, clock):
    one, other = made(clock), made(clock, 2, tenant=Tenant("other"), secret=b"t")
    with services.database.transaction():
        table.add(one)
        table.add(other)
    assert table.by_id(TENANT, one.id) == one == table.by_secret(b"s" * 32)
    assert table.all(TENANT) == [one]
    assert table.by_id(Tenant("third"), one.id) is None


def test_a_secret_is_one_accounts_only(services, table, clock):
    with services.database.transaction():
        table.add(made(clock))
    with pytest.raises(Conflict), services.database.transaction():
        table.add(made(clock, 2))


def test_no_two_tenants_know_a_service_by_the_same_id(services, table, clock):
    """One list says whose access has ended, for all tenants."""
    with services.database.transaction():
        table.add(made(clock))
    with pytest.raises(Conflict), services.database.transaction():
        table.add(made(clock, tenant=Tenant("other"), secret=b"t"))


def test_the_first_end_stands(services, table, clock):
    one, first = made(clock), clock.now()
    with services.database.transaction():
        table.add(one)
        table.end(one, first)
        table.end(one, first + timedelta(days=1))
        table.note_use(one, first)
    assert table.by_id(TENANT, one.id).revoked_at == first
    assert table.by_id(TENANT, one.id).last_used_at == first
