"""Whether each record of a pack holds: steps 4 to 6 of docs/specs/pack.md, section 4."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from ringfence.gateway.segment import SEGMENT
from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import MalformedInput, RingfenceError, VerificationFailed
from ringfence.kernel.identifier import KeyId, PredicateName, from_predicate_type
from ringfence.kernel.statement import KeyRole
from ringfence.ledger import tree
from ringfence.ledger.issuers import ENROLLED, Issuers, check_enrolment
from ringfence.ledger.model import Checkpoint, Standing
from ringfence.ledger.succession import KEYS_REPLACED
from ringfence.reports.model import AnyRecord, Failure, Header, Outline, Record, leaf_of
from ringfence.reports.pack import Contents, Kind, Line, parse_record

SKEW = timedelta(minutes=5)  # by which an issuer's clock may be ahead of the log's, as at admission
OLDEST = timedelta(hours=24)  # what a spool may hold back before a statement has to say that it is late
_ROLES: Mapping[PredicateName, frozenset[KeyRole]] = {
    ENROLLED: frozenset({KeyRole.ROOT, KeyRole.OPERATOR}),  # the latter enrol passkeys of their own person
    PredicateName("key.revoked"): frozenset({KeyRole.ROOT, KeyRole.CONTROL_PLANE, KeyRole.EMERGENCY}),
    PredicateName("report.exported"): frozenset({KeyRole.OPERATOR}),
    SEGMENT: frozenset({KeyRole.GATEWAY}),
    KEYS_REPLACED: frozenset({KeyRole.ROOT}),
}
# Roles that state anything else; the gateway faces strangers, and its key closes segments only.
_SPEAKERS = frozenset(KeyRole) - {KeyRole.ROOT, KeyRole.LEDGER, KeyRole.GATEWAY}
Checked = TypeVar("Checked", Record, AnyRecord)
_STANDINGS = {
    Standing.UNKNOWN: "it is signed by a key that the trusted root never enrolled",
    Standing.NOT_YET_VALID: "its key was not yet valid when the log took it in",
    Standing.EXPIRED: "its key had expired when the log took it in",
    Standing.REVOKED: "its key had been revoked when the log took it in",
}


@dataclass(frozen=True, slots=True)
class Numbered:
    """A record and the number by which messages call it."""

    number: int
    record: AnyRecord

    def failure(self, reason: str) -> Failure:
        """Say that this record does not hold."""
        return Failure(reason, self.number, self.record.entry, self.record.predicate)


def in_full(records: Sequence[Numbered]) -> Iterator[tuple[Numbered, Record]]:
    """Yield each record of which more than the digest is shown."""
    for numbered in records:
        if isinstance(numbered.record, Record):
            yield numbered, numbered.record


@dataclass(frozen=True, slots=True)
class Frame:
    """What every record is held against; `head` is None where the log's signatures do not hold."""

    header: Header
    head: Checkpoint | None
    issuers: Issuers


def read_records(contents: Contents) -> tuple[list[Numbered], list[Failure]]:
    """Parse every record line; return those that can be read, and what is wrong with the lines as such."""
    records, failures = [], []
    for line in contents.of(Kind.RECORD):
        try:
            record, reasons = parse_record(line.document, contents.header)
        except MalformedInput as error:
            failures.append(_unreadable(line, error))
            continue
        numbered = Numbered(line.record, record)
        records.append(numbered)
        failures.extend(numbered.failure(reason) for reason in reasons)
    return records, failures


def _unreadable(line: Line, error: MalformedInput) -> Failure:
    """Name a record that cannot be read by what its readable part says, which nobody signed."""
    index, statement = line.document["entry"], line.document.get("statement")
    try:
        predicate = from_predicate_type(statement.get("predicateType") if isinstance(statement, dict) else None)
    except MalformedInput:
        predicate = PredicateName("")
    return Failure(str(error), line.record, index if type(index) is int else None, predicate)


def judge(records: Sequence[Numbered], frame: Frame) -> Iterator[Failure]:
    """Yield everything that does not hold about single records."""
    before: AnyRecord | None = None
    for numbered in records:
        for reason in _reasons(numbered.record, frame):
            yield numbered.failure(reason)
        for reason in _order(before, numbered.record):
            yield numbered.failure(reason)
        before = numbered.record


def _reasons(record: AnyRecord, frame: Frame) -> Iterator[str]:
    if isinstance(record, Record):
        yield from filter(None, (_reason(check, record, frame) for check in _CHECKS))
    yield from filter(None, [_reason(_check_inclusion, record, frame)])


def _reason(check: Callable[[Checked, Frame], None], record: Checked, frame: Frame) -> str | None:
    try:
        check(record, frame)
    except RingfenceError as error:
        return str(error)
    return None


def _order(before: AnyRecord | None, record: AnyRecord) -> Iterator[str]:
    if before is not None and record.entry <= before.entry:
        yield f"it stands after entry {before.entry}: records were moved or repeated"
    if before is not None and record.recorded_at < before.recorded_at:
        yield f"it is back-dated: it says {to_text(record.recorded_at)}, before the record that precedes it in the log"


def _check_place(record: Record, frame: Frame) -> None:
    issuance, header = record.envelope.statement.issuance, frame.header
    if issuance.tenant != header.tenant or issuance.log != header.log:
        raise VerificationFailed(
            f"it belongs to tenant {issuance.tenant} in log {issuance.log}, "
            f"not to tenant {header.tenant} in log {header.log}"
        )
    if issuance.demo != header.demo:
        raise VerificationFailed(f"it is {_kind(issuance.demo)} in a pack of {_kind(header.demo)}; they never mix")


def _kind(demo: bool) -> str:  # noqa: FBT001 - a word for a flag
    return "demo data" if demo else "real data"


def _check_signature(record: Record, frame: Frame) -> None:
    standing, issuer = frame.issuers.at(record.envelope.signer, record.recorded_at, record.entry)
    if issuer is None or standing not in {Standing.TRUSTED, Standing.UNPROVEN}:  # the latter count for nothing
        raise VerificationFailed(f"{_STANDINGS[standing]} (key {record.envelope.signer[:16]}…)")
    statement = issuer.verify(record.envelope)
    if issuer.role not in _ROLES.get(statement.predicate, _SPEAKERS):
        raise VerificationFailed(f"a key with the role {issuer.role} may not state this")
    if statement.predicate == ENROLLED and issuer.role is KeyRole.OPERATOR and standing is Standing.TRUSTED:
        check_enrolment(frame.issuers, record.recorded_at, record.envelope, record.entry)


def _check_inclusion(record: AnyRecord, frame: Frame) -> None:
    if frame.head is None:
        return
    leaf = tree.leaf_hash(leaf_of(record, frame.header))
    tree.verify_inclusion(record.entry, frame.head.size, leaf, record.proof, frame.head.root)


def _check_time(record: Record, _: Frame) -> None:
    issuance = record.envelope.statement.issuance
    age = record.recorded_at - issuance.issued_at
    times = f"issued {to_text(issuance.issued_at)}, recorded {to_text(record.recorded_at)}"
    if age < -SKEW:
        raise VerificationFailed(f"it is dated after its own recording: {times}")
    # A segment is signed when it closes, and may lie on the gateway's disk while nobody runs the log.
    if age > OLDEST and not issuance.late and record.envelope.statement.predicate != SEGMENT:
        raise VerificationFailed(f"it is back-dated: {times}, and not marked as late")


_CHECKS: tuple[Callable[[Record, Frame], None], ...] = (_check_place, _check_signature, _check_time)


def gaps(records: Sequence[Numbered], root: KeyId) -> Iterator[Failure]:
    """Yield every gap in the numbering of each issuer's statements, which starts at 1.

    Statements of which only the digest is shown may fill it; the root's are never such ones.
    """
    expected: dict[str, int] = {}
    seen: dict[str, int] = {}
    outlined = 0
    for numbered in records:
        if isinstance(numbered.record, Outline):
            outlined += 1
            continue
        issuance = numbered.record.envelope.statement.issuance
        wanted, issuer = expected.get(issuance.issuer, 1), issuance.issuer
        hidden = outlined - seen.get(issuer, 0) if issuer != root else 0
        if issuance.sequence > wanted + hidden:
            yield Failure(
                f"issuer {issuer[:16]}…: {_span(wanted, issuance.sequence - 1)} missing or unreadable: "
                f"record {numbered.number} is its statement {issuance.sequence}"
            )
        elif issuance.sequence < wanted:
            yield numbered.failure(f"it repeats statement {issuance.sequence} of its issuer")
        expected[issuer], seen[issuer] = issuance.sequence + 1, outlined


def tenant_gaps(records: Sequence[Numbered]) -> Iterator[Failure]:
    """Yield every gap in the numbering of the tenant's statements.

    It starts at 1. The first entries of an older log bear none; the first that does counts on from how many they are.
    """
    expected, begun = 1, False
    for numbered in records:
        sequence = numbered.record.sequence
        if sequence is None:
            if begun:
                yield numbered.failure("it bears no number, and stands behind records that do")
            expected += 1
            continue
        begun = True
        if sequence > expected:
            yield Failure(
                f"{_span(expected, sequence - 1)} missing or unreadable, as the log numbers this tenant's: record "
                f"{numbered.number} is number {sequence}"
            )
        elif sequence < expected:
            yield numbered.failure(f"it repeats number {sequence} of the tenant")
        expected = sequence + 1


def _span(first: int, last: int) -> str:
    return f"statement {first} is" if first == last else f"statements {first} to {last} are"
