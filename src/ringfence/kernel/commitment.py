"""Salted commitments: what an envelope keeps of details that must be erasable.

A commitment is the SHA-256 of a 32-byte random salt followed by the compact JSON of the details. Whoever is given
salt and details (the *opening*) can check it; once both are destroyed, nothing can be guessed from it.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed

SALT_SIZE = 32
MAX_DETAILS = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Opening:
    """Salt and details of one commitment: exactly the bytes that were committed to."""

    data: bytes

    @property
    def commitment(self) -> Digest:
        """Return the commitment that stands in the envelope."""
        return Digest.of(self.data)

    @property
    def details(self) -> dict[str, Any]:
        """Return the details, parsed."""
        value = digest.loads(self.data[SALT_SIZE:], source="details", limit=MAX_DETAILS)
        if not isinstance(value, dict):
            raise MalformedInput("the details of a statement are a JSON object")
        return value

    def to_text(self) -> str:
        """Print the opening as base64."""
        return base64.b64encode(self.data).decode()


def commit(details: Mapping[str, Any], salt: bytes) -> Opening:
    """Commit to `details` under a fresh random `salt` of 32 bytes."""
    if len(salt) != SALT_SIZE:
        raise MalformedInput(f"the salt of a commitment has {SALT_SIZE} bytes")
    opening = Opening(salt + digest.dumps(dict(details)))
    _ = opening.details  # what we cannot read back must never be committed to
    return opening


def open_commitment(commitment: Digest, data: bytes) -> dict[str, Any]:
    """Return the details that `data` opens `commitment` to; raise `VerificationFailed` where it does not."""
    opening = Opening(data)
    if len(data) < SALT_SIZE or opening.commitment != commitment:
        raise VerificationFailed("the details do not match their commitment")
    return opening.details


def parse_opening(text: str) -> Opening:
    """Parse the base64 form of an opening."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput(f"an opening is base64 text: {error}") from error
    if len(data) < SALT_SIZE:
        raise MalformedInput("an opening is shorter than its salt")
    return Opening(data)
