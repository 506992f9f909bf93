"""The Policies page: what is in force, what is no longer true, and the way to write one."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from ringfence.kernel.actor import Role
from ringfence.obligations.forms import drafting, shelf
from ringfence.obligations.forms.model import Filling
from ringfence.obligations.policies import document
from ringfence.obligations.policies.drafting import claims
from ringfence.server import create_app
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.home import TENANT, make, signed
from ringfence.testing.policies import filled

pytestmark = pytest.mark.browser
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def adopt(services, home, name, by):
    """Sign a version, as `ringfence policy adopt` does."""
    policy, form = document.parse(filled(name, by=by).encode(), source=name), shelf.form("policy.version_signed")
    answers = dict(claims(policy, ())) | {"addressees": 3, "acknowledged": 3, "uncovered": 0}
    files = {n: drafting.attached(n, n.encode(), bytes(32)) for n in ("document", "acknowledgements", "basis")}
    wanted = drafting.draft(form, Filling(answers, "", {}, files), TENANT, services.clock.now().date())
    envelope, opening = signed(services, home.people[Role.OWNER], wanted)
    services.acting.forms.take(home.actor(), form.type, envelope, opening)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A tenant with a policy that holds in part, and one of the management body of which no decision is here."""
    clock = FakeClock()
    home = make(tmp_path_factory.mktemp("policies") / "home", clock)
    with home.services(clock) as services:
        services.collectors["log.heartbeat"](TENANT)
        adopt(services, home, "logging", "accountable-person")
        adopt(services, home, "information-security", "management-body")
        app = create_app(services)
        app.state.door = OpenDoor(TENANT)
        with served(app) as there:
            yield there


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_it_says_what_is_in_force_and_what_is_no_longer_true(tab, address, pictures, view):
    tab.goto(f"{address}/policies")
    tab.screenshot(path=pictures / f"policies-{view}.png", full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    logging = tab.locator("#logging").inner_text()
    assert "contradicted" in logging
    assert "LOG-06 satisfied" in " ".join(logging.split())
    assert "no decision here shows this document" in tab.locator("#information-security").inner_text()
    assert tab.locator("#logging a[href^='/evidence/']").count() == 1
    assert "ringfence policy list" in tab.locator("footer").inner_text()
    violations = Axe().run(tab)
    assert violations.violations_count == 0, violations.generate_report()


def test_a_template_is_a_download(tab, address):
    tab.goto(f"{address}/policies")
    with tab.expect_download() as found:
        tab.locator("#cryptography a[download]").click()
    assert found.value.suggested_filename == "cryptography.md"
