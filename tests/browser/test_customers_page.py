"""The Customers pages: pictures, violations, nothing sideways; one is entered by the form, a pack is handed out."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from ringfence.customers.answering import NO_EVIDENCE
from ringfence.customers.questions import Pointer, Question
from ringfence.incidents.terms import PROPOSAL
from ringfence.server import create_app
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.customers import packed, two
from ringfence.testing.home import TENANT, make

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A tenant with two customers, one of which was asked and was handed a pack; and one without any."""
    clock = FakeClock()
    home = make(tmp_path_factory.mktemp("customers") / "home", clock)
    with home.services(clock) as services:
        app = create_app(services)
        app.state.door = OpenDoor(TENANT)
        with served(app) as there:
            yield there, home, services


@pytest.fixture(scope="module")
def known(stage):
    there, home, services = stage
    made = two(home, services)
    asked = [Question("1", "?", Pointer(("SEC-01",))), Question("2", "?", Pointer())]
    services.customers.answer(home.actor(), made.hospital, asked, "q.csv")
    packed(home, services, made.hospital)
    services.customers.announce(home.actor(), "Sample Cloud", [made.hospital])
    return there, made


def look(tab, pictures, name):
    tab.screenshot(path=pictures / f"{name}.png", full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    violations = Axe().run(tab)
    assert violations.violations_count == 0, violations.generate_report()
    return tab.locator("main").inner_text()


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_the_list_says_what_is_owed_to_whom(tab, known, pictures, view):
    there, _ = known
    tab.goto(f"{there}/customers")
    words = look(tab, pictures, f"customers-{view}")
    assert "6 hours" in words
    assert PROPOSAL in words
    assert f"2 with {NO_EVIDENCE}" in words


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_a_customer_has_contract_things_controls_and_packs(tab, known, pictures, view):
    there, made = known
    tab.goto(f"{there}/customers/{made.hospital}")
    look(tab, pictures, f"customer-{view}")
    words = tab.locator("main").text_content()
    for said in (
        "C-2026-7",
        "notice of incidents",
        "scans",
        "triage",
        "SUP-02",
        "unknown",
        "no certificate",
        "Sample Cloud",
    ):
        assert said in words
    assert tab.get_by_role("button", name="Make pack").count() == 1


def test_pack_and_leaf_are_handed_out(tab, known):
    there, made = known
    tab.goto(f"{there}/customers/{made.hospital}")
    with tab.expect_download() as download:
        tab.get_by_role("link", name="pack", exact=True).click()
    assert b'"format":"urn:ringfence:pack:v2"' in download.value.path().read_bytes()
    with tab.expect_download() as download:
        tab.get_by_role("link", name="what it is not").click()
    assert b"What this pack is not" in download.value.path().read_bytes()


def test_a_customer_is_entered_by_the_form(tab, stage, pictures):
    there, _, services = stage
    tab.goto(f"{there}/customers")
    if tab.locator("details[open]").count() == 0:
        tab.get_by_text("Enter a customer", exact=True).click()
    tab.get_by_label("Name").fill("Third")
    tab.get_by_label("gdpr controller").check()
    tab.get_by_label("Hours to tell them of an incident").fill("8")
    tab.screenshot(path=pictures / "customers-form.png", full_page=True)
    tab.get_by_role("button", name="Enter this customer").click()
    assert "Third" in tab.locator("h1").inner_text()
    one = next(one for one in services.customers.register(TENANT).current if one.name == "Third")
    assert [str(name) for name in one.regimes] == ["gdpr-controller"]
    services.customers.remove(stage[1].actor(), one.id, "test")


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A tenant without any customer."""
    clock = FakeClock()
    home = make(tmp_path_factory.mktemp("bare") / "home", clock)
    with home.services(clock) as services:
        app = create_app(services)
        app.state.door = OpenDoor(TENANT)
        with served(app) as there:
            yield there


@pytest.mark.parametrize("view", ["light", "narrow"])
def test_an_empty_list_teaches(tab, bare, pictures, view):
    tab.goto(f"{bare}/customers")
    assert "ringfence customer add" in look(tab, pictures, f"customers-empty-{view}")
