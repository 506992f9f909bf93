"""The Decisions pages: pictures, violations, nothing sideways; the way from a form to the page where it is signed."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from ringfence.kernel.actor import Role
from ringfence.kernel.voting import Choice
from ringfence.obligations.forms import drafting, shelf
from ringfence.server import create_app
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.filled import filled
from ringfence.testing.governing import sitting
from ringfence.testing.home import TENANT, make, signed

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
VIEWS = ("light", "dark", "narrow")


def recorded(services, home, name):
    """Let the owner fill a form."""
    form, day = shelf.form(name), services.clock.now().date()
    draft = drafting.draft(form, filled(form.type, day), TENANT, day)
    services.acting.forms.take(home.actor(), name, *signed(services, home.people[Role.OWNER], draft))


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    """A body of three: one resolution carried against dissent, one open with a vote; what it was told; a course."""
    clock = FakeClock()
    home = make(tmp_path_factory.mktemp("decisions") / "home", clock)
    with home.services(clock) as services:
        body = sitting(services, home, 3)
        clock.advance(timedelta(days=2))
        for name in ("status.report", "training.record"):
            recorded(services, home, name)
        carried = body.put(title="The measures of 2026", records=(3,))
        for member, choice in zip(body.members, (Choice.AGREE, Choice.AGREE, Choice.DISAGREE), strict=True):
            body.vote(carried, member, choice)
        clock.advance(timedelta(hours=3))
        waiting = body.put(title="A second site for backups", text="We approve it.\n<b>At once.</b>", about="BCM-05")
        body.vote(waiting, body.members[1], Choice.ABSTAIN)
        services.ledger.integrate()
        app = create_app(services)
        app.state.door = OpenDoor(TENANT, person=body.members[0].actor)
        with served(app) as address:
            yield address, body, carried, waiting


def looked_at(tab, picture):
    tab.screenshot(path=picture, full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    violations = Axe().run(tab)
    assert violations.violations_count == 0, violations.generate_report()


@pytest.mark.parametrize("view", VIEWS)
def test_it_says_what_waits_what_was_decided_and_what_was_shown(tab, decided, pictures, view):
    address, _, carried, waiting = decided
    tab.goto(f"{address}/decisions")
    looked_at(tab, pictures / f"decisions-{view}.png")
    words = tab.locator("main").inner_text()
    assert "1 resolution open, 1 waiting for your vote" in words
    assert "not a qualified electronic signature (eIDAS 3(12), 25(2))" in words
    assert "computed status of" in words
    tab.goto(f"{address}/decisions/{waiting.id}")
    looked_at(tab, pictures / f"decision-open-{view}.png")
    assert "<b>At once.</b>" in tab.locator("main").inner_text()
    tab.goto(f"{address}/decisions/{carried.id}")
    looked_at(tab, pictures / f"decision-carried-{view}.png")
    assert "why not" in tab.locator("main").inner_text()


def test_the_decision_is_checked_in_this_browser(tab, decided):
    address, *_ = decided
    tab.goto(f"{address}/decisions")
    tab.get_by_role("button", name="Check the proof").click()
    expect(tab.locator(".chip")).to_have_attribute("data-verdict", "verified")


def test_a_vote_is_read_once_more_before_it_is_signed(tab, decided, pictures):
    address, _, _, waiting = decided
    tab.goto(f"{address}/decisions")
    tab.get_by_role("link", name="Read it and vote").click()
    tab.get_by_label("disagree").check()
    tab.get_by_role("button", name="Read it as it will be signed").click()
    expect(tab.locator("main")).to_contain_text("who disagrees says why")
    tab.goto(f"{address}/decisions/{waiting.id}")
    tab.get_by_label("disagree").check()
    tab.get_by_label("In a sentence").fill("The second site is too close.")
    tab.get_by_role("button", name="Read it as it will be signed").click()
    expect(tab.locator("h1")).to_have_text("What do I sign?")
    looked_at(tab, pictures / "decision-sign.png")
    assert str(waiting.opening) in tab.content()


def test_a_resolution_is_put_by_its_form(tab, decided, pictures):
    address, *_ = decided
    tab.goto(f"{address}/decisions")
    tab.locator("summary", has_text="Put something to the body").click()
    tab.get_by_label("Title").fill("Retention of logs")
    tab.get_by_label("control status").check()
    tab.get_by_label("Records").fill("3, 5")
    looked_at(tab, pictures / "decisions-form.png")
    tab.get_by_role("button", name="Read it as it will be signed").click()
    expect(tab.locator("main")).to_contain_text("mgmt.resolution_opened")
    expect(tab.locator("main")).to_contain_text("Retention of logs")
