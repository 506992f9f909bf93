import threading
from dataclasses import replace

import pytest

from ringfence.identity.store import RevocationFile
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Conflict, NotFound
from ringfence.kernel.identifier import KeyId, PersonId, Tenant
from ringfence.testing.home import TENANT


def person(number):
    return PersonId(f"person-{number:012x}")


@pytest.fixture
def file(tmp_path):
    made = RevocationFile(tmp_path / "revoked", capacity=8)
    made.create()
    return made


def test_who_is_revoked_stays_revoked(file):
    file.revoke(person(1))
    file.revoke(person(2))
    file.revoke(person(1))
    assert person(1) in file
    assert person(2) in file
    assert person(3) not in file
    assert file.path.read_text().split() == [f"{1:012x}", f"{2:012x}"]


def test_it_grows_beyond_what_was_reserved(file):
    for number in range(20):
        file.revoke(person(number))
    assert all(person(number) in file for number in range(20))


def test_many_at_once_lose_nobody(file):
    def work(start):
        for number in range(start, start + 25):
            RevocationFile(file.path).revoke(person(number))

    threads = [threading.Thread(target=work, args=(start,)) for start in range(0, 100, 25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [number for number in range(100) if person(number) not in file] == []


def test_damage_hides_nobody_else_and_raises_nothing(file):
    file.revoke(person(1))
    with file.path.open("r+b") as stream:
        stream.seek(16)
        stream.write(b"\xff\xfe\n")
    assert person(1) in file


def test_a_list_that_is_gone_admits_nobody(tmp_path):
    with pytest.raises(NotFound):
        assert person(1) in RevocationFile(tmp_path / "none")


@pytest.mark.parametrize("same", ["id", "key", "token_hash"])
def test_nobody_is_enrolled_under_what_another_has(services, home, same):
    people = services.identity.people
    known = people.by_id(TENANT, home.people[Role.OWNER].id)
    fresh = replace(known, id=person(7), key=KeyId("1" * 64), token_hash=b"1" * 32)
    with pytest.raises(Conflict), services.database.transaction():
        people.add(replace(fresh, **{same: getattr(known, same)}))
    with services.database.transaction():
        people.add(fresh)
    assert people.by_token(b"1" * 32) == fresh


def test_no_two_tenants_know_somebody_by_the_same_id(services, home):
    """One list says whose access has ended, for all tenants: an id means one person in all of them."""
    engineer = services.identity.people.by_id(TENANT, home.people[Role.ENGINEER].id)
    twin = replace(engineer, tenant=Tenant("other"), key=KeyId("1" * 64), token_hash=b"1" * 32)
    with pytest.raises(Conflict), services.database.transaction():
        services.identity.people.add(twin)
    with services.database.transaction():
        services.identity.people.add(replace(twin, id=person(7)))
