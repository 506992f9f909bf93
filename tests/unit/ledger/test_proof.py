"""Offline proofs: one entry in the log, one head after another, and their text form."""

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.identifier import LogOrigin
from ringfence.ledger import checkpoint, entry, note, proof, tree
from ringfence.ledger.entry import Entry
from ringfence.ledger.model import SignedCheckpoint
from ringfence.ledger.proof import LogProof
from ringfence.ledger.tiletree import TileTree
from ringfence.testing.clock import START
from ringfence.testing.keys import ORIGIN, head, log_keys
from ringfence.testing.tiles import MemoryTiles

ENVELOPES = [Digest.of(bytes([number])) for number in range(9)]
ENTRIES = [entry.encode(START, envelope) for envelope in ENVELOPES]
TREE = TileTree(MemoryTiles())
HEADS = [head(0, tree.EMPTY_ROOT)] + [head(n, TREE.extend(n - 1, [ENTRIES[n - 1]])) for n in range(1, 10)]
HEAD = HEADS[7]
HASHES = tree.inclusion_proof(5, 7, TREE.reader(7))
PROOF = LogProof(5, HASHES, HEAD.note)


def continued(old: int, new: int) -> tuple[bytes, ...]:
    return tree.consistency_proof(old, new, TREE.reader(new))


def rebuilt(size: int) -> SignedCheckpoint:
    """Another log under the same name and keys: what a thief of the host would make."""
    return head(size, tree.root_of([tree.leaf_hash(b"rebuilt %d" % number) for number in range(size)]))


def test_an_entry_is_proven_with_what_the_proof_file_holds() -> None:
    parsed = proof.parse(str(PROOF))
    signed = checkpoint.open_note(parsed.checkpoint, log_keys(), ORIGIN)
    assert parsed == PROOF
    assert proof.verify_entry(ENTRIES[5], parsed.index, parsed.hashes, signed) == Entry(START, ENVELOPES[5])


@pytest.mark.parametrize("extra", [None, b"", b"opaque"])
def test_the_text_form_is_that_of_the_specification(extra: bytes | None) -> None:
    written = LogProof(5, HASHES, HEAD.note, extra)
    text = str(written)

    assert text.startswith("c2sp.org/tlog-proof@v1\n")
    assert ("\nextra " in text) == (extra is not None)
    assert f"\nindex 5\n{note.encode_base64(HASHES[0])}\n" in text
    assert text.endswith("\n\n" + HEAD.note)
    assert proof.parse(text) == written
    assert proof.parse(text.encode()) == written


def test_a_proof_without_hashes_is_that_of_a_log_of_one() -> None:
    parsed = proof.parse(str(LogProof(0, (), HEADS[1].note)))
    assert proof.verify_entry(ENTRIES[0], parsed.index, parsed.hashes, HEADS[1]) == Entry(START, ENVELOPES[0])


def test_another_entry_index_or_head_is_not_proven() -> None:
    for data, index, signed in [(ENTRIES[4], 5, HEAD), (ENTRIES[5], 4, HEAD), (ENTRIES[5], 5, HEADS[8])]:
        with pytest.raises(VerificationFailed):
            proof.verify_entry(data, index, HASHES, signed)
    with pytest.raises(VerificationFailed):
        proof.verify_entry(ENTRIES[5], 5, HASHES, rebuilt(7))


def test_a_leaf_that_is_no_entry_of_ours_is_refused_after_its_proof() -> None:
    with pytest.raises(MalformedInput):
        proof.verify_entry(b"rebuilt 0", 0, (), rebuilt(1))


TEXT = str(PROOF)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\n",
        TEXT.replace("@v1", "@v2"),
        TEXT.replace("index 5\n", ""),
        TEXT.replace("index 5", "index 05"),
        TEXT.replace("index 5", "index -5"),
        TEXT.replace("index 5", "index  5"),
        TEXT.replace("index 5", f"index {2**63}"),
        TEXT.replace("index 5", "index 5\nextra AAAA"),
        TEXT.replace("index 5", "extra AAAA\nextra AAAA\nindex 5"),
        TEXT.replace("index 5", "extra AAA\nindex 5"),
        TEXT.replace("index 5", "index 5\nAAAA"),
        TEXT.replace("index 5\n", "index 5\n" + "A" * 43 + "=\n" * 64),
        TEXT.replace("index 5\n", "index 5\n" + ("A" * 43 + "=\n") * 61),
        TEXT.replace("index 5\n", "index 5\r\n"),
        TEXT.replace("\n\n", "\n", 1),
        TEXT.replace("\n\n", "\n\n\n", 1),
        TEXT.split("\n\n", maxsplit=1)[0] + "\n\n",
        TEXT.replace("index", "\ud800"),
        TEXT + "a" * proof.MAX_PROOF,
    ],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        proof.parse(text)


def test_bytes_that_are_not_text_are_refused() -> None:
    with pytest.raises(MalformedInput, match="UTF-8"):
        proof.parse(b"\xff")


def test_every_head_continues_every_head_before_it() -> None:
    for new in range(1, 10):
        for old in range(1, new + 1):
            assert proof.verify_head(HEADS[old], HEADS[new], continued(old, new)) is HEADS[new]


def test_any_log_continues_an_empty_one() -> None:
    assert proof.verify_head(HEADS[0], HEADS[3], ()) is HEADS[3]
    assert proof.verify_head(HEADS[0], HEADS[0], ()) is HEADS[0]
    with pytest.raises(VerificationFailed, match="nothing is to be proven"):
        proof.verify_head(HEADS[0], HEADS[3], HASHES)


def test_a_log_that_was_cut_short_is_told_so() -> None:
    with pytest.raises(VerificationFailed, match=r"shorter than a head exported before.*has 7 entries, the log has 6"):
        proof.verify_head(HEADS[7], HEADS[6], ())


@pytest.mark.parametrize("size", [7, 8, 9])
def test_a_log_that_was_rebuilt_is_told_so(size: int) -> None:
    for hashes in ((), continued(7, size) if size > 7 else ()):
        with pytest.raises(VerificationFailed, match=r"rebuilt or forked: the head kept, of 2026-11-22T09:00:00\.000Z"):
            proof.verify_head(HEADS[7], rebuilt(size), hashes)


def test_the_head_of_another_log_continues_nothing() -> None:
    other = head(8, HEADS[8].checkpoint.root, origin=LogOrigin("example.eu/other"))
    with pytest.raises(VerificationFailed, match=r"of the log example\.eu/log, not of example\.eu/other"):
        proof.verify_head(HEADS[7], other, continued(7, 8))
