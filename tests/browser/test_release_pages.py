"""The page of released keys: pictures, violations, nothing sideways, and kinds of proof that never look alike."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from ringfence.installation import SystemClock
from ringfence.kernel.errors import Refused
from ringfence.server import create_app
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.home import TENANT, make
from ringfence.testing.releases import Ground
from ringfence.testing.staged import empty

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """One key that was released, and one request that no rule permits."""
    clock = SystemClock()  # the broker is a process and has that of the machine
    with empty(make(tmp_path_factory.mktemp("releases") / "home", clock), clock) as stage:
        ground = Ground(stage, clock)
        with pytest.raises(Refused):
            ground.ask()
        ground.allow()
        ground.ask()
        app = create_app(stage.services)
        app.state.door = OpenDoor(TENANT)
        with served(app) as there:
            yield there


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_the_page_is_readable(tab, address, pictures, view):
    tab.goto(f"{address}/releases")
    tab.screenshot(path=pictures / f"releases-{view}.png", full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    found = Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()


def test_a_device_and_a_place_are_told_apart_and_a_denial_says_why(tab, address):
    tab.goto(f"{address}/releases")
    row = tab.locator("section[aria-labelledby=leases] tbody tr").first
    assert row.locator("td[data-word=Device] .mark").count() == 1
    assert row.locator("td[data-word=Place] .mark").count() == 0  # nobody measured where it stands
    assert "nobody says" in row.locator("td[data-word=Place]").inner_text()
    denied = tab.locator("section[aria-labelledby=denials] tbody tr").first.inner_text()
    assert "nobody has said who may get this dataset's key" in denied
