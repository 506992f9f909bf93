"""The Lineage pages: pictures, violations, nothing sideways, a graph that keys can walk, and the same in words."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from ringfence.server import create_app
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.home import TENANT, make
from ringfence.testing.lineage import digest_of, logged_in, whole

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def told():
    tale = whole()
    tale.run("other", ["books", "unknown"], "second", code="none")
    tale.sign("second")
    tale.deploy("attached", "second", basis="declared")
    return tale


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = make(tmp_path_factory.mktemp("lineage") / "home", FakeClock())
    with home.services(FakeClock()) as services:
        logged_in(services, home, told())
        app = create_app(services)
        app.state.door = OpenDoor(TENANT)
        with served(app) as there:
            yield there


PAGES = {
    "survey": "/lineage",
    "deployment": f"/lineage/deployment:{digest_of('small').hex}",
    "gaps": f"/lineage/deployment:{digest_of('attached').hex}",
}


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_shown_without_a_violation(tab, address, pictures, view, page):
    tab.goto(address + PAGES[page])
    tab.screenshot(path=pictures / f"lineage-{page}-{view}.png", full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    violations = Axe().run(tab)
    assert violations.violations_count == 0, violations.generate_report()


def test_what_the_graph_shows_the_table_says(tab, address):
    tab.goto(address + PAGES["deployment"])
    drawn = {one.get_attribute("href") for one in tab.locator(".graph a").all()}
    told = {one.get_attribute("href") for one in tab.locator("#things ~ .table td.about a").all()}
    assert drawn == told
    assert len(drawn) == 6
    assert "Every link down to sealed data" in tab.locator(".lead").first.inner_text()


def test_keys_walk_the_graph(tab, address):
    tab.goto(address + PAGES["deployment"])
    tab.locator(".graph").focus()
    tab.keyboard.press("Tab")
    first = tab.evaluate("document.activeElement.getAttribute('aria-label')")
    assert first.startswith(("dataset ", "model "))
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/lineage/*")
    assert tab.locator("h1").inner_text().startswith(f"Where does this {first.split()[0]} come from")


def test_gaps_are_words_and_lead_to_what_they_are_about(tab, address):
    tab.goto(address + PAGES["survey"])
    marks = {mark.strip() for mark in tab.locator("#gaps ~ .table .mark").all_inner_texts()}
    assert marks == {"input unstated", "code unknown", "digest declared"}
    tab.get_by_label("A name or a digest").fill("attached")
    tab.get_by_role("button", name="Show").click()
    tab.wait_for_url("**/lineage/deployment:*")
    assert tab.locator("#gaps ~ ul .mark").count() == 3
