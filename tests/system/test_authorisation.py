"""No route is open by oversight, the roles are what the table says, and access that ended has ended."""

import sqlite3
from datetime import timedelta

import cedarpy
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import event

from ringfence.frontends.cookies import CSRF_HEADER, csrf_of
from ringfence.identity.model import LINK_LIFE
from ringfence.identity.policy import Policies, shipped
from ringfence.identity.signin.model import ABSOLUTE, IDLE
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.errors import InternalError, Refused, Unauthenticated
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.server import OPEN_PATHS, create_app
from ringfence.testing.home import ADDRESS, TENANT

READ = {
    "console.read", "status.read", "evidence.read", "ledger.read", "dataset.read", "person.read", "link.issue",
    "node.read", "finding.read", "incident.read",
    "model.read", "key.read", "deployment.read", "receipt.read", "retention.read", "act.sign",
    "resolution.read", "customer.read", "release.read",
}  # fmt: skip
OPERATE = {
    "statement.add", "dataset.seal", "dataset.open", "dataset.verify", "node.start", "node.stop", "node.connect",
    "model.sign", "model.scan", "key.issue", "key.revoke", "deployment.change", "run.record", "record.form",
    "risk.change", "exception.request", "practice.run", "release.request", "release.end",
    "model.intake", "gate.judge", "backup.record",
}  # fmt: skip
RESPOND = {
    "node.quarantine",
    "node.release",
    "node.baseline",
    "event.ingest",
    "finding.settle",
    "playbook.change",
    "incident.decide",
    "key.block",
    "retention.hold",
    "release.end",
}
OWN = {
    "passkey.enrol", "passkey.remove", "totp.change", "recovery.issue", "terminal.confirm", "session.end",
    "passkey.sign",
}  # fmt: skip
GOVERN = {
    "person.enrol", "person.remove", "person.change", "person.reset", "service.enrol", "service.revoke", "review.lead",
    "review.decide", "tenant.add", "ledger.anchor", "retention.release", "retention.erase", "retention.sweep",
    "dataset.erase", "gate.change", "model.approve", "model.decide",
}  # fmt: skip
CHOOSE = {"control.set-aside", "profile.select", "customer.change"}
OTHER = (
    {"ledger.export", "record.collect", "report.pack", "resolution.open", "exception.approve", "release.allow"}
    | GOVERN
    | OWN
    | CHOOSE
)
READ |= OWN
OF_ONE_ROLE = {"resolution.vote", "risk.accept", "opinion.give"}  # not even an owner stands in
EVERY = READ | OPERATE | RESPOND | OTHER | OF_ONE_ROLE
GOLDEN = {
    Role.OWNER: READ | OPERATE | RESPOND | OTHER,
    Role.ENGINEER: READ | OPERATE,
    Role.SECURITY: READ
    | RESPOND
    | {"statement.add", "dataset.verify", "ledger.export", "record.collect", "report.pack", "person.remove"}
    | {"model.scan", "key.revoke", "service.revoke", "review.lead", "review.decide", "record.form"}
    | {"risk.change", "exception.request", "exception.approve", "release.allow"}
    | {"gate.change", "gate.judge", "model.approve", "model.decide", "backup.record"}
    | CHOOSE,
    Role.MANAGEMENT: READ
    | {"statement.add", "report.pack", "incident.decide", "record.form"}
    | {"retention.hold", "retention.release", "resolution.open", "resolution.vote"}
    | {"risk.change", "risk.accept", "exception.request", "exception.approve", "model.approve", "model.decide"}
    | CHOOSE,
    Role.AUDITOR: READ | {"report.pack", "ledger.export", "opinion.give"},
    Role.VENDOR: OWN | {"console.read"},
    Role.CUSTOMER: OWN | {"console.read"},
}


def person(role, tenant=TENANT):
    return Person(PersonId("person-0123456789ab"), tenant, role)


def routes_of(app):
    """Every route, those of routers that were included among them."""
    found, waiting = [], list(app.routes)
    while waiting:
        route = waiting.pop()
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if isinstance(route, APIRoute):
            found.append(route)
        elif inner:
            waiting.extend(inner)
        else:
            found.append(route)
    return found


def actions_of(route):
    """The actions that the dependencies of a route ask for."""
    waiting, found = [route.dependant], set()
    while waiting:
        dependant = waiting.pop()
        action = getattr(dependant.call, "__dict__", {}).get("action")
        found |= {action} if action else set()
        waiting.extend(dependant.dependencies)
    return found


def test_every_route_asks_for_an_action_that_is_declared(services):
    seen = 0
    for route in routes_of(create_app(services)):
        path = getattr(route, "path", "")
        if path in OPEN_PATHS or (type(route).__name__ == "Mount" and path == "/assets"):
            continue
        assert isinstance(route, APIRoute), f"{path} is of a kind that cannot ask who is there"
        actions = actions_of(route)
        assert len(actions) == 1, f"{path} asks for {actions or 'nothing'}"
        assert actions <= EVERY, f"{path} asks for {actions}, which no policy speaks of"
        seen += 1
    assert seen > 10


def test_every_route_turns_strangers_away(services, home):
    with home.http(services, role=None) as http:
        for route in routes_of(create_app(services)):
            path = getattr(route, "path", "").replace("{", "").replace("}", "")
            if not isinstance(route, APIRoute) or path in OPEN_PATHS:
                continue
            for method in route.methods:
                # A route of a router that was included does not know its prefix: one of the two is its address.
                codes = {http.request(method, f"{prefix}{path}").status_code for prefix in ("", "/api/v1")}
                assert 401 in codes, f"{method} {path} does not ask who is there"
                assert codes <= {400, 401, 404, 405}, f"{method} {path} answers {codes} to nobody"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", sorted(EVERY))
def test_the_roles_are_what_the_table_says(role, action):
    if action in GOLDEN[role]:
        shipped().authorise(person(role), action, tenant=TENANT)
        return
    with pytest.raises(Refused, match=action):
        shipped().authorise(person(role), action, tenant=TENANT)


@pytest.mark.parametrize("role", Role)
def test_nobody_leaves_their_tenant(role):
    for action in sorted(EVERY):
        with pytest.raises(Refused):
            shipped().authorise(person(role, Tenant("other")), action, tenant=TENANT)


@pytest.mark.parametrize(
    "action", ["", "read", "operate", "respond", "govern", "nothing.declared", 'x"', 'Action::"read"']
)
def test_an_action_that_nobody_declared_is_refused(action):
    with pytest.raises(Refused):
        shipped().authorise(person(Role.OWNER), action, tenant=TENANT)


def test_a_missing_attribute_is_a_denial_although_the_engine_skips_the_forbid():
    """Without the attribute the engine would skip `nobody-leaves-their-tenant` and permit."""
    owner = person(Role.OWNER)
    there = {"tenant": {"__entity": {"type": "Tenant", "id": TENANT}}}
    assert shipped().permits(owner, "dataset.read", tenant=TENANT, attributes=there)
    assert not shipped().permits(owner, "dataset.read", tenant=TENANT, attributes={})
    unchecked = Policies(shipped().policies, None, shipped().digest)
    assert not unchecked.permits(owner, "dataset.read", tenant=TENANT, attributes={})


def test_a_diagnostic_error_is_a_denial():
    """The engine itself answers Allow here: the forbid failed, so it was skipped, and the permit stands."""
    policies = (
        "permit (principal, action, resource); forbid (principal, action, resource) when { principal.nope == 1 };"
    )
    loose = Policies(cedarpy.PolicySet.from_str(policies), None, shipped().digest)
    assert not loose.permits(person(Role.OWNER), "dataset.read", tenant=TENANT, attributes={})


def test_policies_that_do_not_fit_their_schema_are_never_used():
    with pytest.raises(InternalError, match="do not fit"):
        Policies.parse('permit (principal, action == Action::"nope", resource);', "entity Person; entity Tenant;")


# Links and sessions


@pytest.fixture
def anybody(services, home):
    with home.http(services, role=None) as http:
        yield http


def opened(services, home, http):
    """Open a session by a link."""
    link = services.identity.issue_link(home.actor())
    answer = http.get("/login", params={"token": link})
    assert answer.status_code == 303
    return link


def our_page(http):
    """What a page of ours sends along."""
    return {"origin": ADDRESS, CSRF_HEADER: csrf_of(http.cookies["ringfence_session"])}


def test_a_link_opens_one_session_once(services, home, anybody):
    link = opened(services, home, anybody)
    assert anybody.get("/api/v1/me").json()["person"] == home.people[Role.OWNER].id
    anybody.cookies.clear()
    assert anybody.get("/login", params={"token": link}).status_code == 401
    assert not anybody.cookies


def test_the_cookie_is_of_no_use_elsewhere(services, home, anybody):
    link = services.identity.issue_link(home.actor())
    cookie = anybody.get("/login", params={"token": link}).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_a_link_ends(services, home, clock):
    link = services.identity.issue_link(home.actor())
    clock.advance(LINK_LIFE)
    with pytest.raises(Unauthenticated):
        services.identity.redeem(link)


def test_a_session_ends(services, home, clock, anybody):
    opened(services, home, anybody)
    for _ in range(ABSOLUTE // IDLE * 2 - 1):  # in use, so that it ends by age alone
        clock.advance(IDLE / 2)
        assert anybody.get("/api/v1/me").status_code == 200
    clock.advance(IDLE / 2)
    assert anybody.get("/api/v1/me").status_code == 401


def test_a_session_that_nobody_uses_ends_sooner(services, home, clock, anybody):
    opened(services, home, anybody)
    clock.advance(IDLE - timedelta(seconds=1))
    assert anybody.get("/api/v1/me").status_code == 200
    clock.advance(IDLE)
    assert anybody.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("header", [{"hx-request": "true", "hx-target": "live"}, {"accept": "text/event-stream"}])
def test_a_page_that_asks_on_its_own_keeps_no_session_alive(services, home, clock, anybody, header):
    """Else a browser that is left open with a live page is good for twelve hours."""
    opened(services, home, anybody)
    for _ in range(3):
        clock.advance(IDLE / 3 - timedelta(seconds=1))
        assert anybody.get("/api/v1/me", headers=header).status_code == 200
    clock.advance(timedelta(seconds=3))
    assert anybody.get("/api/v1/me", headers=header).status_code == 401


def test_a_search_is_use(services, home, clock, anybody):
    opened(services, home, anybody)
    for _ in range(3):
        clock.advance(IDLE / 2)
        assert anybody.get("/api/v1/me", headers={"hx-request": "true", "hx-target": "main"}).status_code == 200


def test_logging_out_ends_the_session(services, home, anybody):
    opened(services, home, anybody)
    session = dict(anybody.cookies)
    assert anybody.post("/logout", headers=our_page(anybody)).status_code == 303
    anybody.cookies.update(session)
    assert anybody.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "http://evil.example",
        "http://127.0.0.1:8401",
        "http://127.0.0.1:8400.evil.example",
        "http://[",
    ],
)
def test_a_session_acts_from_our_own_pages_only(services, home, anybody, origin):
    opened(services, home, anybody)
    headers = our_page(anybody) | {"origin": origin or ""}
    if origin is None:
        del headers["origin"]
    answer = anybody.post("/api/v1/links", headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.json()["detail"]


def test_a_session_acts_from_our_own_page(services, home, anybody):
    opened(services, home, anybody)
    assert anybody.post("/api/v1/links", headers=our_page(anybody)).status_code == 201


@pytest.mark.parametrize("header", ["Basic abc", "Bearer wrong", "Bearer", "token", "Bearer " + "x" * 5000])
def test_other_credentials_are_turned_away(anybody, header):
    assert anybody.get("/api/v1/me", headers={"authorization": header}).status_code == 401


# Removal


def removed(services, home, role=Role.ENGINEER, **more):
    return services.identity.remove(home.people[role].id, by=home.actor(), left_at=None, reason="left", **more)


def test_a_removed_person_is_refused_at_once(services, home):
    with home.http(services, Role.ENGINEER) as http:
        assert http.get("/api/v1/me").status_code == 200
        removed(services, home)
        assert http.get("/api/v1/me").status_code == 401


def test_a_removed_persons_session_and_link_are_refused_at_once(services, home, anybody):
    engineer = home.actor(Role.ENGINEER)
    anybody.get("/login", params={"token": services.identity.issue_link(engineer)})
    assert anybody.get("/api/v1/me").status_code == 200
    removed(services, home)
    assert anybody.get("/api/v1/me").status_code == 401


@pytest.mark.sqlite
def test_a_person_is_removed_while_the_database_is_locked(services, home):
    services.database._engine.dispose()

    event.listen(services.database._engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=50"))
    locker = sqlite3.connect(home.path / "ringfence.db", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    with home.http(services, Role.ENGINEER) as http:
        assert removed(services, home).stage.value == "journalled"
        assert http.get("/api/v1/me").status_code == 401
        locker.close()
        assert http.get("/api/v1/me").status_code == 401
    services.replay_journals()
    services.identity.record_register(TENANT)
    records = {record.id: record for record in services.identity.register(TENANT)}
    assert records[home.people[Role.ENGINEER].id].removed_at == services.clock.now()


def test_nobody_removes_themselves(services, home):
    with pytest.raises(Refused):
        removed(services, home, Role.OWNER)
