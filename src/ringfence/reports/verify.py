"""Check a pack offline, in the numbered steps of docs/specs/pack.md, section 4. Pure.

Nothing stops at the first failure: the outcome lists everything that does not hold. Without a trust file the keys
come from the pack itself, so that a whole pack with fresh keys would pass: the verdict then is never "verified".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.ledger import checkpoint, note, tree
from ringfence.ledger.issuers import Issuers, fold
from ringfence.ledger.model import Checkpoint, LoggedStatement, SignedCheckpoint, Trust
from ringfence.ledger.trust import open_heads
from ringfence.reports.model import HEAD_EXPORTED, REPORT_EXPORTED, Failure, ProvenHead, Verdict, Verification
from ringfence.reports.pack import Contents, Kind, parse_head, read, status_digest
from ringfence.reports.records import Frame, Numbered, gaps, judge, read_records

SELF_CONSISTENT = (
    "self-consistent only: the keys come from the pack itself, so this says nothing about who made it; "
    "check it against the trust file that you received earlier"
)
NO_HEADS = "rebuild or rollback not excluded: the trust file holds no head of this log that was kept outside"


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What the steps hand on to one another."""

    contents: Contents
    trust: Trust
    signed: SignedCheckpoint | None
    heads: tuple[ProvenHead, ...]
    records: tuple[Numbered, ...]
    issuers: Issuers
    failures: list[Failure] = field(default_factory=list)

    @property
    def head(self) -> Checkpoint | None:
        return self.signed.checkpoint if self.signed else None


def verify(data: bytes, trust: Trust | None, *, source: str = "") -> Verification:
    """Check the bytes of a pack against what an outsider trusts; None checks only whether it agrees with itself.

    Raises:
        MalformedInput: the bytes are no pack at all, or a head in the trust file is not signed by its own log.
    """
    contents = read(data, source=source)
    header = contents.header
    evidence = _gather(contents, trust or Trust(header.log, header.root, header.log_keys, ()))
    kept = _kept_heads(evidence.trust)
    failures = [
        *_identity(evidence),
        *contents.failures,
        *evidence.failures,
        *_heads(evidence, kept),
        *judge(evidence.records, Frame(header, evidence.head, evidence.issuers)),
        *gaps(evidence.records),
        *_exported_heads(evidence),
        *_report(evidence),
    ]
    failures.sort(key=lambda failure: failure.record or 0)
    return Verification(
        verdict=Verdict.FAILED if failures else Verdict.VERIFIED if trust else Verdict.SELF_CONSISTENT,
        header=header,
        checked=len(evidence.records),
        root=evidence.head.root if evidence.head else None,
        failures=tuple(failures),
        notices=tuple(_notices(evidence, kept, trusted=trust is not None)),
        status=_status(contents),
        statements=tuple(_logged(evidence)),
    )


def _gather(contents: Contents, trust: Trust) -> _Evidence:
    failures: list[Failure] = []
    signed = _signed_head(contents, trust, failures)
    heads = []
    for line in contents.of(Kind.HEAD):
        try:
            heads.append(parse_head(line.document))
        except MalformedInput as error:
            failures.append(Failure(f"line {line.number}: {error}"))
    records, unreadable = read_records(contents)
    failures.extend(unreadable)
    issuers = fold([(n.record.recorded_at, n.record.envelope) for n in records], trust.root)
    return _Evidence(contents, trust, signed, tuple(heads), tuple(records), issuers, failures)


def _identity(evidence: _Evidence) -> Iterator[Failure]:
    """Step 1: the pack is from the log and under the root that the reader trusts."""
    header, trust = evidence.contents.header, evidence.trust
    if header.log != trust.log:
        yield Failure(f"the pack is from the log {header.log}, but you trust {trust.log}")
    if header.log_keys != trust.log_keys:
        yield Failure("the log is signed by other keys than those you trust: it was rebuilt, or it is another log")
    if header.root != trust.root:
        yield Failure("the issuers are enrolled by another root key than the one you trust")


def _signed_head(contents: Contents, trust: Trust, failures: list[Failure]) -> SignedCheckpoint | None:
    """Step 2: the head carries both signatures of the trusted log, and the header's size."""
    for line in contents.of(Kind.CHECKPOINT):
        try:
            signed = _opened(line.document["checkpoint"], trust)
        except (MalformedInput, VerificationFailed) as error:
            failures.append(Failure(f"the head of the log: {error}"))
            return None
        if signed.checkpoint.size != contents.header.size:
            failures.append(Failure("the header states another size of the log than the signed head"))
        return signed
    return None


def _opened(text: object, trust: Trust) -> SignedCheckpoint:
    if not isinstance(text, str):
        raise MalformedInput("a checkpoint is a signed note")
    if len(note.parse(text).signatures) != len(trust.log_keys):  # a line of anybody else would be bound by nothing
        raise MalformedInput("the checkpoint of a pack carries the two signatures of the log and no other")
    return checkpoint.open_note(text, trust.log_keys, trust.log)


def _kept_heads(trust: Trust) -> tuple[SignedCheckpoint, ...]:
    try:
        return open_heads(trust)
    except VerificationFailed as error:
        raise MalformedInput(f"a head in the trust file is not from the log that it names: {error}") from error


def _heads(evidence: _Evidence, kept: Sequence[SignedCheckpoint]) -> Iterator[Failure]:
    """Step 3: the pack's head continues every earlier head that it names, and every head that the reader holds."""
    if evidence.head is None:
        return
    for proven in evidence.heads:
        try:
            tree.verify_consistency(proven.size, proven.root, evidence.head.size, evidence.head.root, proven.proof)
        except VerificationFailed as error:
            yield Failure(f"the head of size {proven.size}: {error}: the log was rebuilt or forked")
    sizes = [proven.size for proven in evidence.heads]
    if sizes != sorted(set(sizes)):
        yield Failure("the heads do not stand in the order of their sizes")
    for signed in kept:
        yield from _continues(evidence, evidence.head, signed)


def _continues(evidence: _Evidence, head: Checkpoint, kept: SignedCheckpoint) -> Iterator[Failure]:
    old = kept.checkpoint
    proven = {head.size: head.root} | {line.size: line.root for line in evidence.heads}
    named = f"the head of size {old.size} exported at {to_text(kept.signed_at)}"
    if old.size > head.size:
        yield Failure(f"the log is shorter than {named}: its tail was cut (the pack's head has size {head.size})")
    elif old.size and old.size not in proven:
        yield Failure(
            f"nothing shows that the log still contains {named}: it was rebuilt or forked, or the pack was made "
            f"without that head (make it again with --head {old.size})"
        )
    elif old.size and proven[old.size] != old.root:
        yield Failure(f"the log does not contain {named}: it was rebuilt or forked")


def _exported_heads(evidence: _Evidence) -> Iterator[Failure]:
    """Step 7: every head that a record says was exported is among those that step 3 has checked."""
    proven = {head.size: head.root.hex() for head in evidence.heads}
    for numbered in evidence.records:
        statement = numbered.record.envelope.statement
        if statement.predicate != HEAD_EXPORTED:
            continue
        size, root = statement.claims.get("size"), statement.claims.get("root")
        if type(size) is not int or proven.get(size) != root:
            yield numbered.failure(f"the log does not contain the head of size {size} that it says was exported")


def _report(evidence: _Evidence) -> Iterator[Failure]:
    """Step 8: the last record states the status line, its time, and what it was computed from."""
    status = _status(evidence.contents)
    last = evidence.records[-1] if evidence.records else None
    if last is None or last.record.envelope.statement.predicate != REPORT_EXPORTED:
        yield Failure("the last record is no report.exported: nobody signed the status line and the end of the pack")
        return
    statement, header = last.record.envelope.statement, evidence.contents.header
    if status is None or [subject.digest for subject in statement.subjects] != [status_digest(status)]:
        yield last.failure("it was signed over another status line than the one in this pack")
    size = statement.claims.get("size")
    later = sum(n.record.entry >= size for n in evidence.records) if type(size) is int else 0
    # A record that cannot be read has failed already; it is counted all the same.
    counted = header.records - later if type(size) is int else None
    if statement.claims != {"asOf": to_text(header.as_of), "records": counted, "size": size}:
        yield last.failure(
            f"it states {statement.claims.get('records')} records up to size {size} as of "
            f"{statement.claims.get('asOf')}, the pack holds {counted} as of {to_text(header.as_of)}"
        )
    if (type(size) is int and size > last.record.entry) or header.as_of > last.record.recorded_at:
        yield last.failure("it speaks of what came after it")


def _status(contents: Contents) -> Mapping[str, Any] | None:
    for line in contents.of(Kind.STATUS):
        status = line.document["status"]
        return status if isinstance(status, dict) else None
    return None


def _notices(evidence: _Evidence, kept: Sequence[SignedCheckpoint], *, trusted: bool) -> Iterator[str]:
    if not trusted:
        yield SELF_CONSISTENT
    anchor = max(kept, key=lambda signed: signed.checkpoint.size, default=None)
    if anchor is None or not anchor.checkpoint.size:
        yield NO_HEADS
    else:
        yield (
            f"anchored outside: the {anchor.checkpoint.size} entries below the head signed at "
            f"{to_text(anchor.signed_at)}; the order of later entries rests on the operator's keys alone"
        )
    if evidence.contents.header.demo:
        yield "demo data: made up for showing; it is evidence of nothing"
    last = evidence.records[-1].record.entry if evidence.records else -1
    if evidence.head is not None and evidence.head.size > last + 1:
        more = evidence.head.size - last - 1
        yield f"the log went on for {more} entries, of any tenant, after the last record of this pack"


def _logged(evidence: _Evidence) -> Iterator[LoggedStatement]:
    for numbered in evidence.records:
        record = numbered.record
        standing, issuer = evidence.issuers.at(record.envelope.signer, record.recorded_at)
        yield LoggedStatement(record.entry, record.recorded_at, record.envelope, record.opening, standing, issuer)
