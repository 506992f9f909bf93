"""The heat map over made-up runs: pictures, violations, nothing sideways, words beside every colour."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from ringfence.kernel.actor import Role
from ringfence.redteam import statements
from ringfence.redteam.model import Outcome
from ringfence.server import create_app
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.home import TENANT, make, signed
from ringfence.testing.redteam import found

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def hit(attempt):
    return Outcome.SUCCESS if attempt.family == "two" and attempt.case.id.endswith(("1", "7")) else Outcome.RESISTED


def stated(services, home):
    """State a gate that passes, one that fails, one of too little, and one of an endpoint that says nothing."""
    runs = [(lambda _: Outcome.RESISTED, 800), (hit, 800), (hit, 40), (lambda _: Outcome.EMPTY, 100)]
    for number, (judge, attempts) in enumerate(runs):
        draft = statements.run(*found(judge, attempts, run=f"{number:016x}", seed=number))
        envelope, opening = signed(services, home.people[Role.ENGINEER], draft)
        services.redteam.state(home.actor(Role.ENGINEER), envelope, opening)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    clock = FakeClock()
    home = make(tmp_path_factory.mktemp("redteam") / "home", clock)
    with home.services(clock) as services:
        stated(services, home)
        app = create_app(services)
        app.state.door = OpenDoor(TENANT)
        with served(app) as there:
            yield there


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_the_heat_map_shows_bounds_with_words(tab, address, pictures, view):
    tab.goto(f"{address}/redteam")
    tab.screenshot(path=pictures / f"redteam-{view}.png", full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    marks = tab.locator(".heat tbody .mark").all_inner_texts()
    assert sorted(marks) == sorted(["pass"] * 3 + ["fail"] * 2 + ["inconclusive"] * 3)
    bounds = tab.locator(".heat tbody b").all_inner_texts()
    assert all(bound.startswith(("ASR ≤ ", "ASR ≥ ", "no bound")) for bound in bounds)
    assert tab.locator(".whisker").count() == 8
    violations = Axe().run(tab)
    assert violations.violations_count == 0, violations.generate_report()
