"""Check the whole chain: stored envelopes against entries, entries against the tree, and every checkpoint. Pure.

One pass from the first entry to the last, in memory that does not grow with the log.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice

from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, RingfenceError
from ringfence.kernel.identifier import KeyId, PredicateName, Tenant
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.ledger import entry, tiling, tree
from ringfence.ledger.entry import Entry
from ringfence.ledger.model import LoggedStatement, SignedCheckpoint
from ringfence.ledger.succession import LogKeys
from ringfence.ledger.tree import Coordinate, Growing, HashReader
from ringfence.storage.rows import Kept

MAX_FAILURES = 10_000  # that are kept; a log with so many is not read to its end


@dataclass(frozen=True, slots=True)
class ChainAudit:
    """What a check of the whole chain found."""

    size: int
    root: bytes
    checkpoints: int
    failures: tuple[str, ...]
    oldest_entry_at: datetime | None
    entries: int = 0  # how many were checked; the whole log, unless something is missing
    tenants: int = 0  # how many have statements that are numbered


@dataclass(frozen=True, slots=True)
class Stored:
    """Everything that an installation keeps of its log, in the order of the log."""

    entries: Iterable[bytes]  # below the head, from the tiles
    kept: Iterable[Kept]  # the same, from the database: standing and as-of queries rest on its times
    tags: Mapping[Tenant, bytes]  # what stands for each tenant in the entries
    checkpoints: Iterable[SignedCheckpoint]  # every one that is not beyond the head
    published: bytes | None  # the note that the log directory shows to the world
    read: HashReader  # hashes of the tree, from the tiles


def audit_chain(keys: LogKeys, head: SignedCheckpoint, stored: Stored) -> ChainAudit:
    """Compare what is stored with what the log committed to.

    Every hash is computed again from the entries, and every hash of the tiles is compared with it: a tile that was
    changed together with what lies below it would otherwise pass, since a root is read from the highest tiles.
    """
    walk = _Walk(keys, head.checkpoint.size, stored)
    failures = tuple(islice(walk.failures(), MAX_FAILURES))
    return ChainAudit(
        size=head.checkpoint.size,
        root=head.checkpoint.root,
        checkpoints=walk.opened,
        failures=failures,
        oldest_entry_at=walk.oldest,
        entries=walk.growing.size,
        tenants=len(walk.numbers.last),
    )


@dataclass
class _Walk:
    """One pass over a log, and what it has seen so far."""

    keys: LogKeys
    size: int
    stored: Stored
    growing: Growing = field(default_factory=Growing)
    numbers: "_Numbers" = field(init=False)
    oldest: datetime | None = None
    opened: int = 0  # checkpoints
    shown: bool = False  # whether the published note was among them

    def __post_init__(self) -> None:
        self.numbers = _Numbers(self.stored.tags)

    def failures(self) -> Iterator[str]:
        """Yield everything that is wrong."""
        tiles, heads, rows = _Tiles(self.stored.read), iter(self.stored.checkpoints), _Rows(self.stored.kept)
        due = next(heads, None)
        before: datetime | None = None
        try:
            for index, data in enumerate(self.stored.entries):
                found, row = _entry(data), rows.at(index)
                self.oldest = self.oldest or (found.recorded_at if found else None)
                yield from _contents(index, found, before, row)
                yield from self.numbers.check(index, found, row)
                before = found.recorded_at if found else before
                yield from tiles.check(self.growing.add(tree.leaf_hash(data)))
                while due is not None and due.checkpoint.size <= self.growing.size:
                    yield from self._checkpoint(due)
                    due = next(heads, None)
        except RingfenceError as error:
            yield str(error)
        yield from tiles.rest()
        yield from self._end(due, heads)

    def _end(self, due: SignedCheckpoint | None, heads: Iterator[SignedCheckpoint]) -> Iterator[str]:
        if self.growing.size != self.size:
            yield f"the log directory holds {self.growing.size} entries and the checkpoint covers {self.size}"
        for signed in chain([] if due is None else [due], heads):
            yield from self._checkpoint(signed)
        if self.stored.published is not None and not self.shown:
            yield "the published checkpoint is not one that this log has signed"

    def _checkpoint(self, signed: SignedCheckpoint) -> Iterator[str]:
        size = signed.checkpoint.size
        self.opened += 1
        self.shown = self.shown or signed.note.encode() == self.stored.published
        try:
            opened = self.keys.open(signed.note).checkpoint
            if (opened.size, opened.root) != (size, self.growing.root) or size != self.growing.size:
                yield f"checkpoint of size {size}: the tree has another root"
        except RingfenceError as error:
            yield f"checkpoint of size {size}: {error}"


class _Rows:
    """The rows of the database beside the entries; a row may be missing."""

    def __init__(self, kept: Iterable[Kept]) -> None:
        self._rows = iter(kept)
        self._next = next(self._rows, None)

    def at(self, index: int) -> Kept | None:
        while self._next is not None and self._next.filed.entry < index:
            self._next = next(self._rows, None)
        found = self._next
        return found if found is not None and found.filed.entry == index else None


class _Tiles:
    """Compare the hashes that stand in tiles with those that follow from the entries, a tile at a time."""

    def __init__(self, read: HashReader) -> None:
        self._read = read
        self._waiting: dict[int, list[tuple[Coordinate, bytes]]] = {}

    def check(self, completed: Iterable[tuple[Coordinate, bytes]]) -> Iterator[str]:
        for place, expected in completed:
            if place[0] % tiling.HEIGHT:
                continue  # tiles hold the hashes of every eighth level only
            waiting = self._waiting.setdefault(place[0], [])
            waiting.append((place, expected))
            if len(waiting) == tiling.WIDTH:
                yield from self._compared(waiting)
                waiting.clear()

    def rest(self) -> Iterator[str]:
        for _, waiting in sorted(self._waiting.items()):
            yield from self._compared(waiting)

    def _compared(self, wanted: Sequence[tuple[Coordinate, bytes]]) -> Iterator[str]:
        try:
            if list(self._read([place for place, _ in wanted])) == [expected for _, expected in wanted]:
                return
        except RingfenceError:
            pass  # which one it is, is asked for below
        for place, expected in wanted:
            try:
                if self._read([place])[0] != expected:
                    yield f"hash {place[1]} of level {place[0]}: the tile holds another one than its entries have"
            except RingfenceError as error:
                yield f"hash {place[1]} of level {place[0]}: {error}"


def _entry(data: bytes) -> Entry | None:
    try:
        return entry.decode(data)
    except MalformedInput:
        return None


def _contents(index: int, found: Entry | None, before: datetime | None, row: Kept | None) -> Iterator[str]:
    if found is None:
        yield f"entry {index}: it is not an entry of this log's format"
        return
    if before is not None and found.recorded_at < before:
        yield f"entry {index}: recorded at {to_text(found.recorded_at)}, before the entry in front of it"
    if row is None:
        yield f"entry {index}: its envelope is missing from the database"
        return
    if Digest.of(row.envelope) != found.envelope:
        yield f"entry {index}: its envelope was changed after the log took it in"
    if row.filed.recorded_at != found.recorded_at:
        at = to_text(row.filed.recorded_at)
        yield f"entry {index}: the database says that it was recorded at {at}, the log says otherwise"


class _Numbers:
    """The numbering of each tenant's statements, which has no gap; an older log begins without numbers."""

    def __init__(self, tags: Mapping[Tenant, bytes]) -> None:
        self.last: dict[bytes, int] = {}
        self._tags = tags
        self._begun = False

    def check(self, index: int, found: Entry | None, row: Kept | None) -> Iterator[str]:
        if found is None:
            return
        tenant = None if row is None else named_in(row.envelope)
        if row is not None and Digest.of(row.envelope) == found.envelope and row.filed.tenant != tenant:
            yield f"entry {index}: the database files it under tenant {row.filed.tenant}, its statement names {tenant}"
        if found.place is None:
            yield from self._unnumbered(index, tenant)
            return
        self._begun = True
        tag, sequence = found.place.tag, found.place.sequence
        if tenant is not None and self._tags.get(tenant) != tag:
            yield f"entry {index}: it is numbered among the statements of another tenant than {tenant}"
        if sequence != self.last.get(tag, 0) + 1:
            yield f"entry {index}: it is number {sequence} of its tenant and follows number {self.last.get(tag, 0)}"
        if row is not None and row.filed.tenant_sequence != sequence:
            yield f"entry {index}: the database says that it is number {row.filed.tenant_sequence}, the log {sequence}"
        self.last[tag] = sequence

    def _unnumbered(self, index: int, tenant: Tenant | None) -> Iterator[str]:
        if self._begun:
            yield f"entry {index}: an entry of version 1 stands behind one of version 2"
        if tenant is not None and tenant in self._tags:
            self.last[self._tags[tenant]] = self.last.get(self._tags[tenant], 0) + 1


def named_in(envelope: bytes) -> Tenant | None:
    """Return the tenant that a statement names; None where it cannot be read. No signature is checked."""
    try:
        return Tenant(json.loads(base64.b64decode(json.loads(envelope)["payload"]))["predicate"]["issuance"]["tenant"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def chain_verified(tenant: Tenant, audit: ChainAudit, sources: int) -> Draft:
    """State the outcome of a check of the whole chain; what failed is named in the side record."""
    claims = {
        "size": audit.size,
        "root": audit.root.hex(),
        "entries": audit.entries,
        "checkpoints": audit.checkpoints,
        "failures": len(audit.failures),
        "oldestEntryAt": None if audit.oldest_entry_at is None else to_text(audit.oldest_entry_at),
        "sources": sources,
    }
    details = {"failures": list(audit.failures[:1000])} if audit.failures else {}
    subject = Subject(f"log/{tenant}", Digest(audit.root))
    return Draft(PredicateName("log.chain_verified"), (subject,), claims, Strength.OBSERVED, details=details)


def heartbeat(tenant: Tenant, statements: Sequence[LoggedStatement], head: SignedCheckpoint) -> Draft:
    """State whether every source's sequence is without a gap."""
    sequences: dict[KeyId, list[int]] = {}
    for logged in statements:
        sequences.setdefault(logged.envelope.signer, []).append(logged.envelope.statement.issuance.sequence)
    gaps = sum(_gaps(found) for found in sequences.values())
    late = Counter(logged.envelope.statement.issuance.late for logged in statements)[True]
    claims = {
        "sources": len(sequences),
        "statements": len(statements),
        "gaps": gaps,
        "unexplained": gaps,  # an explanation is a signed statement of its own; none exists yet in this version
        "late": late,
    }
    subject = Subject(f"log/{tenant}", Digest(head.checkpoint.root))
    return Draft(PredicateName("log.heartbeat"), (subject,), claims, Strength.OBSERVED)


def _gaps(sequence: Iterable[int]) -> int:
    found = set(sequence)
    return max(found) - len(found)
