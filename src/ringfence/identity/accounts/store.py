"""Services in the database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, Text, insert, select, update

from ringfence.identity.accounts.model import Account
from ringfence.kernel.actor import Role
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.errors import Conflict
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.storage.database import METADATA, Database

SERVICES = Table(
    "identity_services",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("service", String(32), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("scope", Text, nullable=False),
    Column("secret_hash", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("last_used_at", BigInteger),
)


@dataclass(frozen=True, slots=True)
class AccountTable:
    """`Accounts` in the database."""

    database: Database

    def add(self, account: Account) -> None:
        """Add a service; raise `Conflict` where id or secret are taken, in whatever tenant."""
        values = {
            "tenant": account.tenant,
            "service": account.id,
            "role": account.role.value,
            "name": account.name,
            "scope": " ".join(sorted(account.scope)),
            "secret_hash": account.secret_hash,
            "created_at": to_millis(account.created_at),
            "expires_at": to_millis(account.expires_at),
        }
        taken = "this service or key is there already; draw a fresh one"
        if self._found(SERVICES.c.service == account.id):
            raise Conflict(taken)
        with self.database.attempting(taken) as connection:
            connection.execute(insert(SERVICES), [values])

    def all(self, tenant: Tenant) -> list[Account]:
        """Return every service of a tenant, ended ones included."""
        return self._found(SERVICES.c.tenant == tenant)

    def by_id(self, tenant: Tenant, service: PersonId) -> Account | None:
        """Return one service."""
        return next(iter(self._found(SERVICES.c.tenant == tenant, SERVICES.c.service == service)), None)

    def by_secret(self, secret_hash: bytes) -> Account | None:
        """Return whose key it is."""
        return next(iter(self._found(SERVICES.c.secret_hash == secret_hash)), None)

    def end(self, account: Account, at: datetime) -> None:
        """Write when a service's access ended; the first time stands."""
        self._write(account, SERVICES.c.revoked_at.is_(None), revoked_at=to_millis(at))

    def note_use(self, account: Account, at: datetime) -> None:
        """Write when a service was last there."""
        self._write(account, last_used_at=to_millis(at))

    def _write(self, account: Account, *conditions: Any, **values: Any) -> None:
        own = (SERVICES.c.tenant == account.tenant, SERVICES.c.service == account.id)
        self.database.connection().execute(update(SERVICES).where(*own, *conditions).values(**values))

    def _found(self, *conditions: Any) -> list[Account]:
        query = select(SERVICES).where(*conditions).order_by(SERVICES.c.created_at, SERVICES.c.service)
        with self.database.reading() as connection:
            return [_account(row) for row in connection.execute(query)]


def _account(row: Any) -> Account:
    return Account(
        PersonId(row.service),
        Tenant(row.tenant),
        Role(row.role),
        row.name,
        frozenset(row.scope.split()),
        row.secret_hash,
        from_millis(row.created_at),
        from_millis(row.expires_at),
        None if row.revoked_at is None else from_millis(row.revoked_at),
        None if row.last_used_at is None else from_millis(row.last_used_at),
    )
