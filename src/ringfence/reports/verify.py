"""Check a pack offline, in the numbered steps of docs/specs/pack.md, section 4. Pure.

Nothing stops at the first failure: the outcome lists everything that does not hold. Without a trust file the keys
come from the pack itself, so that a whole pack with fresh keys would pass: the verdict then is never "verified".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ringfence.kernel.clock import to_text
from ringfence.kernel.envelope import key_id_of
from ringfence.ledger.anchors.judging import vouched_before
from ringfence.ledger.issuers import Issuers, fold
from ringfence.ledger.model import Checkpoint, LoggedStatement, SignedCheckpoint, Standing, Trust
from ringfence.ledger.succession import Succession
from ringfence.reports import ended
from ringfence.reports.books import UNPINNED, check_books, pinned
from ringfence.reports.eras import check_replaced, check_stated, keys_for
from ringfence.reports.heads import (
    check_exported,
    check_heads,
    contradicted,
    covered,
    earlier_heads,
    judge_heads,
    kept_heads,
    signed_head,
    told,
)
from ringfence.reports.model import (
    REPORT_EXPORTED,
    Failure,
    JudgedHead,
    Outline,
    ProvenHead,
    Record,
    Verdict,
    Verification,
)
from ringfence.reports.pack import Contents, Kind, read
from ringfence.reports.records import SKEW, Frame, Numbered, gaps, in_full, judge, read_records, tenant_gaps
from ringfence.reports.writing import status_digest

SELF_CONSISTENT = (
    "self-consistent only: the keys come from the pack itself, so this says nothing about who made it; "
    "check it against the trust file that you received earlier"
)
DIGESTS_ONLY = (
    "{count} of {of} records are shown by their digests only: that they exist, when and in which order is proven; what "
    "they say (a key may be revoked in one, and one may be of an evidence type that the scope names) you know once you "
    "ask for them: they cannot be exchanged until then"
)
AHEAD = "its newest record is dated {newest}, and your clock says {now}: one of the two is wrong"
UNNUMBERED = (
    "{count} of {of} records bear no number, as in logs that began before there were numbers: among them the last one "
    "of an issuer could have been left out unseen"
)
NEVER_RECORDED = (
    "not excluded by anything here: what was never recorded at all; and what is done to the end of the log before its "
    "next head goes outside"
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
    replaced: tuple[Succession, ...]  # how the log's keys followed on one another
    failures: list[Failure] = field(default_factory=list)

    @property
    def head(self) -> Checkpoint | None:
        return self.signed.checkpoint if self.signed else None


def verify(data: bytes, trust: Trust | None, *, source: str = "", stamps: bool = True) -> Verification:
    """Check the bytes of a pack against what an outsider trusts; None checks only whether it agrees with itself.

    Args:
        data: the whole file.
        trust: what the reader holds.
        source: where the file comes from, for messages.
        stamps: false where there is nothing to check time stamps with.

    Raises:
        MalformedInput: the bytes are no pack at all, or a head in the trust file is not signed by its own log.
    """
    contents = read(data, source=source)
    header = contents.header
    evidence = _gather(contents, trust or Trust(header.log, header.root, header.log_keys, ()))
    kept = kept_heads(evidence.trust)
    judged, unfounded = judge_heads(contents, evidence.head, evidence.heads, evidence.trust, stamps=stamps)
    evidence = replace(evidence, issuers=evidence.issuers.proven(lambda when: vouched_before(judged, when)))
    heads = covered(judged, evidence.records)
    gone = ended.ended(evidence.records, evidence.issuers)
    failures = [
        *_identity(evidence),
        *check_books(evidence.records, header, key_id_of(evidence.trust.root)),
        *contents.failures,
        *evidence.failures,
        *check_heads(evidence.head, evidence.heads, kept),
        *unfounded,
        *contradicted(heads),
        *judge(evidence.records, Frame(header, evidence.head, evidence.issuers)),
        *gaps(evidence.records, key_id_of(evidence.trust.root)),
        *tenant_gaps(evidence.records),
        *check_exported(evidence.records, evidence.heads),
        *check_replaced(evidence.replaced, evidence.head, evidence.heads),
        *check_stated(evidence.records, evidence.replaced, evidence.trust),
        *_report(evidence),
    ]
    failures.sort(key=lambda failure: failure.record or 0)
    return Verification(
        verdict=Verdict.FAILED if failures else Verdict.VERIFIED if trust else Verdict.SELF_CONSISTENT,
        header=header,
        checked=len(evidence.records),
        outlined=sum(isinstance(numbered.record, Outline) for numbered in evidence.records),
        root=evidence.head.root if evidence.head else None,
        failures=tuple(failures),
        notices=(*_notices(evidence, kept, heads, trusted=trust is not None), *ended.told(gone)),
        status=_status(contents),
        statements=tuple(_logged(evidence)),
        heads=heads,
        ended=tuple(map(ended.to_json, gone)),
    )


def ahead(outcome: Verification, now: datetime) -> Verification:
    """Return the outcome; with a notice where the pack is dated after `now`, by the reader's own clock."""
    newest = max((logged.recorded_at for logged in outcome.statements), default=now)
    if newest - now <= SKEW:
        return outcome
    return replace(outcome, notices=(*outcome.notices, AHEAD.format(newest=to_text(newest), now=to_text(now))))


def _gather(contents: Contents, trust: Trust) -> _Evidence:
    failures: list[Failure] = []
    keys, offered, unfounded = keys_for(contents.header, trust)
    failures.extend(unfounded)
    signed = signed_head(contents, keys, failures)
    heads, unproven = earlier_heads(contents, keys)
    failures.extend(unproven)
    records, unreadable = read_records(contents)
    failures.extend(unreadable)
    shown = [(record.recorded_at, record.envelope, record.entry) for _, record in in_full(records)]
    issuers = fold(shown, trust.root)
    return _Evidence(contents, trust, signed, tuple(heads), tuple(records), issuers, offered, failures)


def _identity(evidence: _Evidence) -> Iterator[Failure]:
    """Step 1: the pack is from the log and under the root that the reader trusts."""
    header, trust = evidence.contents.header, evidence.trust
    if header.log != trust.log:
        yield Failure(f"the pack is from the log {header.log}, but you trust {trust.log}")
    if header.root != trust.root:
        yield Failure("the issuers are enrolled by another root key than the one you trust")


def _report(evidence: _Evidence) -> Iterator[Failure]:
    """Step 8: the last record states the status line, its time, and what it was computed from."""
    status = _status(evidence.contents)
    last = evidence.records[-1] if evidence.records else None
    if last is None or not isinstance(last.record, Record) or last.record.predicate != REPORT_EXPORTED:
        yield Failure("the last record is no report.exported: nobody signed the status line and the end of the pack")
        return
    if _standing(evidence, last.record) is Standing.UNPROVEN:
        yield last.failure("its key was enrolled by one that is compromised: who stole that could have made the pack")
    statement, header = last.record.envelope.statement, evidence.contents.header
    if status is None or [subject.digest for subject in statement.subjects] != [status_digest(status)]:
        yield last.failure("it was signed over another status line than the one in this pack")
    size = statement.claims.get("size")
    later = sum(n.record.entry >= size for n in evidence.records) if type(size) is int else 0
    # A record that cannot be read has failed already; it is counted all the same.
    counted = header.records - later if type(size) is int else None
    extent = header.extent.claims if header.extent else {}
    if statement.claims != {"asOf": to_text(header.as_of), "records": counted, "size": size, **extent}:
        yield last.failure(
            f"it states {statement.claims.get('records')} records up to size {size} as of "
            f"{statement.claims.get('asOf')}, the pack holds {counted} as of {to_text(header.as_of)}, or another extent"
        )
    if (type(size) is int and size > last.record.entry) or header.as_of > last.record.recorded_at:
        yield last.failure("it speaks of what came after it")


def _standing(evidence: _Evidence, record: Record) -> Standing:
    return evidence.issuers.at(record.envelope.signer, record.recorded_at, record.entry)[0]


def _status(contents: Contents) -> Mapping[str, Any] | None:
    for line in contents.of(Kind.STATUS):
        status = line.document["status"]
        return status if isinstance(status, dict) else None
    return None


def _notices(
    evidence: _Evidence, kept: Sequence[SignedCheckpoint], heads: Sequence[JudgedHead], *, trusted: bool
) -> Iterator[str]:
    if not trusted:
        yield SELF_CONSISTENT
    anchor = max(kept, key=lambda signed: signed.checkpoint.size, default=None)
    if (anchor is None or not anchor.checkpoint.size) and all(head.judged.outside_since is None for head in heads):
        yield NO_HEADS
    elif anchor is not None and anchor.checkpoint.size:
        yield (
            f"anchored outside: the {anchor.checkpoint.size} entries below the head signed at "
            f"{to_text(anchor.signed_at)}; the order of later entries rests on the operator's keys alone"
        )
    yield from told(heads)
    yield from _left_open(evidence.records)
    if evidence.records and not pinned(evidence.records, key_id_of(evidence.trust.root)):
        yield UNPINNED
    if evidence.contents.header.demo:
        yield "demo data: made up for showing; it is evidence of nothing"
    last = evidence.records[-1].record.entry if evidence.records else -1
    if evidence.head is not None and evidence.head.size > last + 1:
        more = evidence.head.size - last - 1
        yield f"the log went on for {more} entries, of any tenant, after the last record of this pack"


def _left_open(records: Sequence[Numbered]) -> Iterator[str]:
    """Yield what could be missing, or be said otherwise, in spite of all that was checked."""
    outlined = sum(isinstance(numbered.record, Outline) for numbered in records)
    unnumbered = sum(numbered.record.sequence is None for numbered in records)
    if outlined:
        yield DIGESTS_ONLY.format(count=outlined, of=len(records))
    if unnumbered:
        yield UNNUMBERED.format(count=unnumbered, of=len(records))
    if records:
        yield NEVER_RECORDED


def _logged(evidence: _Evidence) -> Iterator[LoggedStatement]:
    for _, record in in_full(evidence.records):
        standing, issuer = evidence.issuers.at(record.envelope.signer, record.recorded_at, record.entry)
        place = evidence.contents.header.place(record.sequence)
        yield LoggedStatement(
            record.entry, record.recorded_at, record.envelope, record.opening, standing, issuer, place
        )
