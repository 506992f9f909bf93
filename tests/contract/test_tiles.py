"""Every implementation of the tiles' port keeps the same contract."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.ledger.ports import Tiles
from ringfence.ledger.tiles import DirectoryTiles
from ringfence.testing.tiles import CONTRACT, MemoryTiles


@pytest.fixture(params=["memory", "directory"])
def tiles(request: pytest.FixtureRequest, tmp_path: Path) -> Tiles:
    return MemoryTiles() if request.param == "memory" else DirectoryTiles(tmp_path / "log")


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_tiles_keep_their_contract(check: Callable[[Tiles], None], tiles: Tiles) -> None:
    check(tiles)
