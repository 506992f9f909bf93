"""A log written by transparency-dev/tessera, read with our notes, tiles and tree; and ours laid out like it."""

import tarfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ringfence.kernel.errors import VerificationFailed
from ringfence.kernel.identifier import LogOrigin
from ringfence.ledger import checkpoint, note, tree
from ringfence.ledger.model import Checkpoint
from ringfence.ledger.note import SignatureType, VerifierKey
from ringfence.ledger.tiletree import TileTree
from ringfence.testing.keys import ml_dsa_44
from ringfence.testing.tiles import MemoryTiles

VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
ORIGIN = LogOrigin("example.com/log/testdata")
PREFIX = "testdata/log/"


def unpacked() -> dict[str, bytes]:
    with tarfile.open(Path(__file__).parent / "tessera" / "testdata-log.tar.gz") as archive:
        files = {m.name.removeprefix(PREFIX): archive.extractfile(m) for m in archive if m.name.startswith(PREFIX)}
        return {name: file.read() for name, file in files.items() if file}


FILES = unpacked()
TILES = MemoryTiles()
TILES.resources = {name: data for name, data in FILES.items() if name.startswith("tile/")}


def head(name: str) -> Checkpoint:
    key, parsed = VerifierKey.parse(VKEY), note.parse(FILES[name])
    (signature,) = [line for line in parsed.signatures if line.is_by(key)]
    Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature.data, parsed.text.encode())
    assert str(parsed).encode() == FILES[name]
    return checkpoint.parse_text(parsed.text)


HEADS = {name: head(name) for name in FILES if name.startswith("checkpoint")}
SIZED = {found.size: found for found in HEADS.values()}


def test_the_whole_log_was_read() -> None:
    assert sorted(SIZED) == [size for size in range(16) if f"checkpoint.{size}" in FILES]
    assert (len(HEADS), HEADS["checkpoint"].size) == (17, 15)
    assert {found.origin for found in HEADS.values()} == {ORIGIN}


@pytest.mark.parametrize("size", sorted(SIZED))
def test_tiles_and_entries_lead_to_the_signed_roots(size: int) -> None:
    reader = TileTree(TILES)
    leaves = [tree.leaf_hash(entry) for entry in reader.entries(0, size)]
    assert tree.root(size, reader.reader(size)) == tree.root_of(leaves) == SIZED[size].root


@pytest.mark.parametrize("new", sorted(SIZED)[1:])
def test_any_two_heads_are_consistent_and_no_other_root_is(new: int) -> None:
    reader = TileTree(TILES).reader(new)
    for old in [size for size in sorted(SIZED)[1:] if size <= new]:
        proof = tree.consistency_proof(old, new, reader)
        tree.verify_consistency(old, SIZED[old].root, new, SIZED[new].root, proof)
        with pytest.raises(VerificationFailed):
            tree.verify_consistency(old, bytes(32), new, SIZED[new].root, proof)


def test_the_same_entries_make_the_same_files() -> None:
    entries, ours = list(TileTree(TILES).entries(0, 15)), MemoryTiles()
    grown = TileTree(ours)
    for size in range(1, 16):
        grown.extend(size - 1, entries[size - 1 : size])
    assert ours.resources == TILES.resources


def test_one_signature_is_not_enough_for_a_checkpoint_of_ours() -> None:
    second = VerifierKey(ORIGIN, SignatureType.ML_DSA_44, ml_dsa_44(1).public_key().public_bytes_raw())
    with pytest.raises(VerificationFailed, match="ML-DSA-44"):
        checkpoint.open_note(FILES["checkpoint"], (VKEY, str(second)), ORIGIN)
