"""What every test shares: how long Hypothesis searches, and when soak and browser tests are left out."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ringfence.app import Services
from ringfence.testing.clock import FakeClock
from ringfence.testing.home import LabHome, make

# `ci` repeats the same examples on every machine; `soak` looks for new ones, for as long as it takes.
settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=50,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("soak", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dev")

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what this run cannot or need not do; the summary counts it."""
    reasons = {}
    if os.environ.get("RINGFENCE_SOAK") != "1":
        reasons["soak"] = "the full counts run under `make soak`"
    if not any(shutil.which(name) for name in BROWSERS):
        reasons["browser"] = "no Chromium on this machine (scripts/install_browser.py installs it as root on Debian)"
    for item in items:
        for marker, reason in reasons.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still; the homes below were made at its start."""
    return FakeClock()


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> LabHome:
    """An installation made at the start of `FakeClock`; never written to, only copied."""
    return make(tmp_path_factory.mktemp("made") / "home", FakeClock())


@pytest.fixture
def home(made_home: LabHome, tmp_path: Path) -> LabHome:
    """An installation of the test's own, with one person per role."""
    return made_home.copy(tmp_path / "home")


@pytest.fixture
def services(home: LabHome, clock: FakeClock) -> Iterator[Services]:
    """The wired services of `home`, at the time of `clock`."""
    with home.services(clock) as opened:
        yield opened


@pytest.fixture(scope="session")
def made_now(tmp_path_factory: pytest.TempPathFactory) -> LabHome:
    """An installation made at this machine's time, for child processes; never written to, only copied."""
    return make(tmp_path_factory.mktemp("made-now") / "home")


@pytest.fixture
def home_now(made_now: LabHome, tmp_path: Path) -> LabHome:
    """An installation of the test's own that child processes can work in."""
    return made_now.copy(tmp_path / "home")
