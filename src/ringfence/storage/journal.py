"""The emergency journal: reserved disk, one fsync per record, no database, and no signer if that is away.

Containment (revoke, isolate, stop) acts first and writes here; the record is sequenced as soon as the database can
take it, and is marked late for ever. The file is allocated when it is created, so that a full disk cannot stop it.

Layout: 64 bytes of header (magic, last sequence, whose it is), then records: length (u32), SHA-256 of what follows, and
an envelope, or the payload of a statement that could not be signed at its time and is signed when it is replayed. A
length of zero ends the journal; a record whose digest does not match was torn by a crash before it was acknowledged.
"""

import fcntl
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope, parse
from ringfence.kernel.errors import InternalError, MalformedInput, Refused, Unavailable
from ringfence.kernel.evidence import Acknowledgement, Stage
from ringfence.kernel.identifier import KeyId, LogOrigin, Tenant
from ringfence.kernel.statement import Draft, Issuance, Statement, parse_payload, to_payload
from ringfence.storage.files import explained
from ringfence.storage.numbering import Randomness
from ringfence.storage.outbox import Outbox, StatementSigner

MAGIC = b"ringfence-journal-v1\n".ljust(24, b"\0")
HEADER = 64
RESERVED = 4 * 2**20  # some thousands of statements: far more than containment writes while a database is away
_PREFIX = 4 + 32
_NUMBERED = 8 + 32  # behind the magic: the last sequence, and the id of the key that it counts for
_NOBODY = bytes(32)  # in a journal from before the key was kept
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A statement that waits for its signature."""

    data: bytes  # the payload
    statement: Statement

    @property
    def digest(self) -> Digest:
        """Return the digest of the payload: the envelope's is not known yet."""
        return Digest.of(self.data)


Record = Envelope | Unsigned


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

    def last_sequence(self, issuer: KeyId) -> int:
        """Return the sequence of the newest record that was ever journalled for a key.

        The header may have been lost in a crash that spared the record behind it, so that both are asked.
        """
        with self._opened() as descriptor:
            header, whose = _numbered(descriptor)
        last = header if whose in {_NOBODY, Digest.parse(issuer).value} else 0
        issuances = [record.statement.issuance for record in self.records()]
        return max([last, *(issuance.sequence for issuance in issuances if issuance.issuer == issuer)])

    def count_for(self, issuer: KeyId) -> None:
        """Say whose the last sequence is, in a journal from before that was kept: a later key begins at 1."""
        with self._opened() as descriptor:
            header, whose = _numbered(descriptor)
            if whose == _NOBODY:
                _number(descriptor, header, issuer)
                os.fsync(descriptor)

    def count_on(self, issuer: KeyId, sequence: int) -> None:
        """Number what comes next behind `sequence`, where another home has counted further for this key."""
        if sequence > self.last_sequence(issuer):
            with self._opened() as descriptor:
                _number(descriptor, sequence, issuer)
                os.fsync(descriptor)

    def append(self, envelope: Record) -> None:
        """Write one record durably."""
        with self._opened() as descriptor:
            end = HEADER + sum(_PREFIX + len(data) for data in _records(descriptor, self.size))
            record = _printed(envelope)
            if end + len(record) + _PREFIX > self.size:
                raise Unavailable(f"the emergency journal {self.path} is full; start Ringfence so that it is replayed")
            os.pwrite(descriptor, record + bytes(_PREFIX), end)
            issuance = envelope.statement.issuance
            _number(descriptor, issuance.sequence, issuance.issuer)
            os.fsync(descriptor)

    def records(self) -> list[Record]:
        """Return what waits to be sequenced."""
        with self._opened() as descriptor:
            return [_parsed(data, str(self.path)) for data in _records(descriptor, self.size)]

    def clear(self, left: Sequence[Record] = ()) -> None:
        """Forget what has been sequenced, keeping what is `left`, the reservation and the last sequence."""
        with self._opened() as descriptor:
            os.pwrite(descriptor, b"".join(map(_printed, left)) + bytes(_PREFIX), HEADER)
            os.fsync(descriptor)


def _numbered(descriptor: int) -> tuple[int, bytes]:
    data = os.pread(descriptor, _NUMBERED, len(MAGIC))
    return int.from_bytes(data[:8], "big"), data[8:]


def _number(descriptor: int, sequence: int, issuer: KeyId) -> None:
    os.pwrite(descriptor, sequence.to_bytes(8, "big") + Digest.parse(issuer).value, len(MAGIC))


def _printed(record: Record) -> bytes:
    return len(record.data).to_bytes(4, "big") + record.digest.value + record.data


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


def _parsed(data: bytes, source: str) -> Record:
    if data.startswith(b'{"payload":'):
        return parse(data, source=source)
    return Unsigned(data, parse_payload(data, source=source))


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
    _refused: set[Digest] = field(default_factory=set)  # records that stay here, as far as is known
    _counted: set[Tenant] = field(default_factory=set)

    def file(self, tenant: Tenant) -> JournalFile:
        """Return a tenant's journal."""
        return JournalFile(self.directory / tenant)

    def waiting(self, tenant: Tenant) -> list[Statement]:
        """Return the statements that the outbox has not taken yet, signed or not."""
        return [record.statement for record in self.file(tenant).records()]

    def record(self, draft: Draft, *, tenant: Tenant) -> Acknowledgement:
        """Sign with the emergency key, journal durably, and sequence it now if the database can take it.

        Where the signer is away the statement is journalled without a signature, and signed when it is replayed: what
        was done is durable all the same.
        """
        with self._lock, self.file(tenant).locked():
            envelope = self._sign(self._statement(draft, tenant))
            self.file(tenant).append(envelope)
        try:
            self.replay(tenant)
        except Unavailable:
            return Acknowledgement(envelope.digest, envelope.statement.issuance.sequence, Stage.JOURNALLED)
        if isinstance(envelope, Unsigned):  # signed a moment later: under another digest than the one that is told
            return Acknowledgement(envelope.digest, envelope.statement.issuance.sequence, Stage.JOURNALLED)
        sequenced = self.outbox.acknowledgement(envelope.digest)
        if sequenced is None and envelope.digest in self._refused:
            return Acknowledgement(envelope.digest, envelope.statement.issuance.sequence, Stage.JOURNALLED)
        if sequenced is None:
            raise InternalError("a journalled statement was replayed and is not in the outbox")
        return sequenced

    def replay(self, tenant: Tenant) -> int:
        """Sequence what waits in a tenant's journal; return how many statements that were.

        What the signer refuses, dated as it is, stays in the journal and keeps nothing else out of the log.
        """
        file = self.file(tenant)
        with self._lock, file.locked():
            file.count_for(self.signer.key)
            waiting = file.records()
            signed = [(record, envelope) for record in waiting if (envelope := self._envelope(record)) is not None]
            if signed:
                with self.outbox.database.appending():
                    signed = [(record, envelope) for record, envelope in signed if self._sequenced(record, envelope)]
                file.clear([record for record in waiting if record.digest in self._refused])
            self._count_on(tenant)
        return len(signed)

    def _sequenced(self, record: Record, envelope: Envelope) -> bool:
        """Append a statement; return whether the log has it now. Of two homes that count apart, one comes too late."""
        if self.outbox.acknowledgement(envelope.digest) is not None:
            return True
        issuance = envelope.statement.issuance
        if self.outbox.is_taken(issuance.tenant, issuance.issuer, issuance.sequence):
            self._stays(record, "another home has stated something else under its number: is this one a copy?")
            self._counted.discard(issuance.tenant)
            return False
        self.outbox.append(envelope, None)
        self._refused.discard(record.digest)
        return True

    def _count_on(self, tenant: Tenant) -> None:
        """Learn, once, how far the log has counted for the key: this home may be a copy, or older than the log."""
        if tenant not in self._counted:
            self.file(tenant).count_on(self.signer.key, self.outbox.next_sequence(tenant, self.signer.key) - 1)
            self._counted.add(tenant)

    def _stays(self, record: Record, because: str) -> None:
        if record.digest not in self._refused:
            _log.warning("a statement of the emergency journal stays there: %s", because)
        self._refused.add(record.digest)

    def _sign(self, statement: Statement) -> Record:
        try:
            return self.signer.sign(statement)
        except Unavailable:
            return Unsigned(to_payload(statement), statement)

    def _envelope(self, record: Record) -> Envelope | None:
        if not isinstance(record, Unsigned):
            return record
        if record.statement.issuance.issuer != self.signer.key:
            self._stays(record, "unsigned: its key was lost and replaced before it could sign")
            return None
        try:
            # Ed25519 gives one signature per statement: what a crash left half sequenced is found again by its digest.
            envelope = self.signer.sign(record.statement)
        except Refused as error:
            self._stays(record, f"unsigned: {error}")
            return None
        self._refused.discard(record.digest)
        return envelope

    def _statement(self, draft: Draft, tenant: Tenant) -> Statement:
        nonce = self.random(16).hex()
        issuance = Issuance(
            tenant=tenant,
            log=self.log,
            issuer=self.signer.key,
            strength=draft.strength,
            sequence=self.file(tenant).last_sequence(self.signer.key) + 1,
            nonce=nonce,
            idempotency_key=draft.idempotency_key or nonce,
            issued_at=self.clock.now(),
            demo=tenant in self.outbox.demo_tenants,
            late=True,
        )
        if draft.details:
            raise InternalError("an emergency statement has no side record: that would need the database")
        return draft.issued(issuance)
