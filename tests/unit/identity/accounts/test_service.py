from datetime import timedelta

import pytest

from ringfence.identity.accounts.model import PREFIX
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, Unauthenticated
from ringfence.kernel.identifier import PersonId
from ringfence.testing.home import TENANT

SCOPE = frozenset({"event.ingest", "finding.read"})


@pytest.fixture
def accounts(services):
    return services.access.accounts


@pytest.fixture
def issued(accounts, home):
    return accounts.enrol(home.actor(), "collector", Role.SECURITY, SCOPE, 30)


def asked(services, home, secret, method, path, **more):
    with home.http(services, role=None) as http:
        return http.request(method, path, headers={"authorization": f"Bearer {secret}"}, **more)


def test_the_key_is_shown_once_and_kept_as_a_hash(home, issued):
    assert issued.secret.startswith(PREFIX)
    assert len(issued.secret) >= len(PREFIX) + 43
    kept = b"".join(path.read_bytes() for path in home.path.rglob("*") if path.is_file())
    assert issued.secret.encode() not in kept


def test_a_service_asks_for_what_its_scope_names_and_nothing_else(services, home, issued):
    body = {"source": "sshd", "lines": "", "node": "n"}
    assert asked(services, home, issued.secret, "POST", "/api/v1/events", json=body).status_code == 201
    assert asked(services, home, issued.secret, "GET", "/api/v1/findings").status_code == 200
    refused = asked(services, home, issued.secret, "GET", "/api/v1/people")
    assert refused.status_code == 403
    assert "services-stay-in-their-scope" in refused.json()["detail"]


def test_it_opens_no_console(services, home, issued):
    assert asked(services, home, issued.secret, "POST", "/api/v1/links").status_code == 403
    assert asked(services, home, issued.secret, "GET", "/_parts").status_code == 403


@pytest.mark.parametrize(
    ("role", "action"),
    [
        (Role.AUDITOR, "event.ingest"),  # beyond the role
        (Role.OWNER, "person.remove"),  # takes a person, whatever the role
        (Role.OWNER, "node.release"),
        (Role.OWNER, "statement.add"),
        (Role.OWNER, "no.such"),
        (Role.VENDOR, "finding.read"),
    ],
)
def test_no_scope_goes_beyond_role_and_schema(accounts, home, role, action):
    with pytest.raises(Refused, match=action):
        accounts.enrol(home.actor(), "x", role, frozenset({action}), 1)
    assert accounts.all(TENANT) == []


@pytest.mark.parametrize(("name", "days"), [("", 1), ("a\nb", 1), ("x" * 201, 1), ("x", 0), ("x", 367)])
def test_names_and_lives_are_bounded(accounts, home, name, days):
    with pytest.raises(MalformedInput):
        accounts.enrol(home.actor(), name, Role.SECURITY, SCOPE, days)


def test_a_key_expires(accounts, issued, clock):
    clock.advance(timedelta(days=30) - timedelta(milliseconds=1))
    assert accounts.authenticate(issued.secret).id == issued.account.id
    clock.advance(timedelta(milliseconds=1))
    with pytest.raises(Unauthenticated):
        accounts.authenticate(issued.secret)


def test_a_revoked_key_is_refused_at_once_and_stays_so(services, accounts, home, issued):
    done = accounts.revoke(home.actor(Role.SECURITY), issued.account.id, "leaked")
    with pytest.raises(Unauthenticated):
        accounts.authenticate(issued.secret)
    assert done.stage.value == "published"
    assert issued.account.id in services.identity.revocations
    stated = services.ledger.statements(TENANT)[-1].envelope.statement
    assert (stated.predicate, stated.claims["service"]) == ("service.revoked", issued.account.id)


def test_the_list_outside_the_database_is_enough(services, accounts, issued):
    services.identity.revocations.revoke(issued.account.id)
    with pytest.raises(Unauthenticated):
        accounts.authenticate(issued.secret)
    accounts.settle(TENANT)
    assert accounts.all(TENANT)[0].revoked_at is not None


def test_what_is_not_there_is_not_revoked(services, accounts, home):
    unknown = PersonId("service-ffffffffffff")
    with pytest.raises(NotFound):
        accounts.revoke(home.actor(), unknown, "leaked")
    assert unknown not in services.identity.revocations


def test_last_use_is_noted_now_and_then(accounts, issued, clock):
    accounts.authenticate(issued.secret)
    first = accounts.all(TENANT)[0].last_used_at
    clock.advance(timedelta(seconds=59))
    accounts.authenticate(issued.secret)
    assert accounts.all(TENANT)[0].last_used_at == first == clock.now() - timedelta(seconds=59)
    clock.advance(timedelta(seconds=1))
    accounts.authenticate(issued.secret)
    assert accounts.all(TENANT)[0].last_used_at == clock.now()


def test_the_register_counts_services(services, issued, accounts, home):
    def counted():
        services.identity.record_register(TENANT)
        services.ledger.integrate()
        return services.ledger.statements(TENANT)[-1].envelope.statement.claims["services"]

    assert counted() == 1
    accounts.revoke(home.actor(), issued.account.id, "leaked")
    assert counted() == 0
