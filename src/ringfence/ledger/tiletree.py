"""The log's tree on top of its tiles: extend it, and answer for the hashes and entries of any size."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from ringfence.kernel.errors import MalformedInput, NotFound, Unavailable
from ringfence.ledger import tiling, tree
from ringfence.ledger.ports import Tiles
from ringfence.ledger.tiling import ENTRIES, HEIGHT, WIDTH
from ringfence.ledger.tree import HASH_SIZE, Coordinate, HashReader, Run

CACHED_TILES = 1024  # at most 8 KiB each, and immutable: 8 MiB


class TileTree:
    """Grow and read one log through its tiles.

    Tiles that were read are kept in memory. Who wants to know whether the tiles of today are still those of
    yesterday opens a new `TileTree`.
    """

    def __init__(self, tiles: Tiles) -> None:
        self._tiles = tiles
        self._tile = lru_cache(maxsize=CACHED_TILES)(self._fetch)
        self._frontier: tuple[int, Mapping[Coordinate, bytes]] = (0, {})

    def extend(self, old_size: int, entries: Sequence[bytes]) -> bytes:
        """Make the tiles of `old_size` entries followed by `entries` durable; return the new root.

        A call that was interrupted can be repeated with the same entries, and must be before any other: tiles
        are immutable, hence index and content of an entry are decided, durably, before this is called.

        Raises:
            Conflict: the tiles hold other entries already; the caller's state is older than the log.
        """
        runs = tree.grow(old_size, [tree.leaf_hash(entry) for entry in entries], self.reader(old_size))
        coordinates = tree.frontier(old_size + len(entries))
        hashes = tree.overlay(runs, self.reader(old_size))(coordinates) if coordinates else ()
        if entries:
            self._publish(runs, (old_size, entries))
        self._frontier = (old_size + len(entries), dict(zip(coordinates, hashes, strict=True)))
        return tree.fold(hashes)

    def reader(self, size: int) -> HashReader:
        """Return a reader of the hashes of the tree of `size` entries.

        It raises `Unavailable` where a tile is missing, and `MalformedInput` where one has another length.
        """

        def read(coordinates: Sequence[Coordinate]) -> Sequence[bytes]:
            known_size, known = self._frontier
            if known_size != size:
                known = {}
            return [known.get(at) or self._subtree(at, size) for at in coordinates]

        return read

    def entries(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the entries from index `start` up to, not including, `end`, a size that the log has reached.

        Raises:
            NotFound: there is no such range.
        """
        if not 0 <= start <= end:
            raise NotFound(f"there are no entries from {start} to {end}")
        for number in range(start // WIDTH, -(-end // WIDTH)):
            width = tiling.width_at(0, number, end)
            bundle = self._bundle(number, width)
            yield from bundle[max(0, start - number * WIDTH) :]

    def _subtree(self, at: Coordinate, size: int) -> bytes:
        place = tiling.place_of(at)
        width = tiling.width_at(place.level, place.number, size)
        return tiling.subtree_hash(self._tile(place.level, place.number, width), place)

    def _publish(self, runs: Sequence[Run], entries: Run) -> None:
        resources: dict[str, bytes] = {}
        for number, kept, added in tiling.changes(entries):
            before = tiling.to_bundle(self._bundle(number, kept))
            resources[tiling.path_of(ENTRIES, number, kept + len(added))] = before + tiling.to_bundle(added)
        for level, run in enumerate(runs[::HEIGHT]):
            for number, kept, added in tiling.changes(run):
                before = self._tile(level, number, kept)
                resources[tiling.path_of(level, number, kept + len(added))] = before + b"".join(added)
        self._tiles.write_all(resources)
        self._tiles.discard([path for path in resources if ".p/" not in path])

    def _fetch(self, kind: int | str, number: int, width: int) -> bytes:
        """Read a tile or a bundle; a partial one may have been replaced by the full one since."""
        if width == 0:
            return b""
        path = tiling.path_of(kind, number, width)
        if (data := self._tiles.read(path)) is None:
            full = tiling.path_of(kind, number)
            if (data := self._tiles.read(full)) is None:
                raise Unavailable(f"the log's tile {path} is missing")
            data = _cut(kind, data, width, full)
        if kind != ENTRIES and len(data) != width * HASH_SIZE:
            raise MalformedInput(f"the tile has {len(data)} bytes, not {width * HASH_SIZE}", source=path)
        return data

    def _bundle(self, number: int, width: int) -> list[bytes]:
        path = tiling.path_of(ENTRIES, number, width)
        return tiling.from_bundle(self._tile(ENTRIES, number, width), width, source=path)


def _cut(kind: int | str, full: bytes, width: int, source: str) -> bytes:
    if kind == ENTRIES:
        return tiling.to_bundle(tiling.from_bundle(full, WIDTH, source=source)[:width])
    if len(full) != WIDTH * HASH_SIZE:
        raise MalformedInput(f"the tile has {len(full)} bytes, not {WIDTH * HASH_SIZE}", source=source)
    return full[: width * HASH_SIZE]
