"""The register of people in the database, and the list of revocations beside it."""

import fcntl
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, String, Table, delete, insert, select, update

from ringfence.identity.model import PersonRecord, TenantRecord
from ringfence.kernel.actor import Role
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.errors import Conflict
from ringfence.kernel.identifier import KeyId, PersonId, Tenant
from ringfence.storage.database import METADATA, Database
from ringfence.storage.files import explained

TENANTS = Table(
    "identity_tenants",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("demo", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
PEOPLE = Table(
    "identity_people",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("person", String(32), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("key", String(64), nullable=False, unique=True),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("enrolled_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    Column("left_at", BigInteger),
)
PASSES = Table(
    "identity_passes",  # one-time links and codes for a terminal: hashes only
    METADATA,
    Column("kind", String(8), primary_key=True),
    Column("pass_hash", LargeBinary(32), primary_key=True),
    Column("tenant", String(32), nullable=False),
    Column("person", String(32), nullable=False),
    Column("until", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class PeopleTable:
    """`People` in the database."""

    database: Database

    def add_tenant(self, tenant: TenantRecord) -> None:
        """Add a tenant."""
        values = {"tenant": tenant.tenant, "demo": tenant.demo, "created_at": to_millis(tenant.created_at)}
        self.database.connection().execute(insert(TENANTS), [values])

    def tenants(self) -> list[TenantRecord]:
        """Return every tenant."""
        with self.database.reading() as connection:
            rows = connection.execute(select(TENANTS).order_by(TENANTS.c.tenant)).all()
        return [TenantRecord(Tenant(row.tenant), row.demo, from_millis(row.created_at)) for row in rows]

    def add(self, person: PersonRecord) -> None:
        """Add a person; raise `Conflict` where id, key or token are taken, in whatever tenant.

        One list says whose access has ended, for all tenants: an id is one person in all of them.
        """
        taken = "this person, key or token is enrolled already; draw fresh ones"
        if self._people(PEOPLE.c.person == person.id):
            raise Conflict(taken)
        with self.database.attempting(taken) as connection:
            connection.execute(insert(PEOPLE), [_row(person)])

    def replace(self, person: PersonRecord) -> None:
        """Write a person's row again."""
        values = _row(person)
        change = update(PEOPLE).where(PEOPLE.c.tenant == person.tenant, PEOPLE.c.person == person.id).values(**values)
        self.database.connection().execute(change)

    def all(self, tenant: Tenant) -> list[PersonRecord]:
        """Return everybody of a tenant."""
        return self._people(PEOPLE.c.tenant == tenant)

    def by_id(self, tenant: Tenant, person: PersonId) -> PersonRecord | None:
        """Return one person."""
        return _only(self._people(PEOPLE.c.tenant == tenant, PEOPLE.c.person == person))

    def by_token(self, token_hash: bytes) -> PersonRecord | None:
        """Return whose API token it is."""
        return _only(self._people(PEOPLE.c.token_hash == token_hash))

    def add_pass(self, kind: str, pass_hash: bytes, person: PersonRecord, until: datetime) -> None:
        """Keep the hash of a one-time link or of a code for a terminal."""
        values = {"kind": kind, "pass_hash": pass_hash, "tenant": person.tenant, "person": person.id}
        self.database.connection().execute(insert(PASSES), [values | {"until": to_millis(until)}])

    def by_pass(self, kind: str, pass_hash: bytes, at: datetime) -> PersonRecord | None:
        """Return whose link or code it is, if it has not ended."""
        query = select(PASSES).where(
            PASSES.c.kind == kind, PASSES.c.pass_hash == pass_hash, PASSES.c.until > to_millis(at)
        )
        with self.database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else self.by_id(Tenant(row.tenant), PersonId(row.person))

    def forget_passes(self, before: datetime) -> None:
        """Forget every link and code that ended before a time."""
        self.database.connection().execute(delete(PASSES).where(PASSES.c.until <= to_millis(before)))

    def drop_pass(self, kind: str, pass_hash: bytes) -> bool:
        """Forget a link or code."""
        change = delete(PASSES).where(PASSES.c.kind == kind, PASSES.c.pass_hash == pass_hash)
        return self.database.connection().execute(change).rowcount == 1

    def drop_passes(self, tenant: Tenant, person: PersonId, *, kind: str = "") -> None:
        """Forget what opens something for a person: of one kind, or of all."""
        change = delete(PASSES).where(PASSES.c.tenant == tenant, PASSES.c.person == person)
        self.database.connection().execute(change.where(PASSES.c.kind == kind) if kind else change)

    def _people(self, *conditions: Any) -> list[PersonRecord]:
        query = select(PEOPLE).where(*conditions).order_by(PEOPLE.c.enrolled_at, PEOPLE.c.person)
        with self.database.reading() as connection:
            return [_record(row) for row in connection.execute(query)]


def _only(people: list[PersonRecord]) -> PersonRecord | None:
    return people[0] if people else None


def _row(person: PersonRecord) -> dict[str, Any]:
    return {
        "tenant": person.tenant,
        "person": person.id,
        "role": person.role.value,
        "name": person.name,
        "key": person.key,
        "token_hash": person.token_hash,
        "enrolled_at": to_millis(person.enrolled_at),
        "removed_at": None if person.removed_at is None else to_millis(person.removed_at),
        "left_at": None if person.left_at is None else to_millis(person.left_at),
    }


def _record(row: Any) -> PersonRecord:
    return PersonRecord(
        PersonId(row.person),
        Tenant(row.tenant),
        Role(row.role),
        row.name,
        KeyId(row.key),
        row.token_hash,
        from_millis(row.enrolled_at),
        None if row.removed_at is None else from_millis(row.removed_at),
        None if row.left_at is None else from_millis(row.left_at),
    )


@dataclass(frozen=True, slots=True)
class RevocationFile:
    """`Revocations` as a file of fixed-size lines, allocated beforehand so that a full disk cannot stop it."""

    path: Path
    capacity: int = 4096  # people; 64 KiB

    LINE = 16

    def create(self) -> None:
        """Allocate the file."""
        with explained(self.path, "create"):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.write(descriptor, b" " * self.LINE * self.capacity)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def revoke(self, person: PersonId) -> None:
        """Write a person into the next free line."""
        with explained(self.path, "write"):
            descriptor = os.open(self.path, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)  # two at once would take the same line
                lines = self._lines()
                if person not in lines:
                    line = _line(person).ljust(self.LINE - 1).encode() + b"\n"
                    os.pwrite(descriptor, line, len(lines) * self.LINE)
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def __contains__(self, person: object) -> bool:
        """Return whether the person's access was ended."""
        return person in self._lines()

    def _lines(self) -> list[str]:
        with explained(self.path, "read"):
            text = self.path.read_text(encoding="ascii", errors="replace")
        return [f"service-{line[2:]}" if line.startswith("s-") else f"person-{line}" for line in text.split()]


def _line(caller: PersonId) -> str:
    """Return how a person or a service stands in the file; twelve digits are a person's."""
    return caller.removeprefix("person-").replace("service-", "s-", 1)
