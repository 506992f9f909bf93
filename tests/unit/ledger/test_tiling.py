"""Paths, places and bundles of tiles, as c2sp.org/tlog-tiles has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.errors import InternalError, MalformedInput
from ringfence.ledger import tiling, tree
from ringfence.ledger.tiling import ENTRIES, Place

ITEMS = tuple(bytes([number]) for number in range(200)) * 3


@pytest.mark.parametrize(
    ("kind", "number", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 1234067, 256, "tile/0/x001/x234/067"),  # the example of the specification
        (63, 999, 255, "tile/63/999.p/255"),
        (1, 1000, 1, "tile/1/x001/000.p/1"),
        (ENTRIES, 273, 112, "tile/entries/273.p/112"),
    ],
)
def test_paths_follow_the_specification(kind: int | str, number: int, width: int, path: str) -> None:
    assert tiling.path_of(kind, number, width) == path
    assert tiling.is_path(path)


@pytest.mark.parametrize(
    "path",
    [
        *("", "tile/0", "tile/64/000", "tile/00/000", "tile/0/00", "tile/0/x000", "tile/0/000.p/0", "tile/0/000.p/256"),
        *("tile/0/000.p/01", "tile/0/../000", "tile/0/000/", "/tile/0/000", "checkpoint2", "checkpoint/.."),
        *("tile/0/\u0660\u0660\u0660", "tile/0/000\n", "checkpoint\n", "tile/names/000"),
    ],
)
def test_no_other_path_names_a_resource(path: str) -> None:
    assert not tiling.is_path(path)


def test_widths_of_the_specifications_example_of_70000_entries() -> None:
    assert [tiling.width_at(0, number, 70_000) for number in (0, 272, 273, 274)] == [256, 256, 112, 0]
    assert [tiling.width_at(1, number, 70_000) for number in (0, 1, 2)] == [256, 17, 0]
    assert [tiling.width_at(2, number, 70_000) for number in (0, 1)] == [1, 0]
    assert (tiling.width_at(0, 0, 256), tiling.width_at(1, 0, 256)) == (256, 1)


def test_a_subtree_lies_within_one_tile() -> None:
    assert tiling.place_of((0, 0)) == Place(0, 0, 0, 1)
    assert tiling.place_of((3, 33)) == Place(0, 1, 8, 8)
    assert tiling.place_of((7, 3)) == Place(0, 1, 128, 128)
    assert tiling.place_of((8, 257)) == Place(1, 1, 1, 1)


def test_the_hash_of_a_subtree_is_computed_from_its_tile() -> None:
    leaves = [tree.leaf_hash(item) for item in ITEMS[:256]]
    tile = b"".join(leaves)
    for at in [(0, 0), (0, 255), (2, 5), (5, 7), (7, 0), (7, 1)]:
        low, high = at[1] << at[0], at[1] + 1 << at[0]
        assert tiling.subtree_hash(tile, tiling.place_of(at)) == tree.root_of(leaves[low:high])
    with pytest.raises(InternalError, match="beyond the edge"):
        tiling.subtree_hash(tile[:-32], tiling.place_of((7, 1)))


@given(st.integers(0, 2000), st.integers(1, 600))
def test_changes_cover_every_new_item_once_and_keep_what_was_there(first: int, count: int) -> None:
    changes = tiling.changes((first, ITEMS[:count]))

    assert [item for _, _, added in changes for item in added] == list(ITEMS[:count])
    at = first
    for number, kept, added in changes:
        assert (number, kept) == divmod(at, 256)
        assert added
        at += len(added)
        assert kept + len(added) == tiling.width_at(0, number, first + count)


@given(st.lists(st.binary(max_size=80), max_size=20))
def test_a_bundle_reads_back_and_only_with_its_own_count(entries: list[bytes]) -> None:
    data = tiling.to_bundle(entries)

    assert tiling.from_bundle(data, len(entries)) == entries
    for count in (len(entries) - 1, len(entries) + 1):
        with pytest.raises(MalformedInput):
            tiling.from_bundle(data, count)


def test_a_bundle_cut_short_is_refused_with_its_source() -> None:
    data = tiling.to_bundle([b"one", b"two"])
    for cut in (*range(len(data)), len(data) + 1):
        with pytest.raises(MalformedInput, match="tile/entries/000"):
            tiling.from_bundle((data + b"\x00")[:cut], 2, source="tile/entries/000")


def test_an_entry_beyond_16_bits_is_refused() -> None:
    assert len(tiling.to_bundle([bytes(tiling.MAX_ENTRY)])) == 2 + tiling.MAX_ENTRY
    with pytest.raises(MalformedInput, match="65535"):
        tiling.to_bundle([bytes(tiling.MAX_ENTRY + 1)])
