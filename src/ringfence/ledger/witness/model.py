"""What a witness knows: whose logs, and the newest head of each."""

from dataclasses import dataclass

from ringfence.kernel.identifier import LogOrigin
from ringfence.ledger.model import Checkpoint
from ringfence.ledger.note import VerifierKey


@dataclass(frozen=True, slots=True)
class KnownLog:
    """A log that a witness is asked to watch, with the keys that have to have signed its checkpoints: all of them."""

    origin: LogOrigin
    keys: tuple[VerifierKey, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A head that continues what was seen before: to be kept, then cosigned."""

    checkpoint: Checkpoint
    note: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the protocol answers: a status and a text."""

    status: int
    text: str
    kind: str = "text/plain; charset=utf-8"
