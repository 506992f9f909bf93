"""Check the whole chain: stored envelopes against entries, entries against the tree, and every checkpoint. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import SIZE, Digest
from ringfence.kernel.errors import MalformedInput, RingfenceError
from ringfence.kernel.identifier import KeyId, LogOrigin, PredicateName, Tenant
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.ledger import checkpoint, entry, tiling, tree
from ringfence.ledger.model import LoggedStatement, SignedCheckpoint
from ringfence.ledger.tree import HashReader, Run


@dataclass(frozen=True, slots=True)
class ChainAudit:
    """What a check of the whole chain found."""

    size: int
    root: bytes
    checkpoints: int
    failures: tuple[str, ...]
    oldest_entry_at: datetime | None


def audit_chain(
    *,
    log: LogOrigin,
    log_keys: tuple[str, str],
    head: SignedCheckpoint,
    entries: Iterable[bytes],
    envelopes: Iterable[tuple[int, bytes]],
    recorded: Iterable[tuple[int, datetime, Digest]],
    checkpoints: Iterable[SignedCheckpoint],
    published: bytes | None,
    read: HashReader,
) -> ChainAudit:
    """Compare what is stored with what the log committed to.

    Every hash is computed again from the entries, and every hash of the tiles is compared with it: a tile that was
    changed together with what lies below it would otherwise pass, since a root is read from the highest tiles.

    Args:
        log: origin of the log.
        log_keys: its two verifier keys.
        head: the newest checkpoint.
        entries: the log entries below the head, from the tiles.
        envelopes: index and stored bytes, from the database.
        recorded: index, time and digest of the same rows: standing and as-of queries rest on that time.
        checkpoints: every checkpoint that was kept and is not beyond the head.
        published: the note that the log directory shows to the world.
        read: hashes of the tree, from the tiles.
    """
    size = head.checkpoint.size
    found, failures = _readable(entries)
    if len(found) != size:
        failures.append(f"the log directory holds {len(found)} entries and the checkpoint covers {size}")
    runs = tree.grow(0, [tree.leaf_hash(data) for data in found], read)
    known = list(checkpoints)
    failures += [*_entries(found), *_tiles(runs, read), *_envelopes(found, envelopes), *_times(found, recorded)]
    for signed in known:
        failures.extend(_checkpoint(signed, log, log_keys, tree.overlay(runs, read)))
    if published is not None and published not in {signed.note.encode() for signed in known}:
        failures.append("the published checkpoint is not one that this log has signed")
    return ChainAudit(
        size, head.checkpoint.root, len(known), tuple(failures), _recorded_at(found[0]) if found else None
    )


def _readable(entries: Iterable[bytes]) -> tuple[list[bytes], list[str]]:
    found: list[bytes] = []
    try:
        for data in entries:
            found.append(data)  # noqa: PERF402 - what was read before an error is still checked
    except RingfenceError as error:
        return found, [str(error)]
    return found, []


def _entries(entries: Sequence[bytes]) -> Iterable[str]:
    before: datetime | None = None
    for index, data in enumerate(entries):
        at = _recorded_at(data)
        if at is None:
            yield f"entry {index}: it is not an entry of this log's format"
        elif before is not None and at < before:
            yield f"entry {index}: recorded at {to_text(at)}, before the entry in front of it"
        before = at or before


def _recorded_at(data: bytes) -> datetime | None:
    try:
        return entry.decode(data).recorded_at
    except MalformedInput:
        return None


def _tiles(runs: Sequence[Run], read: HashReader) -> Iterable[str]:
    for level, run in enumerate(runs):
        if level % tiling.HEIGHT:
            continue  # tiles hold the hashes of every eighth level only
        for offset, expected in enumerate(run[1]):
            place = (level, run[0] + offset)
            try:
                if read([place])[0] != expected:
                    yield f"hash {place[1]} of level {level}: the tile holds another one than its entries have"
            except RingfenceError as error:
                yield f"hash {place[1]} of level {level}: {error}"


def _envelopes(entries: Sequence[bytes], envelopes: Iterable[tuple[int, bytes]]) -> Iterable[str]:
    stored = dict(envelopes)
    for index, data in enumerate(entries):
        if index not in stored:
            yield f"entry {index}: its envelope is missing from the database"
        elif Digest.of(stored[index]).value != data[-SIZE:]:
            yield f"entry {index}: its envelope was changed after the log took it in"


def _times(entries: Sequence[bytes], recorded: Iterable[tuple[int, datetime, Digest]]) -> Iterable[str]:
    for index, at, _ in recorded:
        if index < len(entries) and _recorded_at(entries[index]) not in (None, at):
            yield f"entry {index}: the database says that it was recorded at {to_text(at)}, the log says otherwise"


def _checkpoint(signed: SignedCheckpoint, log: LogOrigin, log_keys: tuple[str, str], read: HashReader) -> Iterable[str]:
    size = signed.checkpoint.size
    try:
        opened = checkpoint.open_note(signed.note, log_keys, log)
        if opened.checkpoint.size != size or tree.root(size, read) != opened.checkpoint.root:
            yield f"checkpoint of size {size}: the tree has another root"
    except RingfenceError as error:
        yield f"checkpoint of size {size}: {error}"


def chain_verified(tenant: Tenant, audit: ChainAudit, sources: int) -> Draft:
    """State the outcome of a check of the whole chain; what failed is named in the side record."""
    claims = {
        "size": audit.size,
        "root": audit.root.hex(),
        "entries": audit.size,
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
