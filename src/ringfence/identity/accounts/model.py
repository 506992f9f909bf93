"""Service accounts as this installation knows them."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.kernel.actor import Role, Service
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, Tenant

PREFIX = "rfs-"
MAX_DAYS = 366
MAX_SERVICES = 1000  # in force, per tenant
USE_NOTED_EVERY = timedelta(minutes=1)

_SERVICE = re.compile(r"service-[0-9a-f]{12}")
_ACTION = re.compile(r"[a-z_]{1,32}\.[a-z_]{1,32}")


@dataclass(frozen=True, slots=True)
class Account:
    """A service; name and secret stay in the database, the secret as its hash."""

    id: PersonId
    tenant: Tenant
    role: Role
    name: str
    scope: frozenset[str]
    secret_hash: bytes
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    @property
    def actor(self) -> Service:
        """Return the service as an actor."""
        return Service(self.id, self.tenant, self.role, self.scope)

    def in_force(self, at: datetime) -> bool:
        """Return whether its key opens anything at a time."""
        return self.revoked_at is None and self.created_at <= at < self.expires_at


def service_id(text: object) -> PersonId:
    """Parse a service's id."""
    if not isinstance(text, str) or not _SERVICE.fullmatch(text):
        raise MalformedInput(f"{str(text)[:80]!r} is not a service's id such as service-0123456789ab")
    return PersonId(text)


def scope(actions: object) -> frozenset[str]:
    """Parse a scope: one to 32 names of actions."""
    named = isinstance(actions, list) and all(isinstance(one, str) and _ACTION.fullmatch(one) for one in actions)
    if isinstance(actions, list) and named and 1 <= len(actions) <= 32:
        return frozenset(actions)
    raise MalformedInput("a scope is one to 32 names of actions such as event.ingest (docs/reference/roles.md)")
