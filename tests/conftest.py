"""What every test shares: how long Hypothesis searches, and when soak and browser tests are left out."""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ringfence.services import Services
from ringfence.storage.database import Database
from ringfence.storage.location import checked
from ringfence.storage.migrations import upgrade
from ringfence.testing.clock import FakeClock
from ringfence.testing.home import LabHome, make
from ringfence.testing.objectstore import ObjectStore
from ringfence.testing.objectstore import object_store as running_store
from ringfence.testing.postgresql import Server, server
from ringfence.testing.tokens import SoftToken, soft_token

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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let whatever works in a database be run on PostgreSQL."""
    parser.addoption("--postgresql", action="store_true", help="only what works in a database, and on PostgreSQL")


def pytest_sessionstart() -> None:
    """Let nothing look for garbage among 20,000 tests while they are being collected."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage again, among what the tests themselves make: what was collected stays until the end."""
    gc.freeze()
    gc.set_threshold(10_000)  # each test makes far more than the 700 objects after which Python would look
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip, with the reason, what this run cannot or need not do; the summary counts it."""
    if config.getoption("postgresql"):
        works = [item for item in items if "database_kind" in getattr(item, "fixturenames", ())]
        works = [item for item in works if not item.get_closest_marker("sqlite")]
        kept = set(works)
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = works
    reasons = {}
    if os.environ.get("RINGFENCE_SOAK") != "1":
        reasons["soak"] = "the full counts run under `make soak`"
    if not any(shutil.which(name) for name in BROWSERS):
        reasons["browser"] = "no Chromium on this machine (scripts/install_browser.py installs it as root on Debian)"
    for item in items:
        for marker, reason in reasons.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `databases` on both kinds."""
    if metafunc.definition.get_closest_marker("databases") and "database_kind" in metafunc.fixturenames:
        kinds = ["postgresql"] if metafunc.config.getoption("postgresql") else ["sqlite", "postgresql"]
        metafunc.parametrize("database_kind", kinds)


@pytest.fixture(scope="session")
def software_token() -> Iterator[SoftToken]:
    """A PKCS#11 token in software; without SoftHSM the test is skipped."""
    with soft_token() as token:
        yield token


@pytest.fixture(scope="session")
def running_object_store() -> Iterator[ObjectStore]:
    """An S3 server of this session."""
    with running_store() as store:
        yield store


@pytest.fixture
def object_store(running_object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """The same, with what its driver finds in the environment."""
    for name, value in running_object_store.environment.items():
        monkeypatch.setenv(name, value)
    return running_object_store


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still; the homes below were made at its start."""
    return FakeClock()


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> LabHome:
    """An installation made at the start of `FakeClock`; never written to, only copied."""
    return make(tmp_path_factory.mktemp("made") / "home", FakeClock())


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server of this session."""
    with server() as running:
        yield running


@pytest.fixture(scope="session")
def made_on_postgresql(tmp_path_factory: pytest.TempPathFactory, postgresql: Server) -> LabHome:
    """The same as `made_home`, with its database on PostgreSQL."""
    return make(tmp_path_factory.mktemp("made-pg") / "home", FakeClock(), server=postgresql)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """Where the database of `home` is; a test that is marked `databases` runs once for each kind."""
    return "postgresql" if request.config.getoption("postgresql") else "sqlite"


@pytest.fixture(scope="session")
def made_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no row; never opened, only copied."""
    path = tmp_path_factory.mktemp("made-tables") / "tables.db"
    path.touch()
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def made_tables_on_postgresql(postgresql: Server) -> str:
    """A database of the PostgreSQL server with every table and no row; never opened, only copied."""
    name = postgresql.create()
    migrate(checked(postgresql.url(name)))
    return name


def migrate(url: str) -> None:
    """Make every table."""
    made = Database(url)
    upgrade(made, fresh=True)
    made.close()


@pytest.fixture
def database(request: pytest.FixtureRequest, database_kind: str, tmp_path: Path) -> Iterator[Database]:
    """A database with every table and no row."""
    if database_kind == "sqlite":
        shutil.copy(request.getfixturevalue("made_tables"), tmp_path / "tables.db")
        opened = Database(f"sqlite:///{tmp_path / 'tables.db'}")
        yield opened
        opened.close()
        return
    postgresql = request.getfixturevalue("postgresql")
    name = postgresql.create(template=request.getfixturevalue("made_tables_on_postgresql"))
    opened = Database(checked(postgresql.url(name)))
    yield opened
    opened.close()
    postgresql.drop(name)


def copy_of(made: LabHome, place: Path) -> Iterator[LabHome]:
    """Give a copy of an installation; drop its database behind it."""
    copied = made.copy(place)
    yield copied
    if copied.server is not None:
        copied.server.drop(copied.database)


@pytest.fixture
def home(request: pytest.FixtureRequest, database_kind: str, tmp_path: Path) -> Iterator[LabHome]:
    """An installation of the test's own, with one person per role."""
    made = request.getfixturevalue("made_home" if database_kind == "sqlite" else "made_on_postgresql")
    yield from copy_of(made, tmp_path / "home")


@pytest.fixture
def services(home: LabHome, clock: FakeClock) -> Iterator[Services]:
    """The wired services of `home`, at the time of `clock`."""
    with home.services(clock) as opened:
        yield opened


@pytest.fixture(scope="session")
def made_now(tmp_path_factory: pytest.TempPathFactory) -> LabHome:
    """An installation made at this machine's time, for child processes; never written to, only copied."""
    return make(tmp_path_factory.mktemp("made-now") / "home")


@pytest.fixture(scope="session")
def made_now_on_postgresql(tmp_path_factory: pytest.TempPathFactory, postgresql: Server) -> LabHome:
    """The same as `made_now`, with its database on PostgreSQL."""
    return make(tmp_path_factory.mktemp("made-now-pg") / "home", server=postgresql)


@pytest.fixture
def home_now(request: pytest.FixtureRequest, database_kind: str, tmp_path: Path) -> Iterator[LabHome]:
    """An installation of the test's own that child processes can work in."""
    made = request.getfixturevalue("made_now" if database_kind == "sqlite" else "made_now_on_postgresql")
    yield from copy_of(made, tmp_path / "home")
