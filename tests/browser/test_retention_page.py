"""The Retention page: pictures, violations, nothing sideways; a hold is placed and released by its forms."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe

from ringfence.kernel.actor import Role
from ringfence.retention.model import Scope
from ringfence.server import create_app
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.home import TENANT, make
from ringfence.testing.retention import told

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A tenant with details that are due, some that are held, and a hold that was released."""
    clock = FakeClock()
    home = make(tmp_path_factory.mktemp("retention") / "home", clock)
    with home.services(clock) as services:
        retention = services.retention
        for case in ("i-00000001", "i-00000001", "i-00000002"):
            told(services, case=case)
        over, _ = retention.place(home.actor(), Scope(family="access"), "a court asked")
        retention.release(home.actor(), over.id, "it is over")
        person = home.people[Role.AUDITOR].id
        retention.place(home.actor(Role.SECURITY), Scope(person, start=clock.now() - DAY), "a court asked")
        retention.place(home.actor(), Scope(incident="i-00000001"), "a court asked")
        clock.advance(1096 * DAY)
        app = create_app(services)
        app.state.door = OpenDoor(TENANT)
        with served(app) as there:
            yield there


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_it_says_what_is_kept_why_and_what_goes_next(tab, address, pictures, view):
    tab.goto(f"{address}/retention")
    tab.locator("details").last.click()
    tab.screenshot(path=pictures / f"retention-{view}.png", full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    words = tab.locator("main").inner_text()
    assert "at least 184 days: AI Act 19(1), 26(6)" in words
    assert "i-00000001" in words
    assert "a court asked" not in words
    assert tab.locator("#holds ~ .table tbody tr").count() == 3
    assert tab.get_by_text("1 go").count() == 1
    violations = Axe().run(tab)
    assert violations.violations_count == 0, violations.generate_report()


def test_details_of_a_record_lead_to_the_page(tab, address, pictures):
    tab.goto(f"{address}/evidence?predicate=lab.observed")
    tab.locator("tbody a").first.click()
    tab.screenshot(path=pictures / "retention-record.png", full_page=True)
    tab.get_by_role("link", name="Retention").last.click()
    assert tab.url.endswith("/retention")
