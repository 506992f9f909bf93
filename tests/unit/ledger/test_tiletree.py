"""The tree on its tiles: growing across every boundary, crashes repeated, and a state that is too old."""

from collections.abc import Mapping

import pytest

from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Unavailable
from ringfence.ledger import tiling, tree
from ringfence.ledger.tiletree import TileTree
from ringfence.testing.tiles import MemoryTiles

ENTRIES = [number.to_bytes(2, "big") * 3 for number in range(1500)]
LEAVES = [tree.leaf_hash(entry) for entry in ENTRIES]
SIZES = [1, 2, 3, 255, 256, 257, 300, 511, 512, 513, 1024, 1025, 1500]


class Crash(Exception):
    """The machine stopped."""


class CrashingTiles(MemoryTiles):
    """Keep the first `survive` resources of every batch, then stop; each one whole, in the order given."""

    def __init__(self, resources: Mapping[str, bytes], survive: int) -> None:
        super().__init__()
        self.resources.update(resources)
        self._survive = survive

    def write_all(self, resources: Mapping[str, bytes]) -> None:
        super().write_all(dict(list(resources.items())[: self._survive]))
        raise Crash


def grown(*sizes: int) -> tuple[MemoryTiles, TileTree]:
    tiles = MemoryTiles()
    tile_tree, old = TileTree(tiles), 0
    for size in sizes:
        assert tile_tree.extend(old, ENTRIES[old:size]) == tree.root_of(LEAVES[:size])
        old = size
    return tiles, tile_tree


@pytest.mark.parametrize("new", SIZES)
@pytest.mark.parametrize("old", [0, *SIZES])
def test_a_log_has_the_same_root_however_it_grew(old: int, new: int) -> None:
    if old <= new:
        tiles, warm = grown(old, new)
        for tile_tree in (warm, TileTree(tiles)):
            assert tree.root(new, tile_tree.reader(new)) == tree.root_of(LEAVES[:new])
            assert list(tile_tree.entries(0, new)) == ENTRIES[:new]


def test_one_by_one_across_the_first_boundary_every_published_size_stays_readable() -> None:
    tiles, _ = grown(*range(1, 300))
    reader = TileTree(tiles)
    for size in range(1, 300):
        assert tree.root(size, reader.reader(size)) == tree.root_of(LEAVES[:size])
        assert list(reader.entries(size - 1, size)) == ENTRIES[size - 1 : size]


def test_the_resources_are_those_of_the_specification() -> None:
    tiles, _ = grown(1500)
    assert sorted(tiles.resources) == sorted(
        [tiling.path_of(kind, number) for kind in (0, "entries") for number in range(5)]
        + ["tile/0/005.p/220", "tile/entries/005.p/220", "tile/1/000.p/5"]
    )
    assert tiles.resources["tile/0/004"] == b"".join(LEAVES[1024:1280])
    assert tiles.resources["tile/1/000.p/5"][:32] == tree.root_of(LEAVES[:256])


def test_partial_tiles_go_once_the_full_one_is_there() -> None:
    tiles, _ = grown(100, 200, 300)
    assert [path for path in tiles.resources if "/000.p/" in path] == ["tile/1/000.p/1"]


def test_nothing_is_written_for_no_entries() -> None:
    tiles, tile_tree = grown(7)
    before = dict(tiles.resources)
    assert tile_tree.extend(7, []) == tree.root_of(LEAVES[:7])
    assert tiles.resources == before
    assert TileTree(MemoryTiles()).extend(0, []) == tree.EMPTY_ROOT


def test_proofs_from_tiles_are_good_at_every_size_that_was_published() -> None:
    _, tile_tree = grown(257, 1024, 1500)
    for size in (257, 1024, 1500):
        root = tree.root_of(LEAVES[:size])
        for index in (0, 255, 256, size - 1):
            proof = tree.inclusion_proof(index, size, tile_tree.reader(size))
            tree.verify_inclusion(index, size, LEAVES[index], proof, root)
        proof = tree.consistency_proof(257, size, tile_tree.reader(size))
        tree.verify_consistency(257, tree.root_of(LEAVES[:257]), size, root, proof)


@pytest.mark.parametrize("survive", range(10))
def test_a_crash_while_growing_is_mended_by_repeating(survive: int) -> None:
    tiles, _ = grown(300, 500)
    expected, _ = grown(300, 500, 1300)
    crashing = CrashingTiles(tiles.resources, survive)
    with pytest.raises(Crash):
        TileTree(crashing).extend(500, ENTRIES[500:1300])
    tiles.resources = crashing.resources

    assert TileTree(tiles).extend(500, ENTRIES[500:1300]) == tree.root_of(LEAVES[:1300])
    assert tiles.resources == expected.resources


def test_growing_may_be_repeated_after_the_partial_tiles_are_gone() -> None:
    tiles, _ = grown(200)
    for _ in range(2):
        assert TileTree(tiles).extend(200, ENTRIES[200:700]) == tree.root_of(LEAVES[:700])
    assert "tile/0/000.p/200" not in tiles.resources


def test_a_state_older_than_the_log_cannot_rewrite_it() -> None:
    tiles, _ = grown(200, 700)
    before = dict(tiles.resources)
    with pytest.raises(Conflict):
        TileTree(tiles).extend(200, [b"another"] * 500)
    assert tiles.resources == before


def test_a_missing_tile_is_named() -> None:
    tiles, _ = grown(300)
    del tiles.resources["tile/0/000"]
    with pytest.raises(Unavailable, match="tile/0/000 is missing"):
        tree.inclusion_proof(5, 300, TileTree(tiles).reader(300))
    with pytest.raises(Unavailable, match=r"tile/entries/001\.p/45 is missing"):
        list(TileTree(tiles).entries(0, 301))


@pytest.mark.parametrize(("path", "index"), [("tile/0/000", 5), ("tile/0/001.p/44", 290)])
@pytest.mark.parametrize("content", [b"", b"x", bytes(32), bytes(8193)])
def test_a_tile_of_another_length_is_refused(path: str, index: int, content: bytes) -> None:
    tiles, _ = grown(300)
    tiles.resources[path] = content
    with pytest.raises(MalformedInput, match=path):
        tree.inclusion_proof(index, 300, TileTree(tiles).reader(300))


def test_a_full_tile_of_another_length_does_not_stand_in_for_a_partial_one() -> None:
    tiles, _ = grown(300)
    tiles.resources["tile/0/000"] += b"x"
    with pytest.raises(MalformedInput, match="tile/0/000"):
        tree.root(100, TileTree(tiles).reader(100))


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (3, 2)])
def test_a_range_that_is_none_is_not_found(start: int, end: int) -> None:
    _, tile_tree = grown(10)
    with pytest.raises(NotFound):
        list(tile_tree.entries(start, end))


@pytest.mark.parametrize(("start", "end"), [(0, 0), (5, 5), (0, 1), (250, 260), (256, 512), (255, 600)])
def test_any_range_of_entries_can_be_read(start: int, end: int) -> None:
    _, tile_tree = grown(600)
    assert list(tile_tree.entries(start, end)) == ENTRIES[start:end]
