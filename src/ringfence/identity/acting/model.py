"""Acts that wait for their signature, as this installation keeps them for some minutes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.identity.signin.model import Owner
from ringfence.kernel.commitment import Opening
from ringfence.kernel.statement import Draft

LIFE = timedelta(minutes=5)  # to sign it; and once more as long to read what came of it
SETTLING = timedelta(minutes=1)  # how long the last signature that was given in time may take to have its effect
MAX_WAITING = 50  # of one person


@dataclass(frozen=True, slots=True)
class Question:
    """What one browser was asked to sign, once: the exact bytes."""

    binding: bytes  # hash of the session's secret
    credential: bytes  # of the passkey that is to sign
    payload: bytes
    opening: Opening | None


@dataclass(frozen=True, slots=True)
class PreparedAct:
    """An act of one person that is not signed yet, or was a moment ago."""

    id: str
    owner: Owner
    place: str  # what the act is done to, as its target knows it: a node's name, an incident's id
    draft: Draft
    until: datetime
    question: Question | None = None
    outcome: bytes | None = None  # the answer of the target, as JSON
