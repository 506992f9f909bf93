"""What binds an answer's record to the bytes that were asked and answered, and tells nobody else what they were.

Format: docs/specs/segment.md, section 2; why they are salted: decision 0022.
"""

from collections.abc import Sequence
from hashlib import sha256

SALT_SIZE = 32
_STREAM = b"ringfence-stream-v1\n"
_OPENING = b"ringfence-opening-v1\n"


def commitment(salt: bytes, body: bytes) -> bytes:
    """Commit to a request's or a response's body as it was sent."""
    return sha256(salt + body).digest()


def opening_commitment(salt: bytes) -> bytes:
    """Commit to the salt itself, so that a record tells its own opening from another."""
    return sha256(_OPENING + salt).digest()


class ResponseCommitment:
    """Commit to a response while it is sent: its bytes, and, of a stream, the chain over its events."""

    __slots__ = ("_body", "chain", "events")

    def __init__(self, salt: bytes) -> None:
        self._body = sha256(salt)
        self.chain = sha256(_STREAM + salt).digest()
        self.events = 0

    def body(self, data: bytes) -> None:
        """Add bytes of a response."""
        self._body.update(data)

    def event(self, data: bytes) -> None:
        """Add one whole event of a stream, with the empty line that ends it, as it was sent."""
        self._body.update(data)
        self.chain = sha256(self.chain + data).digest()
        self.events += 1

    def all_events(self, events: Sequence[bytes]) -> None:
        """Add events that leave together."""
        self._body.update(b"".join(events))
        chain = self.chain
        for event in events:
            chain = sha256(chain + event).digest()
        self.chain = chain
        self.events += len(events)

    @property
    def value(self) -> bytes:
        """Return the commitment to the bytes so far."""
        return self._body.digest()
