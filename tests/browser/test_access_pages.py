"""The pages about access: pictures, violations, nothing sideways; their forms do what the API does."""

import json
import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from ringfence.identity.joining.scim import LIST, USER
from ringfence.identity.reviews.model import Decision
from ringfence.identity.reviews.statements import decided
from ringfence.kernel.actor import Role
from ringfence.server import create_app
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import served_at
from ringfence.testing.home import make, signed
from ringfence.testing.tenancy import second

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
PROVIDER = {"issuer": "https://id.example.eu", "clientId": "ringfence", "clientSecret": "x" * 20}
PLACES = ("", "/services", "/reviews", "/tenants", "/import")


def file():
    """A directory's file: one leaves, one moves, one joins, one is called like somebody here."""
    wanted = [
        ("7", "Joining Joan", "engineer"),
        ("8", "A security", "security"),
        ("auditor", "A auditor", "management"),
    ]
    users = [
        {"schemas": [USER], "id": name, "userName": title, "displayName": title, "roles": [{"value": role}]}
        for name, title, role in wanted
    ]
    return json.dumps({"schemas": [LIST], "Resources": users})


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A tenant with services in every state, a review that is half done, linked names, and another tenant."""
    clock = FakeClock()
    home = make(tmp_path_factory.mktemp("access") / "home", clock)
    provider = home.path / "oidc.json"
    with home.services(clock) as services:
        access, owner = services.access, home.actor()
        second(services, home)
        accounts = access.accounts
        accounts.enrol(owner, "a build server that has a long name", Role.ENGINEER, frozenset({"dataset.read"}), 9)
        used = accounts.enrol(owner, "log collector", Role.SECURITY, frozenset({"event.ingest", "record.collect"}), 90)
        accounts.authenticate(used.secret)
        gone = accounts.enrol(owner, "old scanner", Role.SECURITY, frozenset({"finding.read"}), 90)
        accounts.revoke(owner, gone.account.id, "key-leaked")
        for role in (Role.AUDITOR, Role.ENGINEER):
            access.federation.link(owner, home.people[role].id, "hr", role.value)
        access.federation.link(owner, home.people[Role.AUDITOR].id, "https://id.example.eu/realms/everybody", "2482897")
        services.identity.remove(home.people[Role.VENDOR].id, by=owner, left_at=None, reason="left")
        review = access.reviews.start(owner, 14)
        envelope, _ = signed(
            services, home.people[Role.OWNER], decided(review.id, home.people[Role.ENGINEER].id, Decision.CONFIRMED)
        )
        access.reviews.decide(owner, review.id, envelope)
        clock.advance(timedelta(days=3))
        with served_at(lambda address: create_app(services, console=address)) as address:
            provider.write_text(json.dumps(PROVIDER | {"console": "https://console.example.eu"}))
            provider.chmod(0o600)
            yield services, home, address, review


@pytest.fixture
def tab(context):
    """A tab that fails the test when the page throws, breaks its own policy or asks another host."""
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(f"thrown: {error}"))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("request", lambda sent: None if "://localhost:" in sent.url else wrong.append(f"asked {sent.url}"))
    yield page
    assert wrong == []


@pytest.fixture
def inside(tab, stage):
    """A tab of the owner."""
    services, home, address, _ = stage
    tab.goto(f"{address}/login?token={services.identity.issue_link(home.actor())}")
    return tab


def judged(tab, pictures, name):
    tab.evaluate("scrollTo(0, 0)")
    tab.screenshot(path=pictures / f"{name}.png", full_page=True)
    wrong = "scrolls sideways " if tab.evaluate(SIDEWAYS) else ""
    found = Axe().run(tab)
    return wrong + (found.generate_report() if found.violations_count else "")


@pytest.mark.parametrize(
    "view", [pytest.param(view, marks=pytest.mark.soak) for view in ("light", "dark")] + ["narrow"]
)
def test_the_pages_have_no_violation_and_never_scroll_sideways(inside, stage, pictures, view):
    *_, address, review = stage
    found = {}
    for place in (*PLACES, f"/reviews/{review.id}"):
        inside.goto(f"{address}/access{place}")
        for one in inside.locator("main details > summary").all()[:1]:
            one.click()
        name = place.split("/")[1] if place else "people"
        found[place] = judged(inside, pictures, f"access-{name if place.count('/') < 2 else 'review'}-{view}")
    inside.goto(f"{address}/access/import")
    inside.get_by_label("Directory").fill("hr")
    inside.locator("#pick").set_input_files(
        {"name": "p.json", "mimeType": "application/json", "buffer": file().encode()}
    )
    expect(inside.locator("textarea")).to_have_value(re.compile("Joining Joan"))
    inside.get_by_role("button", name="Show what it would change").click()
    expect(inside.locator(".lead")).to_contain_text("proposes 1 leaver, 1 other role and 1 joiner")
    found["proposal"] = judged(inside, pictures, f"access-proposal-{view}")
    inside.context.clear_cookies()
    inside.goto(f"{address}/login")
    expect(inside.get_by_role("link", name="Sign in at id.example.eu")).to_have_attribute("href", "/login/oidc")
    found["login"] = judged(inside, pictures, f"access-login-{view}")
    assert found == dict.fromkeys(found, "")


def test_a_key_is_shown_once_and_revoked_by_its_form(inside, stage):
    services, _, address, _ = stage
    inside.goto(f"{address}/access/services")
    inside.get_by_label("Name").fill("scheduler")
    inside.get_by_label("retention.read").check()
    inside.get_by_label("status.read").check()
    inside.get_by_role("button", name="Issue the key").click()
    secret = inside.get_by_role("status").filter(has_text="The key of scheduler").locator("code").first.inner_text()
    found = services.access.accounts.authenticate(secret)
    assert found.scope == {"retention.read", "status.read"}
    inside.goto(f"{address}/access/services")
    assert secret not in inside.content()
    row = inside.get_by_role("row", name=re.compile("scheduler"))
    row.get_by_role("button", name="Revoke").click()
    expect(inside.get_by_role("row", name=re.compile("scheduler"))).to_be_hidden()
    assert found.id not in {one.id for one in services.access.accounts.in_force("main")}


def test_what_is_pressed_is_what_is_signed(inside, stage):
    """Two buttons of one form: the pressed one says what the page of the act shows."""
    *_, address, review = stage
    for verb, decision in (("Keep", "confirmed"), ("Remove", "removed")):
        inside.goto(f"{address}/access/reviews/{review.id}")
        inside.get_by_role("button", name=f"{verb} the access of A auditor").click()
        expect(inside.locator("h1")).to_have_text("What do I sign?")
        expect(inside.locator(".facts")).to_contain_text(decision)
    assert inside.get_by_role("button", name="the access of A owner").count() == 0  # nobody reviews themselves
