"""Every page as a person sees it: pictures in three views, no accessibility violation, nothing sideways."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from ringfence.testing.console import busy, sample, serving

pytestmark = pytest.mark.browser

PAGES = {
    "today": "/",
    "domain": "/controls/DAT",
    "evidence": "/evidence",
    "heads": "/heads",
    "record": "/evidence/3",
    "parts": "/_parts",
    "past": "/?as_of=2026-11-20T00:00",
    "empty": "/evidence?as_of=2020-01-01T00:00",
    "problem": "/evidence/999",
}
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_violation_and_never_scrolls_sideways(tab, console, pictures, view, name):
    tab.goto(console + PAGES[name])
    if name == "record":
        expect(tab.locator(".chip[data-verdict=verified]")).to_be_visible()
    tab.screenshot(path=pictures / f"{name}-{view}.png", full_page=True)
    assert not tab.evaluate(SIDEWAYS)
    found = Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()


@pytest.fixture(scope="module")
def waiting():
    with serving(busy()) as address:
        yield address


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_what_waits_for_a_person_is_seen_first_and_never_scrolls_sideways(tab, waiting, pictures, view):
    tab.goto(waiting)
    tab.screenshot(path=pictures / f"waiting-{view}.png", full_page=True)
    assert tab.locator("[aria-labelledby=waiting] .waits > li").count() == 5
    assert tab.locator(".bar .clocks").is_visible()
    assert not tab.evaluate(SIDEWAYS)
    found = Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()


@pytest.fixture(scope="module")
def demo():
    with serving(sample(demo=True)) as address:
        yield address


@pytest.mark.parametrize("name", ["today", "evidence", "record"])
def test_demo_is_striped_and_says_so(tab, demo, pictures, name):
    tab.goto(demo + PAGES[name])
    tab.screenshot(path=pictures / f"demo-{name}.png", full_page=True)
    assert tab.locator(".demo-word").first.is_visible()
    hatched = tab.locator(".demo:not(tr), tr.demo > td:first-child").first
    assert hatched.evaluate("e => getComputedStyle(e).backgroundImage").startswith("repeating-linear-gradient")
    found = Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()
