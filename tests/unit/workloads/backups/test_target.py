"""Contents lie in a folder or behind fsspec, and are read back by their digest only."""

from dataclasses import replace

import fsspec
import pytest

from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.testing.backups import shelves
from ringfence.workloads.backups.target import content_of, index_of, read_whole, target_of


@pytest.fixture
def home(tmp_path):
    return shelves(tmp_path)


def test_fsspec_targets_hold_the_same(home, tmp_path):
    home = replace(home, targets=(target_of("memory://backup"), target_of("memory://wrapped")))
    try:
        done = home.make()
        assert home.make().written == 0
        found = home.restore(done, tmp_path / "place")
        assert found.restored, found.failures
        name = content_of(done.index.things[0].files[0].digest)
        with fsspec.filesystem("memory").open(f"/backup/{name}", "wb") as file:
            file.write(b"evil")
        assert not home.restore(done, tmp_path / "other").restored
    finally:
        fsspec.filesystem("memory").rm("/", recursive=True)


def test_an_index_that_was_stated_and_lies_is_not_taken(home):
    done = home.make()
    (home.targets[0].path / index_of(done.digest)).write_bytes(b"{}")
    with pytest.raises(VerificationFailed):
        read_whole(home.targets[0], index_of(done.digest), done.digest, 1000)


@pytest.mark.parametrize("text", ["nothing://there", "sealed-no-such://x"])
def test_an_address_that_nothing_reaches_is_told(text):
    with pytest.raises(MalformedInput):
        target_of(text)
