"""Trees beyond the exhaustive sizes, and thousands of spoilt bytes: refused, or read as what they were."""

import json
import random
from collections.abc import Callable, Iterator
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.ledger import checkpoint, entry, note, proof, tree, trust
from ringfence.ledger.model import Trust
from ringfence.ledger.tiletree import TileTree
from ringfence.testing.clock import START
from ringfence.testing.keys import ORIGIN, ed25519, head, log_keys, public
from ringfence.testing.tiles import MemoryTiles

LIMIT = 3000
LEAVES = [tree.leaf_hash(number.to_bytes(2, "big")) for number in range(LIMIT)]
READ = tree.overlay(tree.grow(0, LEAVES, tree._nothing), tree._nothing)
SIZES = st.integers(1, LIMIT)


@given(SIZES, st.data())
def test_any_leaf_of_any_tree_is_proven(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    hashes = tree.inclusion_proof(index, size, READ)
    assert len(hashes) <= (size - 1).bit_length()
    tree.verify_inclusion(index, size, LEAVES[index], hashes, tree.root(size, READ))


@given(SIZES, st.data())
def test_any_two_trees_are_proven_consistent(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    hashes = tree.consistency_proof(old, new, READ)
    tree.verify_consistency(old, tree.root(old, READ), new, tree.root(new, READ), hashes)


@given(SIZES, st.data())
def test_a_proof_with_one_bit_changed_proves_nothing(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    hashes = list(tree.inclusion_proof(index, size, READ))
    at = data.draw(st.integers(0, len(hashes)))
    bit = 1 << data.draw(st.integers(0, 255))
    leaf = LEAVES[index]
    if at < len(hashes):
        hashes[at] = (int.from_bytes(hashes[at], "big") ^ bit).to_bytes(32, "big")
    else:
        leaf = (int.from_bytes(leaf, "big") ^ bit).to_bytes(32, "big")
    with pytest.raises(VerificationFailed):
        tree.verify_inclusion(index, size, leaf, hashes, tree.root(size, READ))


@given(st.lists(st.integers(0, 700), min_size=1, max_size=6))
def test_tiles_hold_the_tree_however_the_groups_are_cut(groups: list[int]) -> None:
    tiles, size = TileTree(MemoryTiles()), 0
    for group in groups:
        added = [number.to_bytes(2, "big") for number in range(size, min(LIMIT, size + group))]
        root = tiles.extend(size, added)
        size += len(added)
        assert root == tree.root(size, READ)


names = st.text(min_size=1, max_size=20).filter(note.is_key_name)
lines = st.builds(note.Signature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=40))
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), min_size=1).map(
    lambda text: text + "\n"
)


@given(texts, st.lists(lines, min_size=1, max_size=4))
def test_a_note_reads_back(text: str, signatures: list[note.Signature]) -> None:
    written = note.Note(text, tuple(signatures))
    assert note.parse(str(written)) == written
    assert note.parse(str(written).encode()) == written


@given(st.integers(0, tree.MAX_SIZE - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63), st.binary())
def test_a_proof_reads_back(index: int, hashes: list[bytes], extra: bytes) -> None:
    written = proof.LogProof(index, tuple(hashes), HEAD.note, extra)
    assert proof.parse(str(written)) == written


ENTRIES = [entry.encode(START, Digest.of(bytes([number]))) for number in range(7)]
STORED = MemoryTiles()
ROOT = TileTree(STORED).extend(0, ENTRIES)
HEAD = head(7, ROOT)
PROOF = str(proof.LogProof(5, tree.inclusion_proof(5, 7, TileTree(STORED).reader(7)), HEAD.note)).encode()
TRUST = trust.to_text(Trust(ORIGIN, public(ed25519(9)), log_keys(), (HEAD.note,))).encode()


def read_checkpoint(data: bytes) -> object:
    signed = checkpoint.open_note(data, log_keys(), ORIGIN)
    return signed.checkpoint, signed.signed_at


def read_proof(data: bytes) -> object:
    parsed = proof.parse(data)
    signed = checkpoint.open_note(parsed.checkpoint, log_keys(), ORIGIN)
    return proof.verify_entry(ENTRIES[5], parsed.index, parsed.hashes, signed)


def read_tile(data: bytes) -> object:
    tiles = MemoryTiles()
    tiles.resources = {**STORED.resources, "tile/0/000.p/7": data}
    hashes = tree.inclusion_proof(5, 7, TileTree(tiles).reader(7))
    root = tree.root(7, TileTree(tiles).reader(7))
    if root != ROOT:
        raise VerificationFailed("the tiles do not lead to the root that is signed")
    return proof.verify_entry(ENTRIES[5], 5, hashes, HEAD)


def read_bundle(data: bytes) -> object:
    tiles = MemoryTiles()
    tiles.resources = {"tile/entries/000.p/7": data}
    entries = [entry.decode(item) for item in TileTree(tiles).entries(0, 7)]
    if tree.root_of([tree.leaf_hash(entry.encode(item.recorded_at, item.envelope)) for item in entries]) != ROOT:
        raise VerificationFailed("the entries do not lead to the root that is signed")
    return entries


def read_entry(data: bytes) -> object:
    hashes = tree.inclusion_proof(5, 7, TileTree(STORED).reader(7))
    entry.decode(data)
    return proof.verify_entry(data, 5, hashes, HEAD)


READERS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "checkpoint": (HEAD.note.encode(), read_checkpoint),
    "proof": (PROOF, read_proof),
    "tile": (STORED.resources["tile/0/000.p/7"], read_tile),
    "bundle": (STORED.resources["tile/entries/000.p/7"], read_bundle),
    "entry": (ENTRIES[5], read_entry),
}


def spoilt(good: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Yield `count` spoilt copies: bits, bytes, cuts, repeats, swaps; at most four at once."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    for _ in range(count):
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            low, high = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
            match chance.randrange(6):
                case 0 if data:
                    data[low % len(data)] ^= 1 << chance.randrange(8)
                case 1 if data:
                    data[low % len(data)] = chance.choice(b"\x00\x01\n \xff+=A0\x7f\x80")
                case 2:
                    del data[low : min(high, low + chance.randint(1, 40))]
                case 3:
                    data[low:low] = data[low : min(high, low + 40)]
                case 4:
                    data[low:low] = chance.randbytes(chance.randint(1, 4))
                case _:
                    data = data[low:] + data[:low]
        yield bytes(data)


def expect_refused_or_equal(kind: str, count: int, seed: int) -> None:
    good, read = READERS[kind]
    expected, refused = read(good), 0
    for data in spoilt(good, count, seed):
        try:
            assert read(data) == expected
        except (MalformedInput, VerificationFailed):
            refused += 1
    assert refused > count * 0.9, "nearly every change must have been noticed"


def expect_trust_kept_or_refused(count: int, seed: int) -> None:
    """A trust file vouches for nothing itself: what is accepted must read back, and is told by its fingerprint."""
    for data in spoilt(TRUST, count, seed):
        try:
            held = trust.parse(data)
        except MalformedInput:
            continue
        assert trust.parse(trust.to_text(held)) == held
        same = {**json.loads(TRUST), "heads": list(held.heads), "root": note.encode_base64(held.root)}
        assert json.loads(trust.to_text(held)) == same


@pytest.mark.parametrize("kind", READERS)
def test_spoilt_bytes_are_refused_or_equal(kind: str) -> None:
    expect_refused_or_equal(kind, 2000, seed=1)


def test_a_spoilt_trust_file_is_refused_or_reads_back() -> None:
    expect_trust_kept_or_refused(2000, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("kind", READERS)
def test_many_more_spoilt_bytes_are_refused_or_equal(kind: str) -> None:
    expect_refused_or_equal(kind, 50_000, seed=2)


@pytest.mark.soak
def test_many_more_spoilt_trust_files_are_refused_or_read_back() -> None:
    expect_trust_kept_or_refused(50_000, seed=2)


def test_a_key_id_is_the_beginning_of_a_digest() -> None:
    key = note.VerifierKey.parse(log_keys()[0])
    assert key.key_id == sha256(ORIGIN.encode() + b"\n\x01" + key.public_key).digest()[:4]
