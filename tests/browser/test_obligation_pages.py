"""The pages of obligations: pictures in three views, no violation, nothing sideways, every claim opens."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from ringfence.kernel.actor import Role
from ringfence.obligations import edition
from ringfence.server import create_app
from ringfence.testing.assurance import handed_out, telling, waiting_for
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor, served, serving
from ringfence.testing.home import TENANT, make

pytestmark = pytest.mark.browser

PAGES = {
    "control": "/controls/DAT/DAT-01",
    "control-empty": "/controls/SEC/SEC-05",
    "control-past": "/controls/DAT/DAT-01?as_of=2026-11-20T00:00",
    "obligations": "/obligations",
    "obligations-listed": "/obligations?act=NIS2&standing=binding",
    "obligation": "/obligations/nis2-21.2.g",
    "frameworks": "/frameworks",
    "framework": "/frameworks/owasp_llm_2026",
    "framework-beyond": "/frameworks/act-nis2?against=iso_27001_2022",
    "threats": "/threats",
}
REAL = {
    "proof": "/proof",
    "approvals": "/approvals",
    "threats-real": "/threats?ours=true",
    "changes": "/frameworks/changes",
}
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def told():
    with serving(telling()) as address:
        yield address


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A tenant that handed a pack out, seen by somebody of whom a decision and a signature are asked."""
    clock = FakeClock()
    home = make(tmp_path_factory.mktemp("obligations") / "home", clock)
    with home.services(clock) as services:
        handed_out(services, home)
        asked = waiting_for(services, home, Role.SECURITY)
        app = create_app(services)
        app.state.door = OpenDoor(TENANT, person=asked)
        with served(app) as there:
            yield there


def looked_at(tab, address, pictures, name):
    tab.goto(address)
    tab.screenshot(path=pictures / f"{name}.png", full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    found = Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_violation_and_never_scrolls_sideways(tab, told, pictures, view, name):
    looked_at(tab, told + PAGES[name], pictures, f"{name}-{view}")


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
@pytest.mark.parametrize("name", REAL)
def test_page_over_a_real_tenant_has_no_violation_and_never_scrolls_sideways(tab, real, pictures, view, name):
    looked_at(tab, real + REAL[name], pictures, f"{name}-{view}")


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    """An edition of the rules in which one rule asks for less, and one control has another title."""
    known = json.loads(edition.shipped()) | {"version": "sha256:" + "a" * 64}
    rules = known["documents"]["requirements/log.yaml"]["requirements"]
    next(rule for rule in rules if rule["id"] == "log-06.heartbeat")["freshness_days"] = 90
    known["documents"]["controls/log.yaml"]["controls"][0]["title"] = "Another title"
    path = tmp_path_factory.mktemp("editions") / "rules.json"
    path.write_text(json.dumps(known), encoding="utf-8")
    return path


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_rules_of_a_file_are_compared_field_by_field(tab, real, pictures, view, older):
    tab.goto(real + "/frameworks/changes")
    tab.set_input_files("#file", older)
    tab.get_by_role("button", name="Compare").click()
    expect(tab.locator("h2#changed")).to_be_visible()
    rows = tab.locator("[aria-labelledby=changed] tbody tr").all_inner_texts()
    assert ["LOG-01" in rows[0], "log-06.heartbeat" in rows[1], "90 d" in rows[1]] == [True] * 3
    tab.screenshot(path=pictures / f"changes-file-{view}.png", full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    found = Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()


def test_a_file_that_is_none_is_refused_on_the_page(tab, real, tmp_path):
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    tab.goto(real + "/frameworks/changes")
    tab.set_input_files("#file", tmp_path / "other.json")
    tab.get_by_role("button", name="Compare").click()
    expect(tab.get_by_role("alert").filter(has_text="Not compared.")).to_contain_text("no edition of the rules")
