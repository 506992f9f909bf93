"""What a witness needs from outside: a place for the newest head of each log, and its keys."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ringfence.kernel.identifier import LogOrigin
from ringfence.ledger.model import Checkpoint
from ringfence.ledger.note import VerifierKey
from ringfence.ledger.witness.model import Accepted


class Heads(Protocol):
    """The newest head of each log that was cosigned, durable."""

    def one_at_a_time(self) -> AbstractContextManager[None]:
        """Let nobody else read or keep a head while the block runs."""
        ...

    def latest(self, origin: LogOrigin) -> Checkpoint | None:
        """Return the newest head; None where none of this log was ever cosigned.

        Raises:
            Unavailable: what was kept cannot be read: then nothing may be cosigned.
        """
        ...

    def keep(self, accepted: Accepted) -> None:
        """Make a head durable before returning, in the place of the one before."""
        ...


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the witness."""

    public: VerifierKey
    sign: Callable[[bytes], bytes]
