"""The pages before a model serves: pictures, violations, nothing sideways, and a waived condition that is not met."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from ringfence.kernel.actor import Role
from ringfence.server import create_app
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.gating import GateLab
from ringfence.testing.home import TENANT, make
from ringfence.testing.models import HOSTILE

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    clock = FakeClock()
    home = make(tmp_path_factory.mktemp("gate") / "home", clock)
    with home.services(clock) as services:
        lab = GateLab(services, home)
        lab.decide(lab.bring(origin="https://models.example/" + "a-long-path/" * 12))
        lab.signed()
        lab.approval(Role.SECURITY)
        lab.gates.state(home.actor(), "tiny")
        for number, data in enumerate((b"other words", HOSTILE["os.system"])):
            lab.files = {"model.txt": data}
            lab.bring(origin=f"disk {number}")
        lab.enforce()
        app = create_app(services)
        app.state.door = OpenDoor(TENANT)
        with served(app) as there:
            yield there


@pytest.mark.parametrize("page", ["intake", "gate"])
@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_the_pages_are_readable(tab, address, pictures, page, view):
    tab.goto(f"{address}/models/{page}")
    tab.screenshot(path=pictures / f"{page}-{view}.png", full_page=True)
    assert Axe().run(tab).violations_count == 0
    assert not tab.evaluate(SIDEWAYS)


def test_what_is_waived_never_looks_as_if_it_were_met(tab, address):
    tab.goto(f"{address}/models/gate")
    rows = {row.locator("td").first.inner_text().split()[0]: row for row in tab.locator("tbody tr").all()}
    data, signed = rows["data"].locator(".mark"), rows["signed"].locator(".mark")
    assert (data.inner_text().strip(), signed.inner_text().strip()) == ("waived", "met")
    assert data.get_attribute("class") != signed.get_attribute("class")


def test_what_waits_stands_on_top_and_says_why_it_cannot_be_accepted(tab, address):
    tab.goto(f"{address}/models/intake")
    states = [mark.inner_text().strip() for mark in tab.locator("tbody td[data-word=State] .mark").all()]
    assert states == ["waiting", "waiting", "accepted"]
