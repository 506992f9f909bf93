"""A real browser in a real home: the wizard by keyboard alone, answers while typing, a scope signed by passkey."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from ringfence.installation import SystemClock
from ringfence.kernel.actor import Role
from ringfence.obligations.scope import rules
from ringfence.server import create_app
from ringfence.testing.console import served_at
from ringfence.testing.home import TENANT, make, signed

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
FOCUSED = "document.activeElement.textContent.trim()"
MOST_STEPS = 150  # Tab presses from the top of the wizard to its last button


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    clock = SystemClock()
    home = make(tmp_path_factory.mktemp("scope") / "home", clock)
    with home.services(clock) as services, served_at(lambda at: create_app(services, console=at)) as address:
        yield home, services, address.replace("localhost", "127.0.0.1")


@pytest.fixture
def inside(opened, tab):
    home, services, address = opened
    tab.goto(f"{address}/login?token={services.identity.issue_link(home.actor(Role.OWNER))}")
    return tab


def looked_at(tab, picture):
    tab.screenshot(path=picture, full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    found = Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()


def to_the_button(tab, words):
    for _ in range(MOST_STEPS):
        tab.keyboard.press("Tab")
        if tab.evaluate(FOCUSED) == words:
            tab.keyboard.press("Enter")
            return
    pytest.fail(f"{words!r} is not reached by keyboard")


def test_by_keyboard_alone_and_without_any_answer_there_is_a_result(opened, inside):
    _, _, address = opened
    inside.goto(f"{address}/scope/wizard")
    to_the_button(inside, "See the result")
    expect(inside.locator("h1")).to_have_text("What does that come to?")
    expect(inside.get_by_role("button", name="Sign this scope")).to_be_visible()


def test_the_answer_is_recomputed_while_somebody_types(opened, inside):
    _, _, address = opened
    inside.goto(f"{address}/scope/wizard")
    inside.get_by_label("2. Country of the main").focus()
    inside.keyboard.type("Germany")
    inside.get_by_label("hosted inference").focus()
    inside.keyboard.press("Space")
    inside.get_by_label("Has an authority").select_option("none")
    inside.get_by_label("4. Staff").fill("60")
    beside = inside.locator("#answer")
    expect(beside).to_contain_text("essential or important or out of scope")
    inside.get_by_label("Did the accounting period").select_option("same_class")  # a question that came up just now
    inside.get_by_label("Linked or partner").select_option("no")
    inside.get_by_label("Your own turnover").fill("9 000 000")
    inside.get_by_label("Your own balance").press_sequentially("6000000")
    expect(beside).to_contain_text("important, NIS2 3(2), Annex I.8, 6(30)")
    assert inside.evaluate("document.activeElement.name") == "balance"  # nobody's cursor was taken away
    inside.locator("#effects-of-staff summary").click()
    expect(inside.locator("#effect-staff")).to_contain_text("250 or more: NIS2: essential")
    assert inside.locator("input[type=text], input:not([type])").count() <= 14


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_pages_have_no_violation_and_never_scroll_sideways(opened, inside, pictures, view):
    home, services, address = opened
    for profile in (rules.sample(), rules.sample().replace("staff: 60", "staff: 600")):
        posted = signed(services, home.people[Role.OWNER], services.scopes.drafted(TENANT, profile)[1][0])
        services.scopes.take(home.actor(), "scope", *posted)
        services.ledger.integrate()
    inside.goto(f"{address}/scope")
    expect(inside.locator(".chip[data-verdict=verified]")).to_be_visible()
    looked_at(inside, pictures / f"scope-{view}.png")
    inside.goto(f"{address}/scope/wizard")
    inside.get_by_label("Linked or partner").select_option("yes")
    inside.get_by_label("healthcare providers", exact=True).check()
    inside.get_by_label("is a medical device").check()
    inside.locator("[name='s0.shipped']").select_option("yes")
    expect(inside.get_by_label("Its core function")).to_be_visible()
    looked_at(inside, pictures / f"scope-wizard-{view}.png")
    inside.get_by_role("button", name="See the result").click()
    expect(inside.locator("h1")).to_have_text("What does that come to?")
    looked_at(inside, pictures / f"scope-result-{view}.png")


def test_a_scope_is_prepared_for_its_signature(opened, inside):
    _, _, address = opened
    inside.goto(f"{address}/scope")
    inside.get_by_label("The organisation file").fill(rules.sample())
    inside.get_by_role("button", name="See what it comes to").click()
    inside.get_by_role("button", name="Sign this scope").click()
    expect(inside.locator("h1")).to_have_text("What do I sign?")
    assert re.search(r"/sign/act-[0-9a-f]{32}$", inside.url)
