"""Passkeys, codes, sessions and attempts, as this installation keeps them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ringfence.kernel.actor import Level
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import key_id_of
from ringfence.kernel.identifier import KeyId, PersonId, Tenant

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
FRESH = timedelta(minutes=5)  # how long an assertion confirms dangerous acts
CEREMONY_LIFE = timedelta(minutes=5)
RECOVERY_CODES = 10
MAX_PASSKEYS = 20  # of one person
MAX_CEREMONIES = 10_000  # of everybody: strangers start them too


@dataclass(frozen=True, slots=True)
class Site:
    """What passkeys are bound to: the console's address as a browser shows it."""

    rp_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose credential or session it is."""

    tenant: Tenant
    person: PersonId


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of one person; its name stays in the database."""

    credential: bytes  # what the authenticator calls it
    owner: Owner
    public_key: bytes  # uncompressed point of P-256, 65 bytes
    site: Site
    sign_count: int
    name: str
    transports: tuple[str, ...]
    backed_up: bool
    enrolled_at: datetime
    enrolled_by: PersonId
    last_used_at: datetime | None = None

    @property
    def id(self) -> str:
        """Return the digest that names it everywhere else."""
        return Digest.of(self.credential).hex

    @property
    def key(self) -> KeyId:
        """Return its id as a key that signs acts, once it is enrolled as one."""
        return key_id_of(self.public_key)


@dataclass(frozen=True, slots=True)
class Totp:
    """An authenticator app of one person, beside a passphrase."""

    owner: Owner
    sealed: bytes
    passphrase_hash: str
    last_counter: int
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """One of ten; kept as an argon2id hash, gone once it was used."""

    owner: Owner
    number: int
    code_hash: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a browser; its secret is kept as a hash, and changes whenever the session is worth more."""

    secret_hash: bytes
    owner: Owner
    level: Level
    opened_at: datetime
    seen_at: datetime
    stepped_up_at: datetime | None = None

    @property
    def id(self) -> str:
        """Return what names it on a page; it opens nothing."""
        return Digest.of(self.secret_hash).hex[:16]


class Kind(StrEnum):
    """What a ceremony is for; an answer to one is none to another."""

    ENROL = "enrol"
    SIGN_IN = "sign-in"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Ceremony:
    """A question to an authenticator that waits for its answer: one browser's, once, for five minutes."""

    kind: Kind
    binding: bytes  # hash of the browser's own secret
    message: bytes
    until: datetime


@dataclass(frozen=True, slots=True)
class Attempts:
    """Attempts that failed, by a person or from a place."""

    subject: bytes
    failures: int
    last_at: datetime
