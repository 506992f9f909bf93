import dataclasses
import json

import pytest

from ringfence.identity.joining.scim import LIST, USER
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, NotFound, Refused, Unauthenticated, Unavailable
from ringfence.kernel.identifier import PersonId
from ringfence.testing.home import TENANT


@pytest.fixture
def joining(services):
    return services.access.joining


@pytest.fixture
def link(services, home):
    def add(*roles):
        for role in roles:
            services.access.federation.link(home.actor(), home.people[role].id, "directory", role.value)

    return add


def file(*users):
    resources = [{"schemas": [USER], "id": name, "userName": name, "roles": [{"value": role}]} for name, role in users]
    return json.dumps({"schemas": [LIST], "Resources": resources}).encode()


def confirm(joining, by, data, *, many=False):
    seen = joining.proposal(TENANT, "directory", data)
    return joining.apply(by, "directory", data, seen.digest, many=many)


def access(services):
    return {record.id: record.role for record in services.identity.register(TENANT) if record.removed_at is None}


def test_what_was_confirmed_happens_and_is_stated(services, joining, home, link):
    link(Role.ENGINEER, Role.AUDITOR, Role.MANAGEMENT)
    data = file(("auditor", "security"), ("management", "management"))
    before = access(services)
    assert joining.proposal(TENANT, "directory", data).leavers
    assert access(services) == before  # a proposal changes nothing
    confirm(joining, home.actor(), data)
    after = access(services)
    assert home.people[Role.ENGINEER].id not in after
    assert after[home.people[Role.AUDITOR].id] is Role.SECURITY
    stated = [one.envelope.statement.predicate for one in services.ledger.statements(TENANT)]
    assert stated[-3:] == ["person.role_changed", "access.imported", "key.revoked"]


def test_another_proposal_than_the_confirmed_one_is_not_followed(services, joining, home, link):
    link(Role.ENGINEER)
    before = access(services)
    with pytest.raises(Conflict):
        joining.apply(home.actor(), "directory", file(), Digest.of(b"another"), many=False)
    assert access(services) == before


def test_nobody_confirms_a_change_of_their_own_access(services, joining, home, link):
    link(Role.OWNER, Role.ENGINEER)
    before = access(services)
    with pytest.raises(Refused, match="your own"):
        confirm(joining, home.actor(), file(("engineer", "engineer")))
    assert access(services) == before


def test_most_people_go_only_when_it_is_said(services, joining, home, link):
    link(Role.ENGINEER, Role.AUDITOR, Role.MANAGEMENT)
    before = access(services)
    with pytest.raises(Refused, match="3 of 3"):
        confirm(joining, home.actor(), file())
    assert access(services) == before
    confirm(joining, home.actor(), file(), many=True)
    assert len(access(services)) == len(before) - 3


def test_killed_in_the_middle_what_was_confirmed_is_done_whole(services, joining, home, link):
    link(Role.ENGINEER, Role.MANAGEMENT, Role.AUDITOR)

    def killed(*_who, **_why):
        raise SystemExit

    with pytest.raises(SystemExit):
        confirm(dataclasses.replace(joining, remove=killed), home.actor(), file(("auditor", "security")), many=True)
    for role in (Role.ENGINEER, Role.MANAGEMENT):
        with pytest.raises(Unauthenticated):
            services.identity.authenticate(token=home.people[role].token)
    services.collectors["access.register"](TENANT)  # as at the next start
    after = access(services)
    assert after[home.people[Role.AUDITOR].id] is Role.SECURITY
    assert not {home.people[role].id for role in (Role.ENGINEER, Role.MANAGEMENT)} & after.keys()
    stated = [one.envelope.statement.predicate for one in services.ledger.statements(TENANT)]
    assert [stated.count(kind) for kind in ("access.imported", "person.role_changed", "key.revoked")] == [1, 1, 2]


def test_what_cannot_be_stated_changes_nothing(services, joining, home, link):
    link(Role.ENGINEER, Role.AUDITOR)
    before = access(services)

    class Deaf:
        def record(self, draft, *, tenant):
            if draft.predicate == "access.imported":
                raise Unavailable("the disk is full")
            return joining.recorder.record(draft, tenant=tenant)

    with pytest.raises(Unavailable):
        confirm(dataclasses.replace(joining, recorder=Deaf()), home.actor(), file(("auditor", "security")))
    assert access(services) == before
    assert services.identity.authenticate(token=home.people[Role.ENGINEER].token)


def test_another_source_touches_nobody(joining, link):
    link(Role.ENGINEER)
    seen = joining.proposal(TENANT, "elsewhere", file())
    assert seen.leavers == ()


def test_a_role_is_another_one_from_the_next_request_on(services, joining, home):
    with home.http(services, Role.ENGINEER) as http:
        assert http.get("/api/v1/reports/pack").status_code == 403
        joining.change_role(home.actor(), home.people[Role.ENGINEER].id, Role.AUDITOR)
        assert http.get("/api/v1/me").json()["role"] == "auditor"


def test_owners_are_made_by_the_root_alone(services, joining, home):
    before = access(services)
    with pytest.raises(Refused, match="only the root"):
        joining.change_role(home.actor(), home.people[Role.ENGINEER].id, Role.OWNER)
    with pytest.raises(Refused, match="their own role"):
        joining.change_role(home.actor(), home.people[Role.OWNER].id, Role.AUDITOR)
    with pytest.raises(NotFound):
        joining.change_role(home.actor(), PersonId("person-ffffffffffff"), Role.AUDITOR)
    assert access(services) == before
