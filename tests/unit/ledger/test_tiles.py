"""Tiles as files: whole or not at all, and never outside their directory."""

from pathlib import Path

import pytest

from ringfence.kernel.errors import Conflict, Unavailable
from ringfence.ledger import tree
from ringfence.ledger.tiles import DirectoryTiles
from ringfence.ledger.tiletree import TileTree

ENTRIES = [str(number).encode() for number in range(700)]


def files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def test_a_log_is_a_directory_of_plain_files(tmp_path: Path) -> None:
    tiles = DirectoryTiles(tmp_path)
    root = TileTree(tiles).extend(0, ENTRIES[:600])
    tiles.write("checkpoint", b"text\n")

    assert files(tmp_path) == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ]
    assert root == tree.root_of([tree.leaf_hash(entry) for entry in ENTRIES[:600]])


def test_another_process_goes_on_where_the_first_one_stopped(tmp_path: Path) -> None:
    for old, new in [(0, 100), (100, 256), (256, 700)]:
        root = TileTree(DirectoryTiles(tmp_path)).extend(old, ENTRIES[old:new])
    assert root == tree.root_of([tree.leaf_hash(entry) for entry in ENTRIES])
    assert list(TileTree(DirectoryTiles(tmp_path)).entries(0, 700)) == ENTRIES


def test_what_a_crash_left_beside_a_file_is_overwritten_and_never_read(tmp_path: Path) -> None:
    tiles = DirectoryTiles(tmp_path)
    left = tmp_path / ".checkpoint.new"
    left.write_bytes(b"half of a chec")

    assert tiles.read("checkpoint") is None
    assert tiles.read(".checkpoint.new") is None
    tiles.write("checkpoint", b"whole")
    assert tiles.read("checkpoint") == b"whole"
    assert not left.exists()


def test_a_conflict_writes_nothing_at_all(tmp_path: Path) -> None:
    tiles = DirectoryTiles(tmp_path)
    tiles.write("tile/0/000", b"one")
    with pytest.raises(Conflict, match="older state"):
        tiles.write_all({"tile/0/001": b"two", "tile/0/000": b"other"})
    assert files(tmp_path) == ["tile/0/000"]


def test_a_directory_that_cannot_be_used_is_reported_by_name(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file where the log should be")
    tiles = DirectoryTiles(tmp_path / "log")
    assert tiles.read("checkpoint") is None
    with pytest.raises(Unavailable, match="directory cannot be written"):
        tiles.write("checkpoint", b"text")


def test_a_link_that_leads_in_a_circle_is_reported(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").symlink_to("checkpoint")
    with pytest.raises(Unavailable, match="checkpoint cannot be read"):
        DirectoryTiles(tmp_path).read("checkpoint")


def test_the_log_is_not_read_through_a_path_that_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    tiles = DirectoryTiles(tmp_path / "log")
    tiles.write("checkpoint", b"text")
    for path in ("../secret", "tile/../../secret", str(tmp_path / "secret"), "tile/0/000.p/../../../../secret"):
        assert tiles.read(path) is None
