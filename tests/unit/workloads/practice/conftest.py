"""An installation that is a practice."""

import pytest

from ringfence.testing.home import make
from ringfence.workloads.practice import ground


@pytest.fixture
def practice(tmp_path, clock):
    return make(tmp_path / ground.FOLDER, clock, demo=True, log=ground.origin())
