"""Tiles in memory, and what every implementation of the port has to do."""

from collections.abc import Callable, Mapping, Sequence

from ringfence.kernel.errors import Conflict, InternalError
from ringfence.ledger import tiling
from ringfence.ledger.ports import Tiles


class MemoryTiles:
    """Keep tiles in a dictionary; `resources` is there for a test to look at and to spoil."""

    def __init__(self) -> None:
        self.resources: dict[str, bytes] = {}

    def read(self, path: str) -> bytes | None:
        """Return the content under `path`, or None where there is none."""
        return self.resources.get(path)

    def write(self, path: str, data: bytes) -> None:
        """Keep one resource."""
        self.write_all({path: data})

    def write_all(self, resources: Mapping[str, bytes]) -> None:
        """Keep resources, all or none."""
        for path, data in resources.items():
            if not tiling.is_path(path):
                raise InternalError(f"{path!r} is not a path of a log")
            if path != tiling.CHECKPOINT and self.resources.get(path, data) != data:
                raise Conflict(f"{path} is in the log already with other content")
        self.resources.update(resources)

    def discard(self, paths: Sequence[str]) -> None:
        """Forget all partial tiles of the full tiles `paths`."""
        for path in paths:
            for known in [name for name in self.resources if name.startswith(f"{path}.p/")]:
                del self.resources[known]


def reads_what_was_written(tiles: Tiles) -> None:
    """Check that a resource reads back byte for byte, and that there is nothing where nothing was written."""
    tiles.write("tile/0/x001/x234/067", b"one")
    tiles.write_all({"tile/0/000.p/1": b"two", "tile/entries/000.p/1": b"", "tile/8/999": bytes(range(256))})
    assert tiles.read("tile/0/x001/x234/067") == b"one"
    assert tiles.read("tile/0/000.p/1") == b"two"
    assert tiles.read("tile/entries/000.p/1") == b""
    assert tiles.read("tile/8/999") == bytes(range(256))
    for nothing in ("tile/0/000", "tile/0/000.p/2", "tile/1/000.p/1", "checkpoint"):
        assert tiles.read(nothing) is None


def replaces_only_the_checkpoint(tiles: Tiles) -> None:
    """Check that the checkpoint is replaced, while a tile may only be written again as it is."""
    for text in (b"first", b"second"):
        tiles.write("checkpoint", text)
        assert tiles.read("checkpoint") == text
    tiles.write("tile/0/000", b"full")
    tiles.write("tile/0/000", b"full")
    assert _raises(Conflict, lambda: tiles.write_all({"tile/0/001": b"next", "tile/0/000": b"other"}))
    assert tiles.read("tile/0/000") == b"full"
    assert tiles.read("tile/0/001") is None


def discards_partial_tiles_only(tiles: Tiles) -> None:
    """Check that discarding removes the partial tiles of one full tile, twice without harm, and nothing else."""
    kept = {"tile/0/000": b"full", "tile/0/001.p/7": b"next", "tile/1/000.p/1": b"above"}
    tiles.write_all({**kept, "tile/0/000.p/1": b"a", "tile/0/000.p/255": b"b"})
    for _ in range(2):
        tiles.discard(["tile/0/000"])
    assert {path: tiles.read(path) for path in kept} == kept
    assert tiles.read("tile/0/000.p/1") is None
    assert tiles.read("tile/0/000.p/255") is None
    tiles.write("tile/0/000.p/1", b"a")
    assert tiles.read("tile/0/000.p/1") == b"a"


def knows_only_paths_of_a_log(tiles: Tiles) -> None:
    """Check that no other path is found or written, least of all one that leaves the log."""
    for path in ("", "tile", "tile/0", "../checkpoint", "tile/0/../../secret", "/etc/hostname", "tile/0/000.p/256"):
        assert tiles.read(path) is None
        assert _raises(InternalError, lambda path=path: tiles.write(path, b"x"))  # type: ignore[misc]


CONTRACT: tuple[Callable[[Tiles], None], ...] = (
    reads_what_was_written,
    replaces_only_the_checkpoint,
    discards_partial_tiles_only,
    knows_only_paths_of_a_log,
)


def _raises(kind: type[Exception], act: Callable[[], None]) -> bool:
    try:
        act()
    except kind:
        return True
    return False
