"""People and tenants as this installation knows them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.kernel.actor import Person, Role
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import KeyId, PersonId, Tenant

LINK_LIFE = timedelta(minutes=10)
LEAVER_GRACE = timedelta(hours=24)  # IAM-01: leavers removed within 24 h
KEY_LIFE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class TenantRecord:
    """A tenant; `demo` marks it, and all that it states, for ever."""

    tenant: Tenant
    demo: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A person with one signing key; the name stays in the database and never enters the log."""

    id: PersonId
    tenant: Tenant
    role: Role
    name: str
    key: KeyId
    token_hash: bytes
    enrolled_at: datetime
    removed_at: datetime | None = None
    left_at: datetime | None = None

    @property
    def actor(self) -> Person:
        """Return the person as an actor."""
        return Person(self.id, self.tenant, self.role)


@dataclass(frozen=True, slots=True)
class Factors:
    """Who has which second factor."""

    passkeys: frozenset[PersonId] = frozenset()
    apps: frozenset[PersonId] = frozenset()  # that show codes, and were confirmed


@dataclass(frozen=True, slots=True)
class Custody:
    """Where the keys of this installation lie."""

    service_keys: str
    root_key: str
    kek: str
    operator_keys: tuple[str, ...]
    oldest_key_at: datetime
    in_token: int = 0  # signing keys


def check_name(name: str) -> None:
    """Return where a person or a service may be called so; raise `MalformedInput`."""
    if not 1 <= len(name) <= 200 or not name.isprintable():
        raise MalformedInput("a name has 1 to 200 printable characters")
