"""Anchors: consistency between any two heads of a log of a million entries, and a head cosigned by a witness."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from measurement import Row, timed

from ringfence.kernel.digest import Digest
from ringfence.ledger import entry, tree
from ringfence.ledger.anchoring.asking import cosigned
from ringfence.ledger.anchoring.model import AskedWitness
from ringfence.ledger.anchoring.remote import HttpAnchors
from ringfence.ledger.anchors.exchange import Submission
from ringfence.ledger.tiles import DirectoryTiles
from ringfence.ledger.tiletree import TileTree
from ringfence.testing.keys import head, log_keys
from ringfence.testing.witness_process import running

MILLION = 1_000_000
BATCH = 100_000
PAIRS = 200
ROUND_TRIPS = 200
AT = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def grown(size: int) -> Iterator[DirectoryTiles]:
    """Make a log of so many entries as files."""
    with tempfile.TemporaryDirectory() as place:
        tiles = DirectoryTiles(Path(place))
        tree_of = TileTree(tiles)
        for start in range(0, size, BATCH):
            end = min(size, start + BATCH)
            tree_of.extend(start, [entry.encode(AT, Digest.of(number.to_bytes(8))) for number in range(start, end)])
        yield tiles


def consistency() -> list[Row]:
    """Prove and check that one head continues another, for random pairs, each with nothing cached."""
    draw = random.Random(1)  # noqa: S311 -- a benchmark's choice, repeated by its seed
    with grown(MILLION) as tiles:
        known = TileTree(tiles)
        pairs = [sorted((draw.randint(1, MILLION), draw.randint(1, MILLION))) for _ in range(PAIRS)]
        roots = {size: tree.root(size, known.reader(MILLION)) for pair in pairs for size in pair}

        def between(old: int, new: int) -> None:
            proof = tree.consistency_proof(old, new, TileTree(tiles).reader(MILLION))
            tree.verify_consistency(old, roots[old], new, roots[new], proof)

        times = [timed(lambda old=old, new=new: between(old, new)) for old, new in pairs]
    note = "random pairs, from tile files, nothing of ours cached; proof made and checked"
    return [Row("consistency of any two heads of 1,000,000", "< 50 ms", times, limit=50.0, note=note)]


def round_trips() -> list[Row]:
    """Submit heads one after the other to a witness in a process of its own, and verify what comes back."""
    leaves = [tree.leaf_hash(number.to_bytes(8)) for number in range(ROUND_TRIPS + 1)]
    read = tree.overlay(tree.grow(0, leaves, lambda _: ()), lambda _: ())
    with tempfile.TemporaryDirectory() as place, running(Path(place) / "w", log_keys()) as witness:
        asked = AskedWitness("witness.example/w1", witness.vkeys, witness.url, "Bench")
        heads = [head(size, tree.root_of(leaves[:size])) for size in range(1, ROUND_TRIPS + 1)]

        def submit(old: int) -> None:
            proof = tree.consistency_proof(old, old + 1, read) if old else ()
            reply = HttpAnchors().submit(asked.url, str(Submission(old, proof, heads[old].note)).encode())
            cosigned(reply, heads[old], asked, datetime.now(UTC))  # noqa: TID251 -- the witness's clock is the machine's

        times = [timed(lambda old=old: submit(old)) for old in range(ROUND_TRIPS)]
    note = "a new connection each time; the witness keeps the head with fsync before it makes its two cosignatures"
    return [Row("a head cosigned by a witness", "printed", times, note=note)]


def measure() -> list[Row]:
    """Measure both."""
    return [*consistency(), *round_trips()]
