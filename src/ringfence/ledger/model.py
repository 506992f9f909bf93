"""What the ledger is made of: entries, checkpoints, issuers and what an outsider trusts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import ED25519, Envelope
from ringfence.kernel.identifier import KeyId, LogOrigin, PersonId
from ringfence.kernel.statement import KeyRole, Statement
from ringfence.ledger.entry import Place, encode

ROOT = "root"  # who enrolled a key, where that was no person


class Standing(StrEnum):
    """What an issuer's key was worth when the log took its statement in."""

    TRUSTED = "trusted"
    UNKNOWN = "unknown"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNPROVEN = "unproven"  # older than the compromise of its key by nobody's word but the operator's


@dataclass(frozen=True, slots=True)
class Vouched:
    """The largest head that another party vouched for before a time: what it covers existed by then."""

    size: int
    party: str
    at: datetime  # by that party's clock


@dataclass(frozen=True, slots=True)
class Issuer:
    """A signing key that the root enrolled, or a passkey that its own person enrolled with such a key."""

    key: KeyId
    role: KeyRole
    public_key: bytes
    valid_from: datetime
    valid_until: datetime
    custody: str
    person: PersonId | None = None
    revoked_at: datetime | None = None
    compromised_at: datetime | None = None  # the same, where the reason of a revocation is that somebody else had it
    vouched: Vouched | None = None  # of a key that was revoked: what is proven to be older than its end
    algorithm: str = ED25519
    rp_id: str = ""  # of a passkey: the site that it was made for
    origin: str = ""  # of a passkey: the one page where it signs
    enrolled_by: str = ROOT  # or the id of the person

    def verify(self, envelope: Envelope) -> Statement:
        """Return the statement if this key signed it; raise `VerificationFailed` or `MalformedInput` if not."""
        return envelope.verify_as(self.algorithm, self.public_key, rp_id=self.rp_id, origin=self.origin)

    @property
    def ends_at(self) -> datetime | None:
        """Return the time before which a statement has to exist: of the compromise, else of the revocation."""
        return self.compromised_at or self.revoked_at

    def vouched_for(self, entry: int | None) -> Vouched | None:
        """Return who other than the operator says that an entry existed before the end of this key."""
        covered = self.vouched is not None and entry is not None and entry < self.vouched.size
        return self.vouched if covered else None


@dataclass(frozen=True, slots=True)
class LoggedStatement:
    """A statement that has an index in the log."""

    entry: int
    recorded_at: datetime
    envelope: Envelope
    opening: Opening | None
    standing: Standing
    issuer: Issuer | None
    place: Place | None = None  # None: the log took it in by an entry of version 1

    @property
    def leaf(self) -> bytes:
        """Return the data of the log entry."""
        return encode(self.recorded_at, self.envelope.digest, self.place)

    @property
    def vouched(self) -> Vouched | None:
        """Return who other than the operator says that it existed before the end of its key, where that has ended."""
        return self.issuer.vouched_for(self.entry) if self.issuer else None


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


OPERATOR = "operator"  # the party of witnesses and time-stamping authorities that the log's operator runs


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody who cosigns heads, with one verifier key; whose key it is, is the reader's knowledge."""

    name: str
    vkey: str
    party: str  # `OPERATOR`, or the name of another


@dataclass(frozen=True, slots=True)
class TimestampAuthority:
    """Somebody who stamps heads with the time, by the certificate at the root of its own."""

    certificate: bytes  # X.509 in DER, self-signed
    party: str  # `OPERATOR`, or the name of another


@dataclass(frozen=True, slots=True)
class Anchors:
    """What others said about a published checkpoint, as they said it; nothing of it is verified yet."""

    cosignatures: tuple[str, ...] = ()  # signature lines of a note, without their newlines
    timestamps: tuple[bytes, ...] = ()  # RFC 3161 time-stamp tokens over the published note, DER


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A verified cosignature: this witness had seen the log grow to this head and no other."""

    witness: str
    party: str
    at: datetime  # by the witness's clock: whole seconds

    @property
    def outside(self) -> bool:
        """Tell whether somebody other than the operator stands behind it."""
        return self.party != OPERATOR


@dataclass(frozen=True, slots=True)
class Stamped:
    """A verified time stamp: the head existed at this time, by the authority's clock."""

    authority: str  # the subject of the certificate that signed the token
    party: str
    at: datetime

    @property
    def outside(self) -> bool:
        """Tell whether somebody other than the operator stands behind it."""
        return self.party != OPERATOR


@dataclass(frozen=True, slots=True)
class Judged:
    """What the anchors of one head come to, for a reader with a trust file."""

    cosigned: tuple[Cosigned, ...] = ()
    stamped: tuple[Stamped, ...] = ()
    quorum_met: bool = False

    @property
    def outside_since(self) -> datetime | None:
        """Return the earliest time at which another party vouches for the head; None where none does."""
        return self._earliest[0]

    @property
    def outside_by(self) -> str | None:
        """Return the other party that vouches for the head earliest; None where none does."""
        return self._earliest[1]

    @property
    def said(self) -> tuple[Cosigned | Stamped, ...]:
        """Return what everybody says of the head, the operator too."""
        return (*self.cosigned, *self.stamped)

    @property
    def _earliest(self) -> tuple[datetime, str] | tuple[None, None]:
        return min(((each.at, each.party) for each in self.said if each.outside), default=(None, None))


@dataclass(frozen=True, slots=True)
class AnchoredHead:
    """A published head with what others said about it, and what that comes to."""

    head: SignedCheckpoint
    anchors: Anchors
    judged: Judged


@dataclass(frozen=True, slots=True)
class Trust:
    """What an outsider holds: the root, the log's first pair of keys, heads kept elsewhere, whom else they trust."""

    log: LogOrigin
    root: bytes
    log_keys: tuple[str, str]
    heads: tuple[str, ...]
    witnesses: tuple[Witness, ...] = ()
    authorities: tuple[TimestampAuthority, ...] = ()
    quorum: int = 0  # how many other parties' witnesses have to have cosigned a head; 0 asks for none
    successions: tuple[Envelope, ...] = ()  # statements of the root, by which other pairs followed on `log_keys`
