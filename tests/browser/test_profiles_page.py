"""The pages of profiles and overrides: pictures, violations, nothing sideways; what is signed is what is shown."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from ringfence.obligations.profile import SELECTED
from ringfence.server import create_app
from ringfence.testing.choices import ASIDE, FRANKER, SHORTER, override, select, set_aside
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.home import TENANT, make

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
OTHER = ASIDE.replace("SEC-10", "SEC-09")
CONFLICT = ASIDE.replace("SEC-10", "BCM-04")


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A team with a profile, and files of which one row is signed and two are not."""
    home = make(tmp_path_factory.mktemp("profiles") / "home", FakeClock())
    override(home.path, SHORTER.replace("bcm-04.failover", "log-04.test").replace("60", "20"), FRANKER, ASIDE)
    override(home.path, OTHER, CONFLICT, name="20-more.yaml")
    with home.services(FakeClock()) as services:
        set_aside(services, home, "SEC-10")
        select(services, home, "health")
        app = create_app(services)
        app.state.door = OpenDoor(TENANT)
        with served(app) as there:
            yield there, services


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A team that chose nothing."""
    home = make(tmp_path_factory.mktemp("bare") / "home", FakeClock())
    with home.services(FakeClock()) as services:
        app = create_app(services)
        app.state.door = OpenDoor(TENANT)
        with served(app) as there:
            yield there


def looked_at(tab, pictures, name, view):
    tab.screenshot(path=pictures / f"{name}-{view}.png", full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    violations = Axe().run(tab)
    assert violations.violations_count == 0, violations.generate_report()
    return tab.locator("main").inner_text()


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_the_profiles_stand_side_by_side_with_what_is_not_enforced(tab, opened, pictures, view):
    tab.goto(f"{opened[0]}/profiles")
    tab.get_by_text("Placement: ").click()
    words = looked_at(tab, pictures, "profiles", view)
    assert "In force: health" in words
    assert "chain depth max" in words
    assert "What no code enforces yet" in words


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_the_difference_is_read_before_it_is_signed(tab, opened, pictures, view):
    address, services = opened
    before = len(services.ledger.statements(TENANT, (SELECTED,)))
    tab.goto(f"{address}/profiles?with=manufacturing")
    words = looked_at(tab, pictures, "profiles-difference", view)
    assert "From health to manufacturing" in words
    assert "30 days instead of 92 days" in words
    assert "400 days instead of 1,095 days" in words
    assert "what is older goes with the next sweep" in words
    assert "47 parts, placement of workloads among them" in words
    shown = tab.locator("input[name=difference]").get_attribute("value")
    assert shown == services.profiles.choice(TENANT, "manufacturing").draft.claims["difference"]
    assert len(services.ledger.statements(TENANT, (SELECTED,))) == before


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_overrides_say_what_counts_and_why_not(tab, opened, pictures, view):
    tab.goto(f"{opened[0]}/profiles/overrides")
    words = looked_at(tab, pictures, "overrides", view)
    assert re.search(r"1 control set aside by signed reasons: \d+ of (\d+) satisfied, \d+ of \d+ with", words)
    assert "nobody has signed it: ringfence rules sign SEC-09" in words
    assert "in conflict with the signed profile health" in words
    assert tab.get_by_role("button", name="Sign that SEC-09 does not apply").count() == 1
    assert tab.get_by_role("button", name="Sign that BCM-04 does not apply").count() == 0


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_empty_pages_teach(tab, bare, pictures, view):
    tab.goto(f"{bare}/profiles/overrides")
    assert "No file of yours overrides a rule" in looked_at(tab, pictures, "overrides-empty", view)
    tab.goto(f"{bare}/profiles?with=none")
    assert "nothing would change" in looked_at(tab, pictures, "profiles-none", view)


def test_it_works_without_a_script_up_to_the_page_of_the_signature(browser, opened):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{opened[0]}/profiles")
    page.get_by_label("Show what would change with").select_option("documents")
    page.get_by_role("button", name="Show the difference").click()
    assert "From health to documents" in page.locator("main").inner_text()
    assert page.get_by_role("button", name="Sign this difference").count() == 1
    page.close()


def test_today_counts_what_is_set_aside_in_both_ways(tab, opened):
    tab.goto(opened[0])
    assert "1 set aside by signed reasons; with it" in tab.locator("body").inner_text()
