"""Who is asked to anchor the heads of a log, and how it went."""

from dataclasses import dataclass
from datetime import datetime

from ringfence.ledger.model import TimestampAuthority, Witness


@dataclass(frozen=True, slots=True)
class Progress:
    """How far somebody has anchored, and what went wrong last."""

    size: int = 0  # the largest head that they signed, as far as we know
    at: datetime | None = None  # when they say they did
    tried_at: datetime | None = None
    trouble: str = ""  # empty where the last try went well


@dataclass(frozen=True, slots=True)
class AskedWitness:
    """A witness that this log submits its heads to."""

    name: str
    vkeys: tuple[str, ...]
    url: str
    party: str
    active: bool = True
    progress: Progress = Progress()

    @property
    def trusted(self) -> tuple[Witness, ...]:
        """Return the witness as a trust file names it, once per key."""
        return tuple(Witness(self.name, vkey, self.party) for vkey in self.vkeys)


@dataclass(frozen=True, slots=True)
class AskedAuthority:
    """A time-stamping authority that this log has its heads stamped by."""

    digest: bytes  # SHA-256 of the certificate
    certificate: bytes
    url: str
    party: str
    policy: str = ""
    active: bool = True
    progress: Progress = Progress()

    @property
    def trusted(self) -> TimestampAuthority:
        """Return the authority as a trust file names it."""
        return TimestampAuthority(self.certificate, self.party)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a witness answered over HTTP."""

    status: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A witness holds something that this log, as it is now, cannot have shown it."""

    kind: str  # larger-head, other-root, not-a-continuation
    size: int  # of the head that the witness says it holds
