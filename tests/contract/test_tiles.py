"""Every implementation of the tiles' port keeps the same contract."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.ledger.ports import Tiles
from ringfence.ledger.tiles import tiles_at
from ringfence.testing.objectstore import BUCKET
from ringfence.testing.tiles import CONTRACT, MemoryTiles


@pytest.fixture(params=["fake", "directory", "file:", "memory:", "s3:"])
def tiles(request: pytest.FixtureRequest, tmp_path: Path) -> Tiles:
    addresses = {"directory": "", "file:": f"file://{tmp_path}/there", "memory:": f"memory://log{tmp_path}"}
    addresses["s3:"] = f"s3://{BUCKET}{tmp_path}"
    if request.param == "s3:":
        request.getfixturevalue("object_store")
    return MemoryTiles() if request.param == "fake" else tiles_at(addresses[request.param], tmp_path / "log")


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_tiles_keep_their_contract(check: Callable[[Tiles], None], tiles: Tiles) -> None:
    check(tiles)
