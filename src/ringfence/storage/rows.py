"""Statements as the database keeps them: the tables, and what a row says."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, UniqueConstraint
from sqlalchemy.schema import Index

from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope, parse
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.storage.database import METADATA

STATEMENTS = Table(
    "statements",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("tenant", String(32), nullable=False),
    Column("issuer", String(64), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("predicate", String(128), nullable=False),
    Column("idempotency_key", String(128), nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("envelope", LargeBinary, nullable=False),
    Column("sequenced_at", BigInteger, nullable=False),  # ms since the epoch
    Column("entry", BigInteger, unique=True),
    Column("recorded_at", BigInteger),  # ms since the epoch, as it stands in the log entry
    Column("tenant_sequence", BigInteger),  # as it stands in the log entry; NULL in one of version 1
    UniqueConstraint("tenant", "issuer", "sequence"),
    UniqueConstraint("tenant", "issuer", "idempotency_key"),
)
Index("statements_by_entry", STATEMENTS.c.tenant, STATEMENTS.c.entry)
Index("statements_by_predicate", STATEMENTS.c.tenant, STATEMENTS.c.predicate, STATEMENTS.c.entry)
_PENDING = STATEMENTS.c.entry.is_(None)
Index("statements_pending", STATEMENTS.c.id, sqlite_where=_PENDING, postgresql_where=_PENDING)

SIDE_RECORDS = Table(
    "side_records",
    METADATA,
    Column("commitment", LargeBinary(32), primary_key=True),
    Column("tenant", String(32), nullable=False),
    Column("opening", LargeBinary, nullable=False),
    Column("statement", LargeBinary(32), nullable=False),  # digest of the envelope that commits to it
    Column("predicate", String(128), nullable=False),
    Column("since", BigInteger, nullable=False),  # ms since the epoch: when its period began
    Index("side_records_by_age", "tenant", "since"),
    Index("side_records_of", "statement"),
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A sequenced statement that waits for its index."""

    id: int
    digest: Digest
    tenant: Tenant


@dataclass(frozen=True, slots=True)
class Integrated:
    """An index given to a pending statement, and its number among those of its tenant."""

    id: int
    entry: int
    recorded_at: datetime
    tenant: Tenant
    tenant_sequence: int


@dataclass(frozen=True, slots=True)
class Filed:
    """What the database says of one entry of the log, of any tenant."""

    entry: int
    recorded_at: datetime
    digest: Digest
    tenant: Tenant
    tenant_sequence: int | None  # None: an entry of version 1


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry of the log with the stored bytes of its envelope, which nobody has looked at yet."""

    filed: Filed
    envelope: bytes


@dataclass(frozen=True, slots=True)
class StoredStatement:
    """A statement with its index, as the database keeps it."""

    entry: int
    recorded_at: datetime
    envelope: Envelope
    opening: Opening | None
    tenant_sequence: int | None


def to_row(envelope: Envelope, at: datetime) -> dict[str, Any]:
    """Return the row of a statement that was sequenced at `at` and has no index yet."""
    issuance = envelope.statement.issuance
    return {
        "tenant": issuance.tenant,
        "issuer": issuance.issuer,
        "sequence": issuance.sequence,
        "predicate": envelope.statement.predicate,
        "idempotency_key": issuance.idempotency_key,
        "digest": envelope.digest.value,
        "envelope": envelope.data,
        "sequenced_at": to_millis(at),
    }


def filed(row: Any) -> Filed:
    """Return what a row says of its entry."""
    return Filed(row.entry, from_millis(row.recorded_at), Digest(row.digest), Tenant(row.tenant), row.tenant_sequence)


def from_row(row: Any, envelope: Envelope, openings: dict[bytes, Opening]) -> StoredStatement:
    """Return what a row says, with the opening that its envelope's commitment names."""
    commitment = envelope.statement.details
    opening = openings.get(commitment.value) if commitment else None
    return StoredStatement(row.entry, from_millis(row.recorded_at), envelope, opening, row.tenant_sequence)


def intact(row: Any) -> Envelope | None:
    """Return the envelope, if nobody changed it behind our back; `log.chain_verified` names those that were."""
    data = blob(row.envelope)
    if Digest.of(data).value != row.digest:
        return None
    try:
        return parse(data)
    except MalformedInput:
        return None


def blob(value: object) -> bytes:
    """Return the bytes of a column, whatever somebody has put there: SQLite keeps text in any column."""
    return value if isinstance(value, bytes) else str(value).encode()
