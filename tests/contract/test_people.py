"""`identity.ports.People` and `Revocations`: what the use cases rely on, shown on the adapters that ship."""

from datetime import timedelta

import pytest

from ringfence.identity.store import RevocationFile
from ringfence.kernel.actor import Role
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.testing.home import TENANT

pytestmark = pytest.mark.databases

SECRET = b"s" * 32


@pytest.fixture
def people(services):
    return services.identity.people


@pytest.fixture
def owner(people, home):
    return people.by_id(TENANT, home.people[Role.OWNER].id)


def test_a_person_is_found_by_id_and_token_in_the_own_tenant_only(people, owner):
    assert people.by_id(TENANT, owner.id) == owner == people.by_token(owner.token_hash)
    assert people.by_id(Tenant("other"), owner.id) is None
    assert people.by_token(bytes(32)) is None
    assert owner in people.all(TENANT)
    assert people.all(Tenant("other")) == []


def test_a_pass_is_of_its_kind_until_its_time_and_dropped_once(services, people, owner, clock):
    until = clock.now() + timedelta(minutes=1)
    with services.database.transaction():
        people.add_pass("link", SECRET, owner, until)
    assert people.by_pass("link", SECRET, until - timedelta(milliseconds=1)) == owner
    assert people.by_pass("link", SECRET, until) is None
    assert people.by_pass("session", SECRET, clock.now()) is None
    with services.database.transaction():
        assert people.drop_pass("link", SECRET) is True
        assert people.drop_pass("link", SECRET) is False
    assert people.by_pass("link", SECRET, clock.now()) is None


def test_the_passes_of_a_person_end_together(services, people, owner, clock):
    until = clock.now() + timedelta(minutes=1)
    with services.database.transaction():
        people.add_pass("link", SECRET, owner, until)
        people.add_pass("confirm", SECRET, owner, until)
        people.drop_passes(Tenant("other"), owner.id)
        people.drop_passes(TENANT, owner.id, kind="link")
    assert people.by_pass("link", SECRET, clock.now()) is None
    assert people.by_pass("confirm", SECRET, clock.now()) == owner
    with services.database.transaction():
        people.drop_passes(TENANT, owner.id)
    assert people.by_pass("confirm", SECRET, clock.now()) is None


def test_a_revocation_outlives_the_object_that_wrote_it(tmp_path):
    person = PersonId("person-0123456789ab")
    RevocationFile(tmp_path / "r").create()
    RevocationFile(tmp_path / "r").revoke(person)
    assert person in RevocationFile(tmp_path / "r")
