import pytest

from ringfence.retention.running import Runner
from ringfence.retention.sweeping import Sweeper
from ringfence.testing.home import TENANT
from ringfence.testing.retention import MemorySource


@pytest.fixture
def retention(services):
    return services.retention


@pytest.fixture
def source():
    return MemorySource()


@pytest.fixture
def runner(retention, source):
    """The real runner over the database, with one source in memory beside the real ones."""
    real = retention.runner
    return Runner(
        (*real.sources, source),
        real.schedule,
        real.holds,
        real.runs,
        real.recorder,
        real.publication,
        real.transaction,
        real.clock,
        real.draw,
        real.scrub,
    )


@pytest.fixture
def sweeper(runner):
    return Sweeper(runner, lambda: [TENANT])
