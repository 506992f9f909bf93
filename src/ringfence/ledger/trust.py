"""The trust file: what an outsider needs to hold in order to check everything else, and the root's fingerprint.

It vouches for nothing by itself: compare the fingerprint with one that reached you another way.
"""

import json
from typing import Any

from ringfence.kernel import digest, identifier
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.ledger import checkpoint, note
from ringfence.ledger.model import SignedCheckpoint, Trust

FORMAT = "urn:ringfence:trust:v1"
ROOT_SIZE = 32
MAX_HEADS = 256  # one a day between two yearly audits would already be many; keeps a file below 2 MB
MAX_TRUST = 2 * 2**20
_SPOKEN_DIGITS = 24  # 96 bits: nobody finds a second root key with the same beginning
_SPOKEN_GROUP = 4


def to_text(trust: Trust) -> str:
    """Print a trust file."""
    document = {
        "format": FORMAT,
        "log": trust.log,
        "root": note.encode_base64(trust.root),
        "logKeys": list(trust.log_keys),
        "heads": list(trust.heads),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def parse(data: bytes | str, *, source: str = "") -> Trust:
    """Parse a trust file, or raise `MalformedInput`; the signatures of its heads are not verified."""
    document = digest.loads(data, source=source, limit=MAX_TRUST)
    try:
        return _trust(document)
    except MalformedInput as error:
        raise MalformedInput(str(error), source=source) from error


def open_heads(trust: Trust) -> tuple[SignedCheckpoint, ...]:
    """Return the heads that were kept, smallest first.

    Raises:
        VerificationFailed: one is not signed by both keys of the log.
    """
    heads = [checkpoint.open_note(head, trust.log_keys, trust.log) for head in trust.heads]
    return tuple(sorted(heads, key=lambda head: head.checkpoint.size))


def fingerprint(root: bytes) -> str:
    """Return the fingerprint of a raw root key."""
    return str(Digest.of(root))


def spoken_fingerprint(root: bytes) -> str:
    """Return the beginning of the fingerprint, in groups for reading aloud."""
    digits = Digest.of(root).hex[:_SPOKEN_DIGITS]
    return " ".join(digits[at : at + _SPOKEN_GROUP] for at in range(0, len(digits), _SPOKEN_GROUP))


def _trust(document: Any) -> Trust:
    match document:
        case {
            "format": str() as kind,
            "log": str() as log,
            "root": str() as root_text,
            "logKeys": [str() as ed25519, str() as mldsa],
            "heads": list() as heads,
            **extra,
        } if kind == FORMAT and not extra:
            origin = identifier.log_origin(log)
        case _:
            raise MalformedInput(f"not a trust file: format {FORMAT!r}, log, root, logKeys (two) and heads")
    root = note.decode_base64(root_text, "the root key")
    if len(root) != ROOT_SIZE:
        raise MalformedInput(f"the root key has {ROOT_SIZE} bytes")
    checkpoint.parse_log_keys((ed25519, mldsa), origin)
    return Trust(origin, root, (ed25519, mldsa), _heads(heads))


def _heads(values: list[Any]) -> tuple[str, ...]:
    if len(values) > MAX_HEADS or not all(isinstance(value, str) for value in values):
        raise MalformedInput(f"heads are at most {MAX_HEADS} checkpoints as text")
    for value in values:
        checkpoint.parse_text(note.parse(value).text)
    return tuple(values)
