"""The forms of the pages about access: the same use cases as the API's, for whom the policies permit them."""

import json
import re
from datetime import timedelta

import pytest
from fastapi import FastAPI

from ringfence.admission import FrontDoor
from ringfence.frontends import http, page
from ringfence.frontends.page import Pages
from ringfence.identity import entry
from ringfence.identity.joining.scim import LIST, USER
from ringfence.identity.signin import entrance
from ringfence.identity.signin.service import owner_of
from ringfence.kernel.actor import Role
from ringfence.testing.authenticator import Authenticator
from ringfence.testing.counting import plain
from ringfence.testing.home import TENANT
from ringfence.testing.signin import SITE, enrol
from ringfence.testing.tenancy import second

HTML = {"accept": "text/html"}


@pytest.fixture
def app(services):
    """The pages about access and the entrance, behind the real door; all of the app is in the matrix."""
    made = FastAPI()
    made.state.door = FrontDoor(services.identity, services.signin, services.access.accounts)
    made.state.pages = pages = Pages(services.clock, elsewhere=lambda: entry.provider_of(services.access))
    http.install(made)
    page.install(made)
    beside = entry.Beside(services.acting.prepare, services.holdings)
    made.include_router(entry.pages_about_access(services.access, services.identity, services.signin, pages, beside))
    made.include_router(entrance.router(services.identity, services.signin, pages, SITE))
    return made


@pytest.fixture
def owner(services, home, app):
    with home.http(services, app=app) as client:
        yield client


def shown(client, path=""):
    answer = client.get(f"/access{path}", headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


def post(client, path, **fields):
    return client.post(f"/access{path}", data=fields)


def file(**roles):
    users = [{"schemas": [USER], "id": id_, "userName": id_, "roles": [{"value": role}]} for id_, role in roles.items()]
    return json.dumps({"schemas": [LIST], "Resources": users})


def predicates(services):
    services.ledger.integrate()
    return [one.envelope.statement.predicate for one in services.ledger.statements(TENANT)]


def roles(services):
    return {one.id: one.role for one in services.identity.register(TENANT) if one.removed_at is None}


def test_people_are_linked_moved_and_removed(services, home, owner):
    engineer, auditor = home.people[Role.ENGINEER].id, home.people[Role.AUDITOR].id
    assert post(owner, f"/people/{engineer}/names", source="https://id.example", subject="77").status_code == 303
    assert "https://id.example" in shown(owner)
    assert post(owner, "/names/unlink", source="https://id.example", subject="77").status_code == 303
    assert "https://id.example" not in shown(owner)
    assert post(owner, f"/people/{auditor}/role", role="management").status_code == 303
    assert roles(services)[auditor] is Role.MANAGEMENT
    assert post(owner, f"/people/{auditor}/role", role="owner").status_code == 403
    assert post(owner, f"/people/{engineer}/remove", reason="left").status_code == 303
    assert engineer not in roles(services)
    assert "1 whose access ended" in plain(shown(owner))


def test_names_elsewhere_and_controls_are_for_who_looks_after_people(services, home, owner, app):
    post(owner, f"/people/{home.people[Role.ENGINEER].id}/names", source="hr", subject="zebra-7")
    for role, sees in ((Role.AUDITOR, False), (Role.SECURITY, False), (Role.OWNER, True)):
        with home.http(services, role, app=app) as client:
            text = shown(client)
            assert ("zebra-7" in text) is sees
            assert ("End the access" in text) is (role is not Role.AUDITOR)
            assert ("Issue the key" in shown(client, "/services")) is sees
            assert ("Begin a review" in shown(client, "/reviews")) is (role is not Role.AUDITOR)


def test_somebody_with_a_passkey_confirms_each_of_it(services, home, owner):
    enrol(services.signin, Authenticator(SITE.origin), owner_of(home.actor()), SITE)
    before, engineer = predicates(services), home.people[Role.ENGINEER].id
    for path, fields in (
        ("/services", {"name": "x", "role": "security", "days": "9", "scope": "event.ingest"}),
        (f"/people/{engineer}/names", {"source": "hr", "subject": "7"}),
        (f"/people/{engineer}/remove", {"reason": "left"}),
        (f"/people/{engineer}/reset", {}),
        (f"/people/{engineer}/role", {"role": "auditor"}),
        ("/reviews", {"days": "9"}),
        ("/import", {"source": "hr", "file": file()}),
    ):
        answer = post(owner, path, **fields)
        assert answer.json()["type"] == "urn:ringfence:problem:step-up-required", path
    assert predicates(services) == before


def test_a_key_stands_in_one_answer_and_nowhere_else(services, owner):
    wanted = {"name": "collector", "role": "security", "days": "9", "scope": ["event.ingest", "record.collect"]}
    answer = owner.post("/access/services", data=wanted)
    (secret,) = re.findall(r"<code>(rfs-[^<]+)</code>", answer.text)
    assert answer.headers["cache-control"] == "no-store"
    service = services.access.accounts.authenticate(secret)
    assert service.scope == {"event.ingest", "record.collect"}
    assert secret not in shown(owner, "/services")
    assert post(owner, f"/services/{service.id}/revoke", reason="key-leaked").status_code == 303
    assert services.access.accounts.in_force(TENANT) == []
    too_much = post(owner, "/services", name="x", role="auditor", days="9", scope="event.ingest")
    assert "does not permit event.ingest" in too_much.text
    assert post(owner, "/services", name="x", role="auditor", days="9").status_code == 422


def test_only_those_who_were_ticked_are_changed(services, home, owner):
    for role in (Role.ENGINEER, Role.AUDITOR, Role.MANAGEMENT):
        post(owner, f"/people/{home.people[role].id}/names", source="hr", subject=role.value)
    data = file(auditor="security")  # two leave, one moves
    seen = post(owner, "/import", source="hr", file=data).text
    assert "2 leavers, 1 other role" in seen
    (proposal,) = re.findall(r'name="proposal" value="(sha256:[0-9a-f]{64})"', seen)
    before, engineer = roles(services), home.people[Role.ENGINEER].id
    sent = {"source": "hr", "file": data, "proposal": proposal}
    assert post(owner, "/import/apply", **sent).status_code == 422  # nobody was ticked
    stranger = home.people[Role.SECURITY].id
    assert post(owner, "/import/apply", **sent, person=stranger).status_code == 422
    assert roles(services) == before
    assert post(owner, "/import/apply", **sent, person=engineer).status_code == 303
    assert roles(services) == {one: role for one, role in before.items() if one != engineer}
    services.ledger.integrate()
    (stated,) = services.ledger.statements(TENANT, ("access.imported",))
    assert (stated.envelope.statement.claims["leavers"], stated.envelope.statement.claims["roleChanges"]) == (1, 0)
    assert post(owner, "/import/apply", **sent, person=engineer).status_code == 409  # another proposal by now
    assert "1 leaver, 1 other role" in post(owner, "/import", source="hr", file=data).text


def test_a_review_is_begun_decided_and_closed(services, home, owner):
    begun = post(owner, "/reviews", days="14")
    assert begun.status_code == 303
    path = begun.headers["location"].removeprefix("/access")
    engineer, myself = home.people[Role.ENGINEER].id, home.people[Role.OWNER].id
    act = post(owner, f"{path}/decide", subject=engineer, decision="removed")
    assert act.headers["location"].startswith("/sign/act-")
    assert services.access.reviews.all(TENANT)[0].count(None) == len(roles(services))  # nothing is decided unsigned
    assert post(owner, f"{path}/decide", subject=myself, decision="confirmed").status_code == 403
    assert post(owner, f"{path}/decide", subject="person-ffffffffffff", decision="confirmed").status_code == 404
    assert post(owner, f"{path}/close").status_code == 303
    text = shown(owner, path)
    assert "nobody decided about" in text
    assert "Remove" not in text
    assert post(owner, f"{path}/decide", subject=engineer, decision="removed").status_code == 409


def test_time_that_is_up_is_said(clock, owner):
    path = post(owner, "/reviews", days="1").headers["location"].removeprefix("/access")
    assert "When time is up nobody loses access" in shown(owner, path)
    clock.advance(timedelta(days=1, seconds=1))
    assert "Time is up." in shown(owner, path)
    assert "overdue" in shown(owner, "/reviews")


def test_a_tenant_sees_its_own_counts_and_who_looks_after_the_rest_their_names_only(services, home, owner, app):
    other = second(services, home)
    assert "What main holds" in shown(owner, "/tenants")
    assert "<span>other</span>" in shown(owner, "/tenants")
    with home.http(services, Role.AUDITOR, app=app) as auditor:
        assert "<span>other</span>" not in shown(auditor, "/tenants")
    with other.http(services, app=app) as theirs:
        text = shown(theirs, "/tenants")
        assert "What other holds" in text
        assert "tenant add" not in text


def test_signing_in_elsewhere_is_offered_where_a_provider_is_set_up(services, home, app):
    with home.http(services, role=None, app=app) as client:
        assert "Sign in elsewhere" not in client.get("/login").text
        provider = home.path / "oidc.json"
        provider.write_text("{")
        provider.chmod(0o600)
        assert client.get("/login").status_code == 200  # a wrong file shuts nobody out
        document = {"issuer": "https://id.example.eu/realm", "clientId": "rf", "console": "https://console.example.eu"}
        provider.write_text(json.dumps(document))
        assert 'href="/login/oidc">Sign in at id.example.eu' in client.get("/login").text
        assert 'href="/login/oidc?tenant=acme">' in client.get("/login?tenant=acme").text
        assert "evil" not in client.get('/login?tenant="><script>evil').text


def test_what_is_left_out_is_asked_for_in_a_sentence(home, owner):
    person = home.people[Role.ENGINEER].id
    for path, fields, said in (
        ("/services", {"role": "security", "days": "9", "scope": "event.ingest"}, "a name has 1 to 200"),
        ("/services", {"name": "x", "role": "security", "days": "9"}, "a scope is one to 32"),
        ("/import", {"source": "Our HR", "file": file()}, "a directory&#39;s short name"),
        ("/import", {"source": "hr", "file": " "}, "pick the directory&#39;s file"),
        (f"/people/{person}/names", {"source": "hr"}, "a subject has 1 to 255"),
    ):
        answer = owner.post(f"/access{path}", data=fields, headers=HTML)
        assert (answer.status_code, said in answer.text) == (422, True), answer.text
