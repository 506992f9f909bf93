"""Aliases and begun logins in the database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, delete, insert, select

from ringfence.identity.federation.model import Alias
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.storage.database import METADATA, Database

ALIASES = Table(
    "identity_aliases",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("source", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("person", String(32), nullable=False),
    Column("linked_at", BigInteger, nullable=False),
)
LOGINS = Table(
    "identity_logins",  # begun at a provider: hashes only
    METADATA,
    Column("login_hash", LargeBinary(32), primary_key=True),
    Column("tenant", String(32), nullable=False),
    Column("until", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class AliasTable:
    """`Aliases` in the database."""

    database: Database

    def link(self, alias: Alias) -> None:
        """Add an alias; raise `Conflict` where the name means somebody already."""
        values = {
            "tenant": alias.tenant,
            "source": alias.source,
            "subject": alias.subject,
            "person": alias.person,
            "linked_at": to_millis(alias.linked_at),
        }
        taken = "this subject of this source means somebody already; unlink it first"
        with self.database.attempting(taken) as connection:
            connection.execute(insert(ALIASES), [values])

    def unlink(self, tenant: Tenant, source: str, subject: str) -> bool:
        """Forget an alias; return whether it was there."""
        change = delete(ALIASES).where(*_named(tenant, source, subject))
        return self.database.connection().execute(change).rowcount == 1

    def of(self, tenant: Tenant) -> list[Alias]:
        """Return every alias of a tenant's people."""
        query = select(ALIASES).where(ALIASES.c.tenant == tenant).order_by(ALIASES.c.source, ALIASES.c.subject)
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            Alias(Tenant(row.tenant), row.source, row.subject, PersonId(row.person), from_millis(row.linked_at))
            for row in rows
        ]

    def whose(self, tenant: Tenant, source: str, subject: str) -> PersonId | None:
        """Return whom a source means by a subject."""
        query = select(ALIASES.c.person).where(*_named(tenant, source, subject))
        with self.database.reading() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else PersonId(found)

    def begin(self, login: bytes, tenant: Tenant, until: datetime) -> None:
        """Keep the hash of a login's secret."""
        values = {"login_hash": login, "tenant": tenant, "until": to_millis(until)}
        self.database.connection().execute(insert(LOGINS), [values])

    def take(self, login: bytes, at: datetime) -> Tenant | None:
        """Forget a login; return its tenant if it had not ended. A second taker gets nothing."""
        connection = self.database.connection()
        row = connection.execute(select(LOGINS).where(LOGINS.c.login_hash == login)).first()
        gone = connection.execute(delete(LOGINS).where(LOGINS.c.login_hash == login)).rowcount
        return Tenant(row.tenant) if row is not None and gone == 1 and row.until > to_millis(at) else None

    def forget_logins(self, before: datetime, keep: int) -> None:
        """Forget the logins that ended, and all but the newest so many."""
        connection = self.database.connection()
        connection.execute(delete(LOGINS).where(LOGINS.c.until <= to_millis(before)))
        old = select(LOGINS.c.until).order_by(LOGINS.c.until.desc()).offset(keep).limit(1)
        edge = connection.execute(old).scalar()
        if edge is not None:
            connection.execute(delete(LOGINS).where(LOGINS.c.until <= edge))


def _named(tenant: Tenant, source: str, subject: str) -> tuple[Any, ...]:
    return (ALIASES.c.tenant == tenant, ALIASES.c.source == source, ALIASES.c.subject == subject)
