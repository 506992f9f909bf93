"""What the ledger is made of: entries, checkpoints, issuers and what an outsider trusts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import KeyId, LogOrigin, PersonId
from ringfence.kernel.statement import KeyRole


class Standing(StrEnum):
    """What an issuer's key was worth when the log took its statement in."""

    TRUSTED = "trusted"
    UNKNOWN = "unknown"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Issuer:
    """A signing key that the root enrolled."""

    key: KeyId
    role: KeyRole
    public_key: bytes
    valid_from: datetime
    valid_until: datetime
    custody: str
    person: PersonId | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LoggedStatement:
    """A statement that has an index in the log."""

    entry: int
    recorded_at: datetime
    envelope: Envelope
    opening: Opening | None
    standing: Standing
    issuer: Issuer | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a tree: C2SP tlog-checkpoint without extension lines."""

    origin: LogOrigin
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint with the exact note text that carries its signatures."""

    checkpoint: Checkpoint
    note: str
    signed_at: datetime  # the time inside the ML-DSA-44 cosignature: whole seconds


@dataclass(frozen=True, slots=True)
class Trust:
    """What an outsider holds: the root, the log's two verifier keys, and heads kept elsewhere."""

    log: LogOrigin
    root: bytes
    log_keys: tuple[str, str]
    heads: tuple[str, ...]
