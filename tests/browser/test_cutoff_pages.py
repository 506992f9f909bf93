"""Nodes, Findings, Incidents and Today over a made-up week of attacks: pictures, violations, keyboard, live parts."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from ringfence.installation import SystemClock
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import served
from ringfence.testing.home import make
from ringfence.testing.staged import LENGTH, TAKEN, empty, staged

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
# An element that sticks out of the page and cannot be scrolled to, since something around it cuts it off.
STICKS_OUT = """[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1
  && !e.closest('.table, .tail, .sr, .folds thead')).map(e => e.outerHTML.slice(0, 120))"""
LIMIT = 100_000  # bytes of a page


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    clock = FakeClock(SystemClock().now() - LENGTH)
    with staged(make(tmp_path_factory.mktemp("staged") / "home", clock), clock) as made:
        yield made


@pytest.fixture(scope="module")
def address(stage):
    with served(stage.app()) as found:
        yield found


@pytest.fixture(scope="module")
def paths(stage):
    made = {"today": "/", "nodes": "/nodes", "node-cut": "/nodes/honeypot", "node-free": "/nodes/gateway"}
    made |= {"findings": "/findings", "incidents": "/incidents"}
    made |= {f"finding-{name}": f"/findings/{one}" for name, one in stage.findings.items()}
    return made | {f"incident-{name}": f"/incidents/{one}" for name, one in stage.incidents.items()}


NAMES = (
    *("today", "nodes", "node-cut", "node-free", "findings", "finding-hostile", "finding-waiting"),
    *("incidents", "incident-undecided", "incident-late", "incident-closed"),
)


# The narrow view is the light one in another layout; the dark one has colours of its own, and they are few.
RULES = {"light": None, "dark": {"runOnly": ["color-contrast"]}}
DARK = ("today", "node-cut", "findings", "finding-waiting", "incident-late")
NARROW = (*DARK, "finding-hostile", "incidents", "incident-undecided")
SEEN = [(view, name) for view, names in (("light", NAMES), ("dark", DARK), ("narrow", NARROW)) for name in names]


def check(tab, view):
    assert not tab.evaluate(SIDEWAYS)
    assert tab.evaluate(STICKS_OUT) == []
    if view in RULES:
        found = Axe().run(tab, options=RULES[view])
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(("view", "name"), SEEN)
def test_page_has_no_violation_and_nothing_sticks_out(tab, address, paths, pictures, view, name):
    answer = tab.goto(address + paths[name])
    assert (answer.status, len(answer.body()) < LIMIT) == (200, True)
    tab.screenshot(path=pictures / f"cut-{name}-{view}.png", full_page=True)
    expect(tab.locator("h1")).to_contain_text("?")
    expect(tab.locator(".foot code")).to_contain_text("ringfence ")
    check(tab, view)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory):
    clock = FakeClock(SystemClock().now())
    with empty(make(tmp_path_factory.mktemp("empty") / "home", clock), clock) as made, served(made.app()) as found:
        yield found


@pytest.mark.parametrize(
    ("page", "command"),
    [("nodes", "node start"), ("findings", "events ingest"), ("incidents", "incident declare")],
)
def test_an_empty_page_teaches_how_to_fill_it(tab, nothing, pictures, view, page, command):
    tab.goto(f"{nothing}/{page}")
    tab.screenshot(path=pictures / f"cut-empty-{page}.png", full_page=True)
    expect(tab.locator(".empty code")).to_contain_text(f"ringfence {command}")
    check(tab, view)


def test_today_says_that_nothing_waits_only_where_nothing_does(tab, nothing, address):
    tab.goto(nothing)
    expect(tab.locator("main")).to_contain_text("Nothing: no clock runs")
    tab.goto(address)
    expect(tab.locator("[aria-labelledby=waiting] .waits")).to_contain_text("honeypot is cut off")
    expect(tab.locator("[aria-labelledby=waiting] .waits")).to_contain_text("alerts are not sent yet")
    expect(tab.locator(".bar .clocks")).to_contain_text("late")


def test_a_proof_is_checked_wherever_a_statement_is_named(tab, address, paths):
    for name in ("node-cut", "finding-hostile", "incident-late"):
        tab.goto(address + paths[name])
        tab.locator("[data-check]").first.click()
        expect(tab.locator(".chip[data-verdict=verified]").first).to_be_visible()


def test_hostile_text_stays_text(tab, address, paths):
    for name in ("finding-hostile", "incident-undecided", "today", "findings", "incidents"):
        tab.goto(address + paths[name])
        assert tab.locator("main script").count() == 0
        assert "\u202e" not in tab.content()
        assert "\x1b" not in tab.content()


def tabbed_to(tab, place, most=12):
    for _ in range(most):
        tab.keyboard.press("Tab")
        if place.evaluate("e => e === document.activeElement"):
            break
    expect(place).to_be_focused()


@pytest.mark.parametrize("page", ["nodes", "findings", "incidents"])
def test_by_keyboard_from_the_rail_to_a_row_and_into_it(tab, address, page):
    tab.goto(address)
    tabbed_to(tab, tab.locator(f".rail a[href='/{page}']"))
    tab.keyboard.press("Enter")
    expect(tab).to_have_url(f"{address}/{page}")
    for key in "jjk":
        tab.keyboard.press(key)
    link = tab.locator("[data-row] a").first
    expect(link).to_be_focused()
    wanted = link.get_attribute("href")
    tab.keyboard.press("Enter")
    expect(tab).to_have_url(address + wanted)
    expect(tab.locator(f".crumb a[href='/{page}']")).to_be_visible()


def test_the_triage_form_makes_the_command_by_keyboard_alone(tab, address, paths):
    tab.goto(address + paths["incident-undecided"])
    tab.locator("input[name=criterion]").first.focus()
    tab.keyboard.press("Space")
    tab.locator("input[value=significant]").focus()
    tab.keyboard.press("Space")
    tabbed_to(tab, tab.get_by_label("Reason"))
    tab.keyboard.type("data was read; it's ours")
    tab.keyboard.press("Enter")
    expect(tab.locator("form code").first).to_contain_text("ringfence incident triage i-")
    expect(tab.locator("form code").first).to_contain_text("--significant --criteria")
    assert "--reason 'data was read; it'\"'\"'s ours'" in tab.locator("form code").first.inner_text()


class TestWithoutJavaScript:
    @pytest.fixture
    def tab(self, browser):
        context = browser.new_context(java_script_enabled=False, viewport={"width": 1000, "height": 700})
        yield context.new_page()
        context.close()

    def test_every_page_reads_and_its_rows_open(self, tab, address, paths):
        for name in ("today", "incident-late"):
            tab.goto(address + paths[name])
            expect(tab.locator("h1")).to_contain_text("?")
        for name in ("nodes", "findings", "incidents"):
            tab.goto(address + paths[name])
            tab.locator("[data-row] a").first.click()
            expect(tab.locator(".crumb")).to_be_visible()

    def test_the_form_makes_the_command(self, tab, address, paths):
        tab.goto(address + paths["incident-undecided"])
        tab.get_by_label("not significant").check()
        tab.get_by_label("Reason").fill("a drill")
        tab.get_by_role("button", name="Make the command to sign").click()
        expect(tab.locator("form code").first).to_contain_text("--not-significant --reason 'a drill'")


def test_pages_change_by_themselves_and_keep_the_place_of_the_reader(browser, tmp_path):
    clock = FakeClock(SystemClock().now() - LENGTH)
    with staged(make(tmp_path / "home", clock), clock) as stage, served(stage.app()) as found:
        context = browser.new_context()
        tab = context.new_page()
        tab.goto(f"{found}/findings")
        waits = tab.locator("[data-row]").first
        expect(waits).to_contain_text("a person decides")
        tab.keyboard.press("j")
        held = tab.locator("[data-row] a").first.get_attribute("href")
        gateway = stage.services.cutoff.compute.node("main", "gateway")
        stage.see(TAKEN, gateway, "203.0.113.200")
        stage.services.ledger.integrate()
        expect(tab.locator("[data-row]", has_text="203.0.113.200")).to_be_visible()
        assert tab.evaluate("document.activeElement.getAttribute('href')") == held
        reference = stage.findings["waiting"]
        tab.goto(f"{found}/findings/{reference}")
        expect(tab.locator("#person")).to_be_visible()
        stage.services.cutoff.watch.settle(stage.home.actor(), reference, "cut off by hand")
        expect(tab.locator("#person")).to_have_count(0)
        expect(tab.locator(".chain").first).to_contain_text("cut off by hand")
        context.close()
