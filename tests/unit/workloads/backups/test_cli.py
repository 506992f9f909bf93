"""What would be lost is measured against everything that is recorded, not against what the copy happens to hold."""

from dataclasses import replace

import pytest

from ringfence.testing.backups import shelves
from ringfence.workloads.backups.cli import _beside, _lost
from ringfence.workloads.backups.restoring import Restored
from ringfence.workloads.backups.statements import LONGEST


@pytest.fixture
def home(tmp_path):
    return shelves(tmp_path)


LONG_AGO = "2020-01-01T00:00:00.000Z"


class Client:
    """Answers as the API does."""

    def __init__(self, home):
        self.home = home

    def get(self, path):
        if path.endswith("/epochs"):
            return {"epochs": self.home.epochs}
        return {"models": [{"name": name, "digest": digest} for name, digest in self.home.models.items()]}


def test_a_copy_that_lacked_something_when_it_was_made_bounds_no_loss(home):
    index = home.make().index
    whole = Restored(held=frozenset((thing.folder, thing.digest) for thing in index.things))
    half = replace(whole, held=frozenset(list(whole.held)[1:]))
    client = Client(home)
    assert _lost(client, home.path, {"at": LONG_AGO, "missing": 0}, whole) == 0
    assert _lost(client, home.path, {"at": LONG_AGO, "missing": 1}, whole) == 0  # what it lacked is gone by now
    assert 0 < _lost(client, home.path, {"at": LONG_AGO, "missing": 0}, half) < LONGEST
    assert _lost(client, home.path, {"at": LONG_AGO, "missing": 1}, half) == LONGEST
    assert _lost(client, home.path, {"at": LONG_AGO, "missing": 0}, Restored()) < LONGEST


def test_what_was_not_restored_is_not_called_late():
    assert _beside(1, 60, within=True) == "within the 60"
    assert _beside(61, 60, within=False) == "BEYOND the 60"
    assert _beside(1, 60, within=False) == "NOT shown to be within the 60"
