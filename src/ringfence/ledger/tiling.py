"""Where the hashes and entries of a log lie in C2SP tlog-tiles: paths, tiles of height 8, entry bundles.

Source: c2sp.org/tlog-tiles. A tile is 256 consecutive nodes of every eighth level; a narrower one at the right
edge of the tree is partial and carries its width in its path.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.kernel.errors import InternalError, MalformedInput
from ringfence.ledger.tree import HASH_SIZE, Coordinate, Run, node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT
ENTRIES = "entries"
CHECKPOINT = "checkpoint"
MAX_ENTRY = 2**16 - 1  # entry bundles prefix each entry with its length in 16 bits

_KIND = r"(?:\d|[1-5]\d|6[0-3]|entries)"
_WIDTH = r"(?:[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])"
_PATH = re.compile(rf"{CHECKPOINT}|tile/{_KIND}/(?:x\d{{3}}/)*\d{{3}}(?:\.p/{_WIDTH})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a complete subtree lies: `span` consecutive hashes from `start` on in tile `number` of `level`."""

    level: int
    number: int
    start: int
    span: int


def is_path(path: str) -> bool:
    """Say whether `path` names a resource of a log; no other path may ever reach a file system."""
    return _PATH.fullmatch(path) is not None


def path_of(kind: int | str, number: int, width: int = WIDTH) -> str:
    """Return the path of a tile of level `kind`, or of an entry bundle where `kind` is `ENTRIES`."""
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03}")
    suffix = "" if width == WIDTH else f".p/{width}"
    return f"tile/{kind}/{'/'.join(reversed(groups))}{suffix}"


def width_at(level: int, number: int, size: int) -> int:
    """Return how many hashes tile `number` of `level` holds in a log of `size` entries; 0 where it does not exist."""
    return min(WIDTH, max(0, (size >> HEIGHT * level) - number * WIDTH))


def place_of(at: Coordinate) -> Place:
    """Return where the hashes lie that make up the complete subtree `at`."""
    level, within = divmod(at[0], HEIGHT)
    number, start = divmod(at[1] << within, WIDTH)
    return Place(level, number, start, 1 << within)


def subtree_hash(tile: bytes, place: Place) -> bytes:
    """Compute the hash of the complete subtree at `place` from the content of its tile."""
    begin = place.start * HASH_SIZE
    end = begin + place.span * HASH_SIZE
    if end > len(tile):
        raise InternalError("a hash was asked for that lies beyond the edge of the log")
    nodes = [tile[at : at + HASH_SIZE] for at in range(begin, end, HASH_SIZE)]
    while len(nodes) > 1:
        nodes = [node_hash(left, right) for left, right in zip(nodes[0::2], nodes[1::2], strict=True)]
    return nodes[0]


def changes(run: Run) -> list[tuple[int, int, Sequence[bytes]]]:
    """Return what a run of new items does to the tiles of its kind: (tile number, items kept, items that follow)."""
    first, items = run
    result = []
    for number in range(first // WIDTH, (first + len(items) - 1) // WIDTH + 1):
        begin = number * WIDTH - first
        result.append((number, max(0, -begin), items[max(0, begin) : begin + WIDTH]))
    return result


def to_bundle(entries: Sequence[bytes]) -> bytes:
    """Print entries as an entry bundle, or a part of one."""
    if max(map(len, entries), default=0) > MAX_ENTRY:
        raise MalformedInput(f"a log entry has at most {MAX_ENTRY} bytes")
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def from_bundle(data: bytes, count: int, *, source: str = "") -> list[bytes]:
    """Parse an entry bundle of exactly `count` entries, or raise `MalformedInput`."""
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) <= count:
        length = int.from_bytes(data[at : at + 2], "big")
        entries.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    if at != len(data) or len(entries) != count:
        raise MalformedInput(f"the entry bundle does not hold exactly {count} entries", source=source)
    return entries
