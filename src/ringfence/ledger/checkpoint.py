"""Checkpoints: the log's signed tree heads. Format: docs/specs/checkpoint.md.

Both signatures of the log, Ed25519 and ML-DSA-44, are made and demanded: forging a head means breaking both.
"""

import re
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from ringfence.kernel import identifier
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.identifier import LogOrigin
from ringfence.ledger import note
from ringfence.ledger.model import Checkpoint, SignedCheckpoint
from ringfence.ledger.note import Note, Signature, SignatureType, VerifierKey
from ringfence.ledger.tree import EMPTY_ROOT, HASH_SIZE, MAX_SIZE

LABEL = b"subtree/v1\n\x00"
ED25519_SIGNATURE = 64
ML_DSA_44_SIGNATURE = 2420
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_SECONDS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)  # year 9999
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


def vkeys(origin: LogOrigin, ed25519_public: bytes, mldsa_public: bytes) -> tuple[str, str]:
    """Return the two verifier keys of a log as text, from its raw public keys."""
    ed25519 = VerifierKey(origin, SignatureType.ED25519, ed25519_public)
    mldsa = VerifierKey(origin, SignatureType.ML_DSA_44, mldsa_public)
    return str(ed25519), str(mldsa)


def sign(
    checkpoint: Checkpoint, ed25519_key: Ed25519PrivateKey, mldsa_key: MLDSA44PrivateKey, at: datetime
) -> SignedCheckpoint:
    """Sign a checkpoint with both keys of the log; `at` is rounded down to seconds.

    What is returned has been read back and verified, so that nothing is published that nobody can open.
    """
    body, seconds = to_text(checkpoint), (at - _EPOCH) // timedelta(seconds=1)
    keys = vkeys(
        checkpoint.origin, ed25519_key.public_key().public_bytes_raw(), mldsa_key.public_key().public_bytes_raw()
    )
    ed25519, mldsa = map(VerifierKey.parse, keys)
    stamped = seconds.to_bytes(8, "big") + mldsa_key.sign(cosigned_message(checkpoint, mldsa.name, seconds))
    signatures = (
        Signature(ed25519.name, ed25519.key_id, ed25519_key.sign(body.encode())),
        Signature(mldsa.name, mldsa.key_id, stamped),
    )
    return open_note(str(Note(body, signatures)), keys, checkpoint.origin)


def open_note(data: str | bytes, log_keys: tuple[str, str], origin: LogOrigin, *, source: str = "") -> SignedCheckpoint:
    """Return the checkpoint that a note holds, once both signatures of the log have been verified.

    Signatures by keys that are not in `log_keys` (the vkeys for Ed25519 and ML-DSA-44, in this order) are ignored.

    Raises:
        MalformedInput: it is not a checkpoint, or the keys are not those of a log.
        VerificationFailed: it is of another log, or a signature is missing or wrong.
    """
    ed25519, mldsa = parse_log_keys(log_keys, origin)
    parsed = note.parse(data, source=source)
    checkpoint = parse_text(parsed.text, source=source)
    if checkpoint.origin != origin:
        raise VerificationFailed(f"the checkpoint is of the log {checkpoint.origin}, not of {origin}")
    _verify_ed25519(parsed, ed25519)
    signed_at = _verify_mldsa(parsed, mldsa, checkpoint)
    return SignedCheckpoint(checkpoint, str(parsed), signed_at)


def parse_log_keys(log_keys: tuple[str, str], origin: LogOrigin) -> tuple[VerifierKey, VerifierKey]:
    """Parse the two vkeys of the log `origin`, Ed25519 first, or raise `MalformedInput`."""
    ed25519, mldsa = VerifierKey.parse(log_keys[0]), VerifierKey.parse(log_keys[1])
    if (ed25519.kind, mldsa.kind) != (SignatureType.ED25519, SignatureType.ML_DSA_44):
        raise MalformedInput("a log has one Ed25519 key and one ML-DSA-44 key, in this order")
    if (ed25519.name, mldsa.name) != (origin, origin):
        raise MalformedInput(f"the keys of the log {origin} carry its name")
    return ed25519, mldsa


def to_text(checkpoint: Checkpoint) -> str:
    """Print the text of a checkpoint: what its Ed25519 key signs."""
    return f"{checkpoint.origin}\n{checkpoint.size}\n{note.encode_base64(checkpoint.root)}\n"


def parse_text(text: str, *, source: str = "") -> Checkpoint:
    """Parse the text of a checkpoint, or raise `MalformedInput`.

    Extension lines are refused: the ML-DSA-44 signature does not cover them.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise MalformedInput("a checkpoint has three lines: origin, size, root", source=source)
    size = int(lines[1]) if _NUMBER.fullmatch(lines[1]) else -1
    if not 0 <= size <= MAX_SIZE:
        raise MalformedInput("the second line of a checkpoint is its size, a decimal number", source=source)
    root = note.decode_base64(lines[2], "the root of the checkpoint")
    if len(root) != HASH_SIZE or (size == 0 and root != EMPTY_ROOT):
        raise MalformedInput("the third line of a checkpoint is its root, a SHA-256 tree hash", source=source)
    return Checkpoint(identifier.log_origin(lines[0]), size, root)


def cosigned_message(checkpoint: Checkpoint, cosigner: str, seconds: int) -> bytes:
    """Return what an ML-DSA-44 cosigner signs: `cosigned_message` of c2sp.org/tlog-cosignature, from leaf 0 on."""
    name, origin = cosigner.encode(), checkpoint.origin.encode()
    return b"".join(
        (
            LABEL,
            bytes((len(name),)) + name,
            seconds.to_bytes(8, "big"),
            bytes((len(origin),)) + origin,
            (0).to_bytes(8, "big"),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def verify_by(parsed: Note, checkpoint: Checkpoint, key: VerifierKey) -> None:
    """Return where the log signed a checkpoint with one key; for logs that have other keys than ours have.

    Raises:
        MalformedInput: a log has no key of this type.
        VerificationFailed: the signature is missing or wrong.
    """
    if key.kind is SignatureType.ED25519:
        _verify_ed25519(parsed, key)
    elif key.kind is SignatureType.ML_DSA_44:
        _verify_mldsa(parsed, key, checkpoint)
    else:
        raise MalformedInput("a log signs with keys of the types 0x01 (Ed25519) and 0x06 (ML-DSA-44)")


def _verify_ed25519(parsed: Note, key: VerifierKey) -> None:
    signature = _signature_by(parsed, key, ED25519_SIGNATURE)
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, parsed.text.encode())
    except (InvalidSignature, ValueError) as error:
        raise VerificationFailed("the Ed25519 signature of the log does not match the checkpoint") from error


def _verify_mldsa(parsed: Note, key: VerifierKey, checkpoint: Checkpoint) -> datetime:
    stamped = _signature_by(parsed, key, 8 + ML_DSA_44_SIGNATURE)
    seconds = int.from_bytes(stamped[:8], "big")
    if not 0 < seconds <= _MAX_SECONDS:
        raise MalformedInput("the ML-DSA-44 signature of the log does not say when it was made")
    message = cosigned_message(checkpoint, key.name, seconds)
    try:
        MLDSA44PublicKey.from_public_bytes(key.public_key).verify(stamped[8:], message)
    except (InvalidSignature, ValueError) as error:
        raise VerificationFailed("the ML-DSA-44 signature of the log does not match the checkpoint") from error
    return _EPOCH + timedelta(seconds=seconds)


def _signature_by(parsed: Note, key: VerifierKey, size: int) -> bytes:
    name = {SignatureType.ED25519: "Ed25519", SignatureType.ML_DSA_44: "ML-DSA-44"}[key.kind]
    found = [signature.data for signature in parsed.signatures if signature.is_by(key)]
    if not found:
        raise VerificationFailed(f"the checkpoint does not carry the log's {name} signature")
    if len(found) > 1 or len(found[0]) != size:
        raise MalformedInput(f"a checkpoint carries one {name} signature of the log, of {size} bytes")
    return found[0]
