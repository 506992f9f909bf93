"""Risks, one risk, exceptions with opinions: pictures, violations, nothing sideways, forms that lead to a signature."""

from dataclasses import replace
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe

from ringfence.governance.exceptions import statements as exceptions
from ringfence.governance.exceptions.model import ExceptionId
from ringfence.governance.opinions import statements as opinions
from ringfence.governance.risks import statements as risks
from ringfence.governance.risks.model import Rating, RiskId
from ringfence.governance.risks.statements import Accepting
from ringfence.kernel.actor import Role
from ringfence.server import create_app
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.home import TENANT, make
from ringfence.testing.judging import EXCEPTION, GIVEN, PLAN, RISK, ROW, WANTED, Signers, in_days

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
ENGINEER, SECURITY, MANAGEMENT, AUDITOR = Role.ENGINEER, Role.SECURITY, Role.MANAGEMENT, Role.AUDITOR
SECOND, LATE = RiskId("risk-00000000000b"), ExceptionId("exception-00000000000b")


def told(people, services):
    """Enter a register, except two controls and let an auditor disagree."""
    judged, engineer = services.judgements, people.actor(ENGINEER)
    row = replace(ROW, owner=people.actor(SECURITY).id)
    more = [
        replace(row, id=SECOND, rating=Rating(2, 2), title="A dataset leaks by its statistics", review_on=in_days(3)),
        replace(row, id=RiskId("risk-00000000000c"), rating=Rating(5, 5), title="The one person who knows is ill",
                owner=None, owned=False, threats=(), controls=()),
    ]  # fmt: skip
    judged.risks.register(engineer, *people.file(ENGINEER, risks.registered([row, *more])))
    judged.risks.treat(engineer, RISK, *people.file(ENGINEER, risks.treated(RISK, PLAN)))
    basis = judged.risks.one(TENANT, RISK).basis
    one = Accepting(RISK, basis, PLAN.residual, in_days(200), "Until the new store stands, we bear it.")
    judged.risks.accept(people.actor(MANAGEMENT), RISK, *people.passkey(MANAGEMENT, risks.accepted(one)))
    for name, control, until in ((EXCEPTION, "MOD-01", in_days(90)), (LATE, "LOG-05", in_days(2))):
        wanted = replace(WANTED, id=name, control=control, until=until, owner=engineer.id)
        judged.exceptions.request(engineer, *people.file(ENGINEER, exceptions.requested(wanted)))
    request = judged.exceptions.one(TENANT, LATE).request
    approval = people.passkey(SECURITY, exceptions.approved(LATE, request))[0]
    judged.exceptions.approve(people.actor(SECURITY), LATE, approval)
    people.key(AUDITOR)
    now = judged.opinions.on(TENANT, GIVEN.control)
    given = replace(GIVEN, rules=now.rules, status=now.state)
    judged.opinions.give(people.actor(AUDITOR), *people.passkey(AUDITOR, opinions.given(given)))


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A tenant in which people judged, seen by somebody of the management."""
    clock = FakeClock()
    home = make(tmp_path_factory.mktemp("judged") / "home", clock)
    with home.services(clock) as services:
        told(Signers(services, home), services)
        clock.advance(timedelta(days=5))
        app = create_app(services)
        app.state.door = OpenDoor(TENANT, person=home.actor(MANAGEMENT))
        with served(app) as there:
            yield there


PAGES = {"risks": "/risks", "risk": f"/risks/{RISK}", "exceptions": "/exceptions", "risks-none": "/risks?state=closed"}


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_violation_and_never_scrolls_sideways(tab, address, pictures, view, name):
    tab.goto(address + PAGES[name])
    tab.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
    tab.screenshot(path=pictures / f"{name}-{view}.png", full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    found = Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()


def test_the_heat_map_leads_to_the_risks_of_a_cell(tab, address):
    tab.goto(f"{address}/risks")
    tab.locator(".heat a").first.click()
    assert tab.locator("tbody tr[data-row]").count() == 1
    assert "Weights are taken" in tab.locator("main").inner_text()


def test_what_ran_out_is_shown_expired_and_what_waits_can_be_approved(tab, address):
    tab.goto(f"{address}/exceptions")
    assert "expired" in tab.locator(f"#{LATE}").inner_text()
    tab.get_by_role("button", name="Approve the exception from MOD-01").click()
    tab.wait_for_url("**/sign/act-*")
    assert "You agree to this exception until its end" in tab.locator("main").inner_text()


def test_a_risk_is_entered_on_the_page_that_signs_it(tab, address):
    tab.goto(f"{address}/risks")
    tab.get_by_text("Enter a risk", exact=True).click()
    tab.fill("#new-title", "A key is lost")
    tab.fill("#review_on", "2027-01-31")
    tab.get_by_role("button", name="Sign this risk").click()
    tab.wait_for_url("**/sign/act-*")
    assert "You enter these risks" in tab.locator("main").inner_text()


def test_a_control_shows_what_stands_beside_it(tab, address):
    tab.goto(f"{address}/controls/MOD/MOD-01")
    words = tab.locator("main").inner_text()
    assert "An auditor disagrees with" in words
    assert "Exception asked for by" in words
    assert "Risk rated severe (20)" in words
