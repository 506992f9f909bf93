"""What signing in needs from the world."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from ringfence.identity.model import PersonRecord
from ringfence.identity.signin.model import (
    Attempts,
    Ceremony,
    Kind,
    Owner,
    Passkey,
    RecoveryCode,
    Session,
    Totp,
)
from ringfence.kernel.evidence import Publication
from ringfence.kernel.identifier import PersonId, Tenant


class Register(Protocol):
    """Who has access now."""

    def active(self, owner: Owner) -> PersonRecord | None:
        """Return the person, unless access has ended."""
        ...


class Passes(Protocol):
    """People, and what opens something for them for minutes."""

    def by_id(self, tenant: Tenant, person: PersonId) -> PersonRecord | None: ...
    def add_pass(self, kind: str, pass_hash: bytes, person: PersonRecord, until: datetime) -> None: ...
    def by_pass(self, kind: str, pass_hash: bytes, at: datetime) -> PersonRecord | None: ...

    def drop_passes(self, tenant: Tenant, person: PersonId, *, kind: str = "") -> None:
        """Forget what opens something for a person: of one kind, or of all."""
        ...


class Passkeys(Protocol):
    """The passkeys of everybody."""

    def add(self, passkey: Passkey) -> None:
        """Keep a passkey; raise `Conflict` where it is somebody's already."""
        ...

    def of(self, owner: Owner) -> list[Passkey]: ...
    def by_credential(self, credential: bytes) -> Passkey | None: ...

    def used(self, passkey: Passkey, *, counter: int, at: datetime) -> bool:
        """Keep a counter that grew; return False where another use was faster."""
        ...

    def drop(self, passkey: Passkey) -> bool: ...


class Codes(Protocol):
    """Authenticator apps and recovery codes."""

    def owner(self, person: str) -> Owner | None:
        """Return whom a typed person id means, if exactly one person of any tenant."""
        ...

    def totp(self, owner: Owner) -> Totp | None: ...
    def put_totp(self, totp: Totp) -> None: ...

    def advance_totp(self, owner: Owner, *, counter: int) -> bool:
        """Keep the counter of the code that was used; return False where it, or a later one, was used already."""
        ...

    def drop_totp(self, owner: Owner) -> bool: ...
    def recovery(self, owner: Owner) -> list[RecoveryCode]: ...
    def put_recovery(self, owner: Owner, codes: Sequence[RecoveryCode]) -> None:
        """Replace every code of a person."""
        ...

    def drop_recovery(self, owner: Owner, number: int) -> bool: ...


class Sessions(Protocol):
    """Sessions of browsers."""

    def add(self, session: Session) -> None: ...
    def by_hash(self, secret_hash: bytes) -> Session | None: ...
    def of(self, owner: Owner) -> list[Session]: ...
    def touch(self, secret_hash: bytes, at: datetime) -> None: ...
    def drop(self, secret_hash: bytes) -> bool: ...
    def drop_all(self, owner: Owner) -> int: ...
    def forget(self, *, opened_before: datetime, seen_before: datetime) -> None: ...


class Ceremonies(Protocol):
    """Questions to authenticators that wait for their answer."""

    def put(self, ceremony: Ceremony, *, now: datetime) -> None:
        """Keep a question in the place of the browser's last of its kind; drop what ended, and what is too many."""
        ...

    def take(self, kind: Kind, binding: bytes) -> Ceremony | None:
        """Return a question and forget it: nothing is answered twice."""
        ...


class AttemptBook(Protocol):
    """Failed attempts, by keyed digests of persons and places."""

    def read(self, subject: bytes) -> Attempts | None: ...

    def beyond(self, failures: int) -> list[Attempts]:
        """Return the attempts of everybody, and every place, with at least so many failures."""
        ...

    def write(self, attempts: Attempts) -> None: ...
    def clear(self, subject: bytes) -> None: ...
    def forget(self, before: datetime) -> None: ...


class Hasher(Protocol):
    """A hash that is slow on purpose, for what people make up or write down."""

    def hash(self, secret: str) -> str: ...
    def matches(self, kept: str, secret: str) -> bool: ...


class Vault(Protocol):
    """A key of this home that lies outside the database."""

    def seal(self, context: str, secret: bytes) -> bytes: ...
    def unseal(self, context: str, sealed: bytes) -> bytes: ...
    def mark(self, text: str) -> bytes:
        """Return a keyed digest: whoever reads the database alone learns no address and no name from it."""
        ...


class Log(Publication, Protocol):
    """The log that statements about ways in go to."""

    def publishable(self) -> AbstractContextManager[None]:
        """Open a transaction for what is to be published."""
        ...


class Randomness(Protocol):
    """A source of unpredictable bytes."""

    def __call__(self, size: int, /) -> bytes:
        """Return `size` random bytes."""
        ...
