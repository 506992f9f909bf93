"""The checkpoints in the database, and the lock that makes the integrator the only one."""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, Select, Table, Text, insert, select, update

from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import LogOrigin, PredicateName, Tenant
from ringfence.ledger.issuers import ENROLLED
from ringfence.ledger.model import Checkpoint, SignedCheckpoint
from ringfence.ledger.succession import KEYS_REPLACED, Pair
from ringfence.storage.database import METADATA, Database
from ringfence.storage.files import explained
from ringfence.storage.rows import STATEMENTS, intact

CHECKPOINTS = Table(
    "ledger_checkpoints",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),  # never two checkpoints of one size
    Column("root", LargeBinary(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("signed_at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class CheckpointTable:
    """Every checkpoint that this log ever signed, and the head that is being signed: its note is empty."""

    database: Database
    log: LogOrigin

    def decide(self, head: Checkpoint) -> None:
        """Keep a head that is to be signed, in the transaction that assigned the indexes that it covers."""
        self._insert(head, "", 0)

    def decided(self) -> Checkpoint | None:
        """Return the head that was decided and not signed yet, if there is one."""
        with self.database.reading() as connection:
            row = connection.execute(select(CHECKPOINTS).order_by(CHECKPOINTS.c.size.desc()).limit(1)).first()
        return None if row is None or row.note else Checkpoint(self.log, row.size, row.root)

    def add(self, signed: SignedCheckpoint) -> None:
        """Keep a signed checkpoint, in the place of the head that was decided."""
        head, at = signed.checkpoint, to_millis(signed.signed_at)
        waiting = (CHECKPOINTS.c.size == head.size, CHECKPOINTS.c.root == head.root, CHECKPOINTS.c.note == "")
        change = update(CHECKPOINTS).where(*waiting).values(note=signed.note, signed_at=at)
        if not self.database.connection().execute(change).rowcount:
            self._insert(head, signed.note, at)

    def _insert(self, head: Checkpoint, note: str, signed_at: int) -> None:
        values = {"size": head.size, "root": head.root, "note": note, "signed_at": signed_at}
        with self.database.attempting(f"this log has a head of {head.size} entries already") as connection:
            connection.execute(insert(CHECKPOINTS), [values])

    def latest(self) -> SignedCheckpoint | None:
        """Return the newest checkpoint."""
        found = self._select(select(CHECKPOINTS).order_by(CHECKPOINTS.c.size.desc()).limit(1))
        return found[0] if found else None

    def first(self) -> SignedCheckpoint | None:
        """Return the oldest checkpoint: the head that `init` gives out."""
        found = self._select(select(CHECKPOINTS).order_by(CHECKPOINTS.c.size).limit(1))
        return found[0] if found else None

    def at_size(self, size: int) -> SignedCheckpoint | None:
        """Return the checkpoint of exactly this size."""
        found = self._select(select(CHECKPOINTS).where(CHECKPOINTS.c.size == size))
        return found[0] if found else None

    def all(self, *, above: int = -1, limit: int | None = None) -> list[SignedCheckpoint]:
        """Return the checkpoints beyond a size, smallest first, at most `limit`."""
        found = select(CHECKPOINTS).where(CHECKPOINTS.c.size > above).order_by(CHECKPOINTS.c.size)
        return self._select(found if limit is None else found.limit(limit))

    def below(self, size: int | None, limit: int) -> list[SignedCheckpoint]:
        """Return the newest checkpoints below a size, largest first."""
        found = select(CHECKPOINTS).order_by(CHECKPOINTS.c.size.desc()).limit(limit)
        return self._select(found if size is None else found.where(CHECKPOINTS.c.size < size))

    def check(self) -> None:
        """Raise `Unavailable` where the database holds another log."""
        first = self.first()
        if first is not None and first.note and (known := first.note.partition("\n")[0]) != self.log:
            raise Unavailable(f"the database holds the log {known}, not {self.log}: it is that of another home")

    def _select(self, query: Select[Any]) -> list[SignedCheckpoint]:
        with self.database.reading() as connection:
            rows = connection.execute(query.where(CHECKPOINTS.c.note != "")).all()
        return [
            SignedCheckpoint(Checkpoint(self.log, row.size, row.root), row.note, from_millis(row.signed_at))
            for row in rows
        ]


@dataclass(frozen=True, slots=True)
class SuccessionRows:
    """What the root stated of the log's own keys, in the order in which it was sequenced, with an index or without."""

    database: Database
    tenant: Tenant  # whose log it is: every succession is stated there, whoever else is told

    def stated(self, tenant: Tenant | None = None) -> list[Envelope]:
        """Return the successions of the log's keys as they were stated to a tenant."""
        return self._of(KEYS_REPLACED, tenant or self.tenant)

    def enrolled(self) -> list[Envelope]:
        """Return the enrolments of keys."""
        return self._of(ENROLLED, self.tenant)

    def decided(self, pair: Pair) -> bool:
        """Tell whether this is the pair that signs by the newest succession."""
        stated = self.stated()
        return bool(stated) and stated[-1].statement.claims.get("newKeys") == list(pair)

    def _of(self, predicate: PredicateName, tenant: Tenant) -> list[Envelope]:
        table = STATEMENTS
        query = select(table.c.envelope, table.c.digest).where(table.c.tenant == tenant, table.c.predicate == predicate)
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(table.c.id)).all()
        return [envelope for row in rows if (envelope := intact(row))]


def decided_in(database_url: str, tenant: Tenant) -> Callable[[Pair], bool]:
    """Return the same question for who has not opened the database yet."""

    def asked(pair: Pair) -> bool:
        database = Database(database_url)
        try:
            return SuccessionRows(database, tenant).decided(pair)
        finally:
            database.close()

    return asked


@dataclass(frozen=True, slots=True)
class IntegratorLock:
    """One integrator at a time: among the threads of this process, and among processes."""

    path: Path
    _threads: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Hold the lock."""
        with self._threads:
            with explained(self.path, "lock"):
                descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)  # closing releases the lock, also when the process is killed


@dataclass(frozen=True, slots=True)
class IntegratorSession:
    """One integrator at a time on PostgreSQL, whatever machine it is on; a session that ends frees the place."""

    database: Database
    _threads: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Hold the lock."""
        with self._threads, self.database.integrating():
            yield


def integrator(database: Database, path: Path) -> IntegratorLock | IntegratorSession:
    """Return the lock of the integrators of a database; of SQLite it is a file, since they are on one machine."""
    return IntegratorSession(database) if database.is_postgresql else IntegratorLock(path)
