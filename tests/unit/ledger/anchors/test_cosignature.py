"""Cosignatures: the bytes of c2sp.org/tlog-cosignature, and everything that is refused."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.ledger.anchors.cosignature import MAX_LINES, cosign, message, parse_key, verify_cosignatures
from ringfence.ledger.checkpoint import parse_text
from ringfence.ledger.model import Checkpoint
from ringfence.ledger.note import Signature, parse_signature
from ringfence.testing.anchors import cosigned_by, named, witness_keys
from ringfence.testing.clock import START
from ringfence.testing.keys import ORIGIN, log_keys

VECTORS = Path(__file__).parents[4] / "docs" / "specs" / "vectors" / "cosignature.json"
HEAD = Checkpoint(ORIGIN, 7, bytes(range(32)))
KEYS = witness_keys()
LINES = cosigned_by(KEYS, HEAD, START)
KNOWN = named(KEYS)


def test_the_example_of_the_specification() -> None:
    head = parse_text("example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")
    signed = message(head, KEYS[0].public, 1679315147).decode()
    assert signed == (
        "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_both_kinds_are_made_and_verified() -> None:
    found = verify_cosignatures(HEAD, LINES, KNOWN)
    assert [(each.witness, each.party, each.at, each.outside) for each in found] == [
        ("witness.example/w1", "Auditor GmbH", START.replace(microsecond=0), True)
    ] * 2


def test_the_operators_own_witness_is_no_outside_party() -> None:
    (first, _) = verify_cosignatures(HEAD, LINES, named(KEYS, "operator"))
    assert not first.outside


def test_lines_by_strangers_are_nobodys_word() -> None:
    assert verify_cosignatures(HEAD, LINES, ()) == ()
    assert verify_cosignatures(HEAD, LINES, named(witness_keys(seed=42))) == ()
    assert verify_cosignatures(HEAD, LINES, named(witness_keys("witness.example/w2"))) == ()


@pytest.mark.parametrize(
    "other", [replace(HEAD, size=8), replace(HEAD, root=bytes(32)), replace(HEAD, origin="example.eu/other")]
)
@pytest.mark.parametrize("line", LINES)
def test_a_cosignature_holds_for_its_head_alone(other: Checkpoint, line: str) -> None:
    with pytest.raises(VerificationFailed, match="does not match"):
        verify_cosignatures(other, [line], KNOWN)


@given(line=st.sampled_from(LINES), where=st.integers(min_value=4), bit=st.integers(0, 7))
def test_every_flipped_bit_is_refused(line: str, where: int, bit: int) -> None:
    signature = parse_signature(line)
    data = bytearray(signature.key_id + signature.data)
    data[4 + where % len(signature.data)] ^= 1 << bit
    changed = Signature(signature.name, signature.key_id, bytes(data[4:]))
    with pytest.raises((VerificationFailed, MalformedInput)):
        verify_cosignatures(HEAD, [str(changed)], KNOWN)


@pytest.mark.parametrize("line", LINES)
def test_a_time_of_zero_or_beyond_the_calendar_is_refused(line: str) -> None:
    signature = parse_signature(line)
    for seconds in (0, 2**62):
        changed = replace(signature, data=seconds.to_bytes(8, "big") + signature.data[8:])
        with pytest.raises(MalformedInput, match="when it was made"):
            verify_cosignatures(HEAD, [str(changed)], KNOWN)


@pytest.mark.parametrize("line", LINES)
def test_a_shorter_or_longer_signature_is_refused(line: str) -> None:
    signature = parse_signature(line)
    for data in (signature.data[:-1], signature.data + b"\x00", signature.data[8:]):
        with pytest.raises(MalformedInput, match="bytes"):
            verify_cosignatures(HEAD, [str(replace(signature, data=data))], KNOWN)


@pytest.mark.parametrize("lines", [[""], ["— a"], ["- a b"], ["— a AA=="], [LINES[0]] * (MAX_LINES + 1), ["x" * 5000]])
def test_what_is_no_line_of_a_note_is_refused(lines: list[str]) -> None:
    with pytest.raises(MalformedInput):
        verify_cosignatures(HEAD, lines, KNOWN)


def test_a_key_that_does_not_sign_what_it_should_hands_out_nothing() -> None:
    with pytest.raises(VerificationFailed):
        cosign(HEAD, KEYS[0].public, witness_keys(seed=42)[0].sign, START)


def test_a_logs_key_is_no_witness() -> None:
    with pytest.raises(MalformedInput, match="0x04"):
        parse_key(log_keys()[0])


def test_the_vectors() -> None:
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    head = parse_text(vectors["checkpoint"])
    known = [replace(KNOWN[0], vkey=vkey) for vkey in vectors["vkeys"]]
    found = verify_cosignatures(head, vectors["cosignatures"], known)
    assert [int(each.at.timestamp()) for each in found] == [vectors["time"]] * 2
    for vkey, expected in zip(vectors["vkeys"], vectors["messages"], strict=True):
        assert base64.b64encode(message(head, parse_key(vkey), vectors["time"])).decode() == expected
    again = cosign(head, KEYS[0].public, KEYS[0].sign, found[0].at)
    assert again == vectors["cosignatures"][0]  # Ed25519 is deterministic; ML-DSA-44 is not
