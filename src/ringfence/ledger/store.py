"""The checkpoints in the database, and the lock that makes the integrator the only one."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, Select, Table, Text, insert, select

from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.identifier import LogOrigin
from ringfence.ledger.model import Checkpoint, SignedCheckpoint
from ringfence.storage.database import METADATA, Database
from ringfence.storage.files import explained

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
    """Every checkpoint that this log ever signed."""

    database: Database
    log: LogOrigin

    def add(self, signed: SignedCheckpoint) -> None:
        """Keep a checkpoint, in the transaction that assigned the indexes that it covers."""
        values = {
            "size": signed.checkpoint.size,
            "root": signed.checkpoint.root,
            "note": signed.note,
            "signed_at": to_millis(signed.signed_at),
        }
        self.database.connection().execute(insert(CHECKPOINTS), [values])

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

    def all(self) -> list[SignedCheckpoint]:
        """Return every checkpoint, smallest first."""
        return self._select(select(CHECKPOINTS).order_by(CHECKPOINTS.c.size))

    def _select(self, query: Select[Any]) -> list[SignedCheckpoint]:
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            SignedCheckpoint(Checkpoint(self.log, row.size, row.root), row.note, from_millis(row.signed_at))
            for row in rows
        ]


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
