"""The emergency journal: reserved disk, one fsync per record, no database.

Containment (revoke, isolate, stop) acts first and writes here; the record is sequenced as soon as the database can
take it, and is marked late for ever. The file is allocated when it is created, so that a full disk cannot stop it.

Layout: 64 bytes of header (magic, last sequence), then records: length (u32), SHA-256 of the envelope, envelope. A
length of zero ends the journal; a record whose digest does not match was torn by a crash before it was acknowledged.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope, parse
from ringfence.kernel.errors import InternalError, MalformedInput, Unavailable
from ringfence.kernel.evidence import Acknowledgement, Stage
from ringfence.kernel.identifier import LogOrigin, Tenant
from ringfence.kernel.statement import Draft, Issuance, Statement
from ringfence.storage.files import explained
from ringfence.storage.outbox import Outbox, Randomness, StatementSigner

MAGIC = b"ringfence-journal-v1\n".ljust(24, b"\0")
HEADER = 64
RESERVED = 4 * 2**20  # some thousands of statements: far more than containment writes while a database is away
_PREFIX = 4 + 32


@dataclass(frozen=True, slots=True)
class JournalFile:
    """The reserved file of one tenant."""

    path: Path
    size: int = RESERVED

    def create(self) -> None:
        """Reserve the disk."""
        with explained(self.path, "create"):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self.size)
                os.pwrite(descriptor, MAGIC, 0)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        with explained(self.path, "open"):
            descriptor = os.open(self.path, os.O_RDWR)
        try:
            if os.pread(descriptor, len(MAGIC), 0) != MAGIC:
                raise MalformedInput("not an emergency journal of Ringfence", source=str(self.path))
            with explained(self.path, "write"):
                yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out: one that clears must not forget what another has appended since."""
        with self._opened() as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield

    def last_sequence(self) -> int:
        """Return the sequence of the newest record that was ever journalled.

        The header may have been lost in a crash that spared the record behind it, so that both are asked.
        """
        with self._opened() as descriptor:
            header = int.from_bytes(os.pread(descriptor, 8, len(MAGIC)), "big")
        return max([header, *(envelope.statement.issuance.sequence for envelope in self.records())])

    def append(self, envelope: Envelope) -> None:
        """Write one record durably."""
        with self._opened() as descriptor:
            end = HEADER + sum(_PREFIX + len(data) for data in _records(descriptor, self.size))
            record = len(envelope.data).to_bytes(4, "big") + envelope.digest.value + envelope.data
            if end + len(record) + _PREFIX > self.size:
                raise Unavailable(f"the emergency journal {self.path} is full; start Ringfence so that it is replayed")
            os.pwrite(descriptor, record + bytes(_PREFIX), end)
            os.pwrite(descriptor, envelope.statement.issuance.sequence.to_bytes(8, "big"), len(MAGIC))
            os.fsync(descriptor)

    def records(self) -> list[Envelope]:
        """Return what waits to be sequenced."""
        with self._opened() as descriptor:
            return [parse(data, source=str(self.path)) for data in _records(descriptor, self.size)]

    def clear(self) -> None:
        """Forget what has been sequenced, keeping the reservation and the last sequence."""
        with self._opened() as descriptor:
            os.pwrite(descriptor, bytes(_PREFIX), HEADER)
            os.fsync(descriptor)


def _records(descriptor: int, size: int) -> Iterator[bytes]:
    position = HEADER
    while position + _PREFIX <= size:
        prefix = os.pread(descriptor, _PREFIX, position)
        length = int.from_bytes(prefix[:4], "big")
        if length == 0 or position + _PREFIX + length > size:
            return
        data = os.pread(descriptor, length, position + _PREFIX)
        if Digest.of(data).value != prefix[4:]:
            return
        yield data
        position += _PREFIX + length


@dataclass(frozen=True, slots=True)
class EmergencyJournal:
    """The `EmergencyRecorder`: journal first, sequence when the database can."""

    directory: Path
    signer: StatementSigner
    outbox: Outbox
    clock: Clock
    random: Randomness
    log: LogOrigin
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def file(self, tenant: Tenant) -> JournalFile:
        """Return a tenant's journal."""
        return JournalFile(self.directory / tenant)

    def record(self, draft: Draft, *, tenant: Tenant) -> Acknowledgement:
        """Sign with the emergency key, journal durably, and sequence it now if the database can take it."""
        with self._lock, self.file(tenant).locked():
            envelope = self._sign(draft, tenant)
            self.file(tenant).append(envelope)
        try:
            self.replay(tenant)
        except Unavailable:
            return Acknowledgement(envelope.digest, envelope.statement.issuance.sequence, Stage.JOURNALLED)
        sequenced = self.outbox.acknowledgement(envelope.digest)
        if sequenced is None:
            raise InternalError("a journalled statement was replayed and is not in the outbox")
        return sequenced

    def replay(self, tenant: Tenant) -> int:
        """Sequence what waits in a tenant's journal; return how many statements that were."""
        with self._lock, self.file(tenant).locked():
            waiting = self.file(tenant).records()
            if not waiting:
                return 0
            with self.outbox.database.transaction():
                for envelope in waiting:
                    if self.outbox.acknowledgement(envelope.digest) is None:
                        self.outbox.append(envelope, None)
            self.file(tenant).clear()
        return len(waiting)

    def _sign(self, draft: Draft, tenant: Tenant) -> Envelope:
        nonce = self.random(16).hex()
        issuance = Issuance(
            tenant=tenant,
            log=self.log,
            issuer=self.signer.key,
            strength=draft.strength,
            sequence=self.file(tenant).last_sequence() + 1,
            nonce=nonce,
            idempotency_key=draft.idempotency_key or nonce,
            issued_at=self.clock.now(),
            demo=tenant in self.outbox.demo_tenants,
            late=True,
        )
        if draft.details:
            raise InternalError("an emergency statement has no side record: that would need the database")
        return self.signer.sign(Statement(draft.predicate, draft.subjects, draft.claims, issuance))
