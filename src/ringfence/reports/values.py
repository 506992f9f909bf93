"""How numbers, hashes and tokens stand in a pack: each has one spelling. Pure."""

import base64
import binascii

from ringfence.kernel.digest import SIZE
from ringfence.kernel.errors import MalformedInput

MAX_PROOF = 64  # a tree of 2**64 leaves is no deeper


def count(value: object, name: str, limit: int) -> int:
    """Parse a whole number from 0 to a limit."""
    if type(value) is not int or not 0 <= value <= limit:
        raise MalformedInput(f"{name} is a whole number from 0 to {limit}")
    return value


def parse_token(value: object) -> bytes:
    """Parse a time stamp in canonical base64; nothing is verified."""
    if not (data := _decoded(value)):
        raise MalformedInput("a time stamp is canonical base64")
    return data


def decode_hashes(value: object) -> tuple[bytes, ...]:
    """Parse a proof: at most 64 hashes in canonical base64."""
    if not isinstance(value, list) or len(value) > MAX_PROOF:
        raise MalformedInput(f"a proof is a list of at most {MAX_PROOF} hashes")
    return tuple(decode_hash(item) for item in value)


def decode_hash(value: object) -> bytes:
    """Parse 32 bytes in canonical base64."""
    if len(data := _decoded(value)) != SIZE:
        raise MalformedInput("a hash is 32 bytes in base64")
    return data


def _decoded(value: object) -> bytes:
    """Return the bytes of canonical base64; none for anything else."""
    try:
        data = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return b""
    return data if base64.b64encode(data).decode() == value else b""
