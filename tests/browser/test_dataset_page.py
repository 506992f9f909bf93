"""The page of a dataset: pictures, violations, nothing sideways, words beside every colour, keys from row to row."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from ringfence.artifacts import statements as datasets
from ringfence.artifacts.model import Custody, DatasetName
from ringfence.kernel.actor import Role
from ringfence.server import create_app
from ringfence.testing.artifacts import sealed_in_memory
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.home import TENANT, make, signed
from ringfence.testing.screened import looked_at

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
NAME = DatasetName("letters-of-customers")


def sealed(services, home, epoch):
    made = sealed_in_memory({"a": b"x" * epoch}, epoch=epoch)
    draft = datasets.sealed(made.seal, made.digest, Custody.EXTERNAL, NAME)
    posted = signed(services, home.people[Role.ENGINEER], draft)
    return services.artifacts.seal(home.actor(Role.ENGINEER), NAME, *posted)[0]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = make(tmp_path_factory.mktemp("dataset") / "home", FakeClock())
    with home.services(FakeClock()) as services:
        first = sealed(services, home, 1)
        looked_at(services, home, first)
        sealed(services, home, 2)
        services.ledger.integrate()
        app = create_app(services)
        app.state.door = OpenDoor(TENANT)
        with served(app) as there:
            yield f"{there}/data/datasets/{first.dataset}"


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_a_dataset_is_shown_with_what_was_found_of_each_epoch(tab, address, pictures, view):
    tab.goto(address)
    tab.screenshot(path=pictures / f"dataset-{view}.png", full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    assert tab.locator("#live h2").all_inner_texts() == ["Epoch 2", "Epoch 1"]
    rows = tab.locator("tbody tr").all_inner_texts()
    assert len(rows) == 11
    assert sum("failed" in row for row in rows) == sum("did not run" in row for row in rows) == 1
    assert "Nobody stated a check of this epoch" in tab.locator("#live section").first.inner_text()
    assert "76 of 80 planted cases found" in tab.locator("#live section").last.inner_text()
    violations = Axe().run(tab)
    assert violations.violations_count == 0, violations.generate_report()


def test_keys_lead_from_the_list_to_the_page_and_on_to_the_control(tab, address):
    tab.goto(address.rpartition("/datasets/")[0])
    tab.get_by_role("link", name=NAME).focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/data/datasets/*")
    assert "ringfence dataset show letters-of-customers" in tab.locator("footer").inner_text()
    tab.get_by_role("link", name="DAT-04").first.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/controls/DAT/DAT-04")
