"""Cosignatures of witnesses over checkpoints: c2sp.org/tlog-cosignature. Format: docs/specs/cosignature.md."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.ledger import note
from ringfence.ledger.checkpoint import cosigned_message, to_text
from ringfence.ledger.model import Checkpoint, Cosigned, Witness
from ringfence.ledger.note import Signature, SignatureType, VerifierKey

HEADER = "cosignature/v1"
MAX_LINES = 64  # cosignatures of one head; beyond, nobody reads them
MAX_LINE = 4096  # characters; the longest, ML-DSA-44 with a name of 255, has 3,500
MAX_NAME = 255  # bytes: what the message of ML-DSA-44 has room for
SIZES = {SignatureType.ED25519_COSIGNATURE: 8 + 64, SignatureType.ML_DSA_44: 8 + 2420}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_SECONDS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)  # year 9999


def parse_key(vkey: str) -> VerifierKey:
    """Parse the verifier key of a witness, or raise `MalformedInput`."""
    key = VerifierKey.parse(vkey)
    if key.kind not in SIZES:
        raise MalformedInput("the key of a witness is of type 0x04 (Ed25519) or 0x06 (ML-DSA-44)")
    if len(key.name.encode()) > MAX_NAME:
        raise MalformedInput(f"the name of a witness has at most {MAX_NAME} bytes")
    return key


def message(checkpoint: Checkpoint, key: VerifierKey, seconds: int) -> bytes:
    """Return the bytes that a cosigner signs with `key` at a time given in seconds."""
    if key.kind is SignatureType.ML_DSA_44:
        return cosigned_message(checkpoint, key.name, seconds)
    return f"{HEADER}\ntime {seconds}\n{to_text(checkpoint)}".encode()


def cosign(checkpoint: Checkpoint, key: VerifierKey, sign: Callable[[bytes], bytes], at: datetime) -> str:
    """Return a cosignature as the line of a note; `at` is rounded down to seconds.

    What is returned has been verified, so that no witness hands out what nobody can check.
    """
    seconds = (at - _EPOCH) // timedelta(seconds=1)
    made = seconds.to_bytes(8, "big") + sign(message(checkpoint, key, seconds))
    line = Signature(key.name, key.key_id, made)
    _verified_at(checkpoint, line, key)
    return str(line)


def parse_lines(lines: Sequence[str], *, source: str = "") -> tuple[Signature, ...]:
    """Parse signature lines, or raise `MalformedInput`; nothing is verified."""
    if len(lines) > MAX_LINES or any(len(line) > MAX_LINE for line in lines):
        raise MalformedInput(
            f"cosignatures are at most {MAX_LINES} lines of at most {MAX_LINE} characters", source=source
        )
    return tuple(note.parse_signature(line, source=source) for line in lines)


def verify_cosignatures(
    checkpoint: Checkpoint, lines: Sequence[str], witnesses: Iterable[Witness]
) -> tuple[Cosigned, ...]:
    """Return which of the witnesses cosigned the checkpoint, in the order of the lines.

    Lines by keys that the reader does not know are ignored: they are nobody's word.

    Raises:
        MalformedInput: a line is not one of a note, or not a cosignature of the type of its key.
        VerificationFailed: a line claims to be by a known key, and is not.
    """
    known = {(key.name, key.key_id): (key, witness) for witness in witnesses for key in [parse_key(witness.vkey)]}
    found = []
    for line in parse_lines(lines):
        if (line.name, line.key_id) in known:
            key, witness = known[line.name, line.key_id]
            found.append(Cosigned(witness.name, witness.party, _verified_at(checkpoint, line, key)))
    return tuple(found)


def _verified_at(checkpoint: Checkpoint, line: Signature, key: VerifierKey) -> datetime:
    if len(line.data) != SIZES[key.kind]:
        raise MalformedInput(f"a cosignature by {key.name} has {SIZES[key.kind]} bytes")
    seconds = int.from_bytes(line.data[:8], "big")
    if not 0 < seconds <= _MAX_SECONDS:
        raise MalformedInput(f"the cosignature by {key.name} does not say when it was made")
    try:
        _public(key).verify(line.data[8:], message(checkpoint, key, seconds))
    except (InvalidSignature, ValueError) as error:
        raise VerificationFailed(f"the cosignature by {key.name} does not match the checkpoint") from error
    return _EPOCH + timedelta(seconds=seconds)


def _public(key: VerifierKey) -> Ed25519PublicKey | MLDSA44PublicKey:
    if key.kind is SignatureType.ML_DSA_44:
        return MLDSA44PublicKey.from_public_bytes(key.public_key)
    return Ed25519PublicKey.from_public_bytes(key.public_key)
