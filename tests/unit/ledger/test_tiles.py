"""Tiles as files: whole or not at all, and never outside their directory."""

from pathlib import Path

import pytest

from ringfence.kernel.errors import Conflict, Unavailable, UsageError
from ringfence.ledger import tree
from ringfence.ledger.tiles import DirectoryTiles, ObjectTiles, tiles_at
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


class Flaky:
    """A store whose answers are lost now and then, and which can be told what another writer did meanwhile."""

    def __init__(self, failures: int = 0) -> None:
        self.objects: dict[str, bytes] = {}
        self.failures = failures
        self.between: dict[str, bytes] = {}  # appears between the comparison and the creation
        self.order: list[str] = []

    def cat_file(self, path: str) -> bytes:
        return self.objects[path] if path in self.objects else self._missing(path)

    def pipe_file(self, path: str, data: bytes, mode: str = "overwrite") -> None:
        if self.failures:
            self.failures -= 1
            self.objects[path] = data  # written, and the answer lost
            raise ConnectionResetError
        self.objects.update({k: v for k, v in self.between.items() if k == path})
        if mode == "create" and path in self.objects:
            raise FileExistsError(path)
        self.order.append(path)
        self.objects[path] = data

    @staticmethod
    def _missing(path: str) -> bytes:
        raise FileNotFoundError(path)


def over(store: Flaky) -> ObjectTiles:
    tiles = ObjectTiles("memory://flaky", pauses=(0.0, 0.0))
    tiles._store, tiles._root = store, "log"
    return tiles


def test_an_answer_that_was_lost_is_asked_for_again() -> None:
    store = Flaky(failures=2)
    over(store).write_all({"tile/0/000.p/1": b"one", "checkpoint": b"note"})
    assert store.objects == {"log/tile/0/000.p/1": b"one", "log/checkpoint": b"note"}


def test_a_store_that_stays_away_is_one_sentence() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        over(Flaky(failures=9)).write("tile/0/000", b"one")


def test_of_two_writers_the_second_learns_it_even_if_they_compared_at_once() -> None:
    store = Flaky()
    store.between = {"log/tile/0/000": b"of another"}
    with pytest.raises(Conflict):
        over(store).write("tile/0/000", b"ours")
    assert store.objects == {"log/tile/0/000": b"of another"}
    over(store).write("tile/0/000", b"of another")


def test_the_checkpoint_comes_after_every_tile() -> None:
    store = Flaky()
    over(store).write_all({"checkpoint": b"note", **{f"tile/0/00{n}": b"x" for n in range(8)}})
    assert store.order[-1] == "log/checkpoint"
    assert len(store.order) == 9


@pytest.mark.parametrize(
    ("url", "kind", "match"),
    [
        ("sftp://host/log", UsageError, "begins with one of"),
        ("https://host/log", UsageError, "begins with one of"),
        ("s3://key:secret@bucket/log", UsageError, "no secret"),
        ("s3://bucket/log?versionId=1", UsageError, "no secret"),
        ("oss://bucket/log", Unavailable, "not installed"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, url: str, kind: type[Exception], match: str
) -> None:
    with pytest.raises(kind, match=match) as caught:
        tiles_at(url, tmp_path)
    assert "secret@" not in str(caught.value)


def test_a_log_of_objects_is_that_of_files(tmp_path: Path) -> None:
    roots = [
        TileTree(tiles_at(url, tmp_path / "log")).extend(0, ENTRIES)
        for url in ("", f"file://{tmp_path}/other%20place", f"memory://{tmp_path}")
    ]
    assert set(roots) == {tree.root_of([tree.leaf_hash(entry) for entry in ENTRIES])}
    assert files(tmp_path / "log") == files(tmp_path / "other place")
