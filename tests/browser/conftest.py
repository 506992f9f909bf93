"""A real Chromium, a real server on the loopback address, and a made-up log behind it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from ringfence.testing.console import LabConsole, sample, serving

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
VIEWS = {
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 360, "height": 720}, "color_scheme": "light"},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS), headless=True)
        yield started
        started.close()


@pytest.fixture(scope="module")
def console() -> Iterator[str]:
    """The address of a console that tests only read."""
    with serving(sample()) as address:
        yield address


@pytest.fixture
def live() -> Iterator[tuple[str, LabConsole]]:
    """The address of a console of its own, and the log behind it, for tests that write into it."""
    lab = sample()
    with serving(lab) as address:
        yield address, lab


@pytest.fixture
def view() -> str:
    return "light"


@pytest.fixture
def context(browser: Browser, view: str) -> Iterator[BrowserContext]:
    made = browser.new_context(**VIEWS[view], reduced_motion="reduce", timezone_id="Europe/Berlin")
    made.set_default_timeout(15_000)
    yield made
    made.close()


@pytest.fixture
def tab(context: BrowserContext) -> Iterator[Page]:
    """A tab that fails the test when the page throws, breaks its own policy or asks another host."""
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(f"thrown: {error}"))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("request", lambda sent: None if "://127.0.0.1:" in sent.url else wrong.append(f"asked {sent.url}"))
    yield page
    assert wrong == []


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: `RINGFENCE_SCREENSHOTS`, for whoever wants to look at them."""
    folder = Path(os.environ.get("RINGFENCE_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
