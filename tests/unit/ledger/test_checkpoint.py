"""Checkpoints: two signatures by the log, both demanded, over exactly three lines."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from ringfence.kernel.clock import from_text
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.identifier import LogOrigin
from ringfence.ledger import checkpoint, note
from ringfence.ledger.model import Checkpoint
from ringfence.ledger.note import Note, Signature, VerifierKey
from ringfence.ledger.tree import EMPTY_ROOT
from ringfence.testing.clock import START
from ringfence.testing.keys import ORIGIN, ed25519, head, log_keys, ml_dsa_44

VECTOR = json.loads((Path(__file__).parents[3] / "docs" / "specs" / "vectors" / "checkpoint.json").read_text())
ROOT = sha256(b"some root").digest()
HEAD = head(20_852_163, ROOT)
PARSED = note.parse(HEAD.note)
OTHER = LogOrigin("example.eu/other")


def opened(changed: Note) -> None:
    checkpoint.open_note(str(changed), log_keys(), ORIGIN)


def test_the_vector_of_the_specification() -> None:
    keys = (VECTOR["logKeys"][0], VECTOR["logKeys"][1])
    signed = checkpoint.open_note(VECTOR["checkpoint"], keys, LogOrigin(VECTOR["origin"]))

    assert signed.checkpoint == Checkpoint(VECTOR["origin"], VECTOR["size"], bytes.fromhex(VECTOR["root"]))
    assert signed.signed_at == from_text(VECTOR["signedAt"])
    message = checkpoint.cosigned_message(signed.checkpoint, VECTOR["origin"], int(signed.signed_at.timestamp()))
    assert message.hex() == VECTOR["cosignedMessage"]
    assert keys == checkpoint.vkeys(
        LogOrigin(VECTOR["origin"]), bytes.fromhex(VECTOR["ed25519Public"]), VerifierKey.parse(keys[1]).public_key
    )


def test_what_is_signed_opens_with_the_keys_of_the_log() -> None:
    assert checkpoint.open_note(HEAD.note, log_keys(), ORIGIN) == HEAD
    assert checkpoint.open_note(HEAD.note.encode(), log_keys(), ORIGIN) == HEAD
    assert HEAD.checkpoint == Checkpoint(ORIGIN, 20_852_163, ROOT)
    assert HEAD.signed_at == START


def test_the_time_of_signing_is_rounded_down_to_seconds() -> None:
    assert head(1, ROOT, START + timedelta(microseconds=999_999)).signed_at == START


def test_signatures_of_others_are_ignored() -> None:
    """A witness, a key with the log's name and another id, and one with the log's id and another name."""
    by_log = PARSED.signatures[0]
    others = (
        Signature("witness.example", b"abcd", b"x" * 72),
        Signature(by_log.name, b"abcd", b"x"),
        Signature("witness.example", by_log.key_id, b"x"),
    )
    cosigned = Note(PARSED.text, (others[0], *PARSED.signatures, *others[1:]))
    signed = checkpoint.open_note(str(cosigned), log_keys(), ORIGIN)
    assert (signed.checkpoint, signed.signed_at) == (HEAD.checkpoint, HEAD.signed_at)
    assert signed.note == str(cosigned)


@pytest.mark.parametrize(("missing", "says"), [(0, "Ed25519"), (1, "ML-DSA-44")])
def test_each_signature_is_demanded(missing: int, says: str) -> None:
    with pytest.raises(VerificationFailed, match=f"does not carry the log's {says} signature"):
        opened(Note(PARSED.text, (PARSED.signatures[1 - missing],)))


@pytest.mark.parametrize(("which", "says"), [(0, "Ed25519"), (1, "ML-DSA-44")])
@pytest.mark.parametrize("at", [0, 7, 8, 63, -1])
def test_each_signature_is_verified(which: int, says: str, at: int) -> None:
    lines = list(PARSED.signatures)
    data = bytearray(lines[which].data)
    data[at] ^= 1
    lines[which] = replace(lines[which], data=bytes(data))
    with pytest.raises((VerificationFailed, MalformedInput), match=says):
        opened(Note(PARSED.text, tuple(lines)))


@pytest.mark.parametrize("which", [0, 1])
def test_one_key_in_the_hands_of_another_is_not_enough(which: int) -> None:
    """Whoever holds only one of the two keys can sign a head of their own with it, and nothing more."""
    forged = note.parse(head(20_852_164, ROOT).note)
    lines = [*PARSED.signatures]
    lines[which] = forged.signatures[which]
    with pytest.raises(VerificationFailed):
        opened(Note(forged.text, tuple(lines)))


@pytest.mark.parametrize("changed", [Checkpoint(ORIGIN, 20_852_162, ROOT), Checkpoint(ORIGIN, 20_852_163, EMPTY_ROOT)])
def test_another_size_or_root_is_refused(changed: Checkpoint) -> None:
    with pytest.raises(VerificationFailed):
        opened(replace(PARSED, text=checkpoint.to_text(changed)))


@pytest.mark.parametrize("which", [0, 1])
def test_two_signatures_of_one_key_are_refused(which: int) -> None:
    with pytest.raises(MalformedInput, match="carries one"):
        opened(Note(PARSED.text, (*PARSED.signatures, PARSED.signatures[which])))


@pytest.mark.parametrize("which", [0, 1])
def test_a_signature_of_another_length_is_refused(which: int) -> None:
    lines = list(PARSED.signatures)
    lines[which] = replace(lines[which], data=lines[which].data + b"\x00")
    with pytest.raises(MalformedInput, match="bytes"):
        opened(Note(PARSED.text, tuple(lines)))


@pytest.mark.parametrize("seconds", [0, 253_402_300_800, 2**64 - 1])
def test_a_head_without_a_time_is_refused_even_if_it_is_signed(seconds: int) -> None:
    key = VerifierKey.parse(log_keys()[1])
    signature = ml_dsa_44(1).sign(checkpoint.cosigned_message(HEAD.checkpoint, ORIGIN, seconds))
    line = Signature(ORIGIN, key.key_id, seconds.to_bytes(8, "big") + signature)
    with pytest.raises(MalformedInput, match="when it was made"):
        opened(Note(PARSED.text, (PARSED.signatures[0], line)))


def test_the_head_of_another_log_is_refused() -> None:
    with pytest.raises(VerificationFailed, match=r"of the log example\.eu/other, not of example\.eu/log"):
        checkpoint.open_note(head(5, ROOT, origin=OTHER).note, log_keys(), ORIGIN)


def test_the_keys_of_another_installation_do_not_open_it() -> None:
    with pytest.raises(VerificationFailed):
        checkpoint.open_note(HEAD.note, log_keys(seed=2), ORIGIN)


@pytest.mark.parametrize(
    "keys",
    [
        (log_keys()[1], log_keys()[0]),
        (log_keys()[0], log_keys()[0]),
        (log_keys(OTHER)[0], log_keys()[1]),
        (log_keys()[0], log_keys(OTHER)[1]),
        ("", ""),
    ],
)
def test_keys_that_are_not_those_of_a_log_are_refused(keys: tuple[str, str]) -> None:
    with pytest.raises(MalformedInput):
        checkpoint.open_note(HEAD.note, keys, ORIGIN)


BASE64 = note.encode_base64(ROOT)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n5\n",
        f"{ORIGIN}\n5\n{BASE64}",
        f"{ORIGIN}\n5\n{BASE64}\nextension\n",
        f"{ORIGIN}\n05\n{BASE64}\n",
        f"{ORIGIN}\n-5\n{BASE64}\n",
        f"{ORIGIN}\n+5\n{BASE64}\n",
        f"{ORIGIN}\n٥\n{BASE64}\n",  # noqa: RUF001
        f"{ORIGIN}\n\n{BASE64}\n",
        f"{ORIGIN}\n{2**63}\n{BASE64}\n",
        f"{ORIGIN}\n{'9' * 5000}\n{BASE64}\n",
        f"{ORIGIN}\n0\n{BASE64}\n",
        f"{ORIGIN}\n5\n{BASE64[:-4]}\n",
        f"{ORIGIN}\n5\n{BASE64} \n",
        f"Example.eu/log\n5\n{BASE64}\n",
        f"\n5\n{BASE64}\n",
    ],
)
def test_any_other_text_is_no_checkpoint_even_if_it_is_signed(text: str) -> None:
    ed25519_line = replace(PARSED.signatures[0], data=ed25519(1).sign(text.encode()))
    with pytest.raises(MalformedInput):
        opened(Note(text, (ed25519_line, PARSED.signatures[1])))


def test_an_empty_log_has_a_head_too() -> None:
    signed = head(0, EMPTY_ROOT)
    assert signed.checkpoint == Checkpoint(ORIGIN, 0, EMPTY_ROOT)


def test_nothing_is_signed_that_cannot_be_opened() -> None:
    for wrong in (Checkpoint(ORIGIN, 0, ROOT), Checkpoint(ORIGIN, 5, ROOT[:-1]), Checkpoint(ORIGIN, -1, ROOT)):
        with pytest.raises((MalformedInput, OverflowError)):
            checkpoint.sign(wrong, ed25519(1), ml_dsa_44(1), START)
    with pytest.raises(MalformedInput, match="when it was made"):
        checkpoint.sign(Checkpoint(ORIGIN, 5, ROOT), ed25519(1), ml_dsa_44(1), datetime(1970, 1, 1, tzinfo=UTC))
