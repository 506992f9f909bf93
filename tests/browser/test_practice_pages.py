"""The page of the attacks in a practice's own console; the way through them is in test_first_ten_minutes.py."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from ringfence.server import create_app
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.home import TENANT, make
from ringfence.testing.staged import empty
from ringfence.workloads.practice import ground

pytestmark = pytest.mark.browser
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A practice with nodes in memory, so that no attack can be played."""
    clock = FakeClock()
    home = make(tmp_path_factory.mktemp("practice") / "home", clock, demo=True, log=ground.origin())
    with empty(home, clock) as stage:
        app = create_app(stage.services)
        app.state.door = OpenDoor(TENANT, person=home.actor())
        with served(app) as there:
            yield there


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_two_attacks_are_offered_in_a_console_that_is_marked_as_demo(tab, address, pictures, view):
    tab.goto(f"{address}/practise")
    tab.screenshot(path=pictures / f"practise-{view}.png", full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    assert tab.get_by_text("Demo: everything in this tenant is made up").is_visible()
    assert tab.get_by_role("button", name="Play").count() == 2  # again, where the test below was first
    found = Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()


def test_why_an_attack_could_not_be_played_stands_beside_it(tab, address, pictures):
    tab.goto(f"{address}/practise")
    tab.get_by_role("button", name="Play attack 1").click()
    expect(tab.locator("[role=alert]:visible")).to_contain_text("the practice does not run", timeout=60_000)
    tab.screenshot(path=pictures / "practise-refused.png", full_page=True)
    found = Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()
