"""Receipts and the log: what the log says of a segment, and the check of a whole receipt offline. Pure.

Format and steps: docs/specs/receipt.md. As with packs, nothing stops at the first failure, and without a trust file
the verdict is never "verified".
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ringfence.gateway import receipt as receipts
from ringfence.gateway.model import Basis
from ringfence.gateway.receipt import Receipt
from ringfence.gateway.segment import Closing
from ringfence.kernel import digest
from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import MalformedInput, RingfenceError, VerificationFailed
from ringfence.kernel.statement import KeyRole
from ringfence.ledger import checkpoint, note, tree
from ringfence.ledger.books import check_book
from ringfence.ledger.issuers import fold, parse_enrolment
from ringfence.ledger.model import SignedCheckpoint, Standing, Trust
from ringfence.ledger.succession import LogKeys, joined, keys_of, parse
from ringfence.ledger.trust import open_heads
from ringfence.reports.logpart import LogPart, parse_log_part
from ringfence.reports.model import Verdict
from ringfence.reports.records import OLDEST, SKEW

Result = TypeVar("Result")
SELF_CONSISTENT = (
    "self-consistent only: this says nothing about who made it; check it against the trust file that you received "
    "earlier, by another way"
)
DOES_NOT_PROVE = (
    "that these weights computed the answer: the gateway's key asserts what was sent, and which engine it asked",
    "that the answer is right, or that nobody else saw it",
    "that the gateway's key was not revoked after the log took the segment in: ask the operator for a pack",
)
_BASES = {
    Basis.LOADED: "loaded: the loader hashed the weights and gave the same bytes to the engine",
    Basis.DECLARED: "declared: whoever attached the engine said so, and nobody checked",
}


@dataclass(frozen=True, slots=True)
class ReceiptOutcome:
    """What checking one receipt came to."""

    verdict: Verdict
    receipt: Receipt
    closing: Closing | None  # none: the segment's signature or the path does not hold
    proves: tuple[str, ...]
    failures: tuple[str, ...]
    notices: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Tell whether the receipt was verified against trusted keys."""
        return self.verdict is Verdict.VERIFIED

    def to_json(self) -> dict[str, Any]:
        """Return the document that `ringfence verify --json` prints."""
        issuance = self.receipt.envelope.statement.issuance
        admitted = self.receipt.record.admitted
        return {
            "ok": self.ok,
            "verdict": self.verdict.value,
            "kind": "receipt",
            "request": admitted.request,
            "tenant": issuance.tenant,
            "log": issuance.log,
            "demo": issuance.demo,
            "digest": str(admitted.terms.model.digest) if admitted.terms.model.digest else None,
            "digest_basis": admitted.terms.model.basis.value,
            "record": digest.loads(self.receipt.leaf),
            "segment": self.closing.number if self.closing else None,
            "proves": list(self.proves),
            "does_not_prove": list(DOES_NOT_PROVE),
            "failures": list(self.failures),
            "notices": list(self.notices),
        }


def verify(
    data: bytes, trust: Trust | None, *, request: bytes | None = None, response: bytes | None = None, source: str = ""
) -> ReceiptOutcome:
    """Check a receipt against what an outsider trusts; None checks only whether it agrees with itself.

    `request` and `response` are the bodies that the caller kept, to be held against the record's commitments.

    Raises:
        MalformedInput: the bytes are no receipt, or a head in the trust file is not signed by its own log.
    """
    receipt = receipts.parse(data, source=source)
    part = parse_log_part(receipt.log, receipt.envelope)
    kept = _kept(trust) if trust else ()
    checks = _Checks()
    closing = checks.take(
        lambda: receipts.check_record(receipt, parse_enrolment(part.enrolment.envelope.statement).public_key)
    )
    checks.take(lambda: _check_heads(part, kept))
    for step in _STEPS:
        checks.take(lambda step=step: step(part, trust))  # type: ignore[misc]
    said = [_asserted(receipt)]
    if request is not None:
        said.append(checks.take(lambda: receipts.check_request(receipt.record, request)) or "")
    if response is not None:
        said.append(checks.take(lambda: receipts.check_response(receipt.record, response)) or "")
    return ReceiptOutcome(
        verdict=Verdict.FAILED if checks.failures else Verdict.VERIFIED if trust else Verdict.SELF_CONSISTENT,
        receipt=receipt,
        closing=closing,
        proves=() if checks.failures else tuple(said),
        failures=tuple(checks.failures),
        notices=tuple(_notices(receipt, part, trust, compared=request is not None or response is not None)),
    )


class _Checks:
    """Go on after a failure, and keep them all."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def take(self, check: Callable[[], Result]) -> Result | None:
        try:
            return check()
        except RingfenceError as error:
            self.failures.append(str(error))
            return None


def _check_places(part: LogPart, trust: Trust | None) -> None:
    """Step 3: the head is signed by the log, and holds the segment and the enrolment."""
    if len(note.parse(part.checkpoint).signatures) != 2:  # a line of anybody else would be bound by nothing
        raise MalformedInput("the checkpoint of a receipt carries the two signatures of the log and no other")
    head = checkpoint.parse_text(note.parse(part.checkpoint).text)
    if trust is not None:
        head = _keys(part, trust).open(part.checkpoint).checkpoint
    for logged in (part.enrolment, part.segment):
        tree.verify_inclusion(logged.entry, head.size, logged.leaf, logged.proof, head.root)
    if part.enrolment.entry >= part.segment.entry or part.enrolment.recorded_at > part.segment.recorded_at:
        raise VerificationFailed("the gateway's key was enrolled after the segment was taken in")
    _check_numbers(part)


def _keys(part: LogPart, trust: Trust) -> LogKeys:
    """Return the log's keys as the reader knows them, and as the receipt shows that the root replaced them."""
    return joined(keys_of(trust), [parse(envelope, trust.root, trust.log) for envelope in part.successions])


def _old_keys(part: LogPart, trust: Trust) -> Iterator[str]:
    """Say where the head of a receipt is by keys of the log that sign no more."""
    size = checkpoint.parse_text(note.parse(part.checkpoint).text).size
    try:
        ended = [each for each in _keys(part, trust).successions if each.size >= size][:1]
    except RingfenceError:
        return  # it has failed already
    for each in ended:
        yield (
            f"its head is signed by log keys that were replaced behind size {each.size} ({each.reason}): whoever holds "
            "these can make such a head for ever; ask for a pack that holds it"
        )


def _check_numbers(part: LogPart) -> None:
    """Step 3: where the log numbers the tenant's statements, both are numbered among the same ones, in their order.

    That is the book that the root signed the enrolment for.
    """
    first, second = part.enrolment.place, part.segment.place
    if first is not None and (second is None or first.tag != second.tag or first.sequence >= second.sequence):
        raise VerificationFailed("the log does not number the segment behind the enrolment of its key")
    check_book(part.enrolment.envelope.statement.claims, second.tag if second else None)


def _check_heads(part: LogPart, kept: Sequence[SignedCheckpoint]) -> None:
    """Step 4: no head that the reader holds has the same size and another root."""
    head = checkpoint.parse_text(note.parse(part.checkpoint).text)
    if any(one.checkpoint.size == head.size and one.checkpoint.root != head.root for one in kept):
        raise VerificationFailed(f"another head of size {head.size} was exported: the log was rebuilt or forked")


def _check_key(part: LogPart, trust: Trust | None) -> None:
    """Step 5: the root enrolled the key as a gateway's, and it was in force when the log took the segment in."""
    if trust is None:
        return
    issuers = fold([(part.enrolment.recorded_at, part.enrolment.envelope)], trust.root)
    standing, issuer = issuers.at(part.segment.envelope.signer, part.segment.recorded_at)
    if issuer is None or standing is not Standing.TRUSTED:
        raise VerificationFailed(f"the key that signed the segment is {standing} under the root that you trust")
    if issuer.role is not KeyRole.GATEWAY:
        raise VerificationFailed(f"the key that signed the segment is enrolled as {issuer.role}, not as a gateway's")


def _check_frame(part: LogPart, trust: Trust | None) -> None:
    """Step 6: segment and enrolment are of one tenant and of this log, and not dated after their recording."""
    first, second = (logged.envelope.statement.issuance for logged in (part.segment, part.enrolment))
    if (first.tenant, first.log, first.demo) != (second.tenant, second.log, second.demo):
        raise VerificationFailed("the gateway's key was enrolled for another tenant, or in another log")
    if trust is not None and first.log != trust.log:
        raise VerificationFailed(f"the receipt is from the log {first.log}, but you trust {trust.log}")
    if first.issued_at - part.segment.recorded_at > SKEW:
        raise VerificationFailed("the segment is dated after its own recording")


_STEPS = (_check_places, _check_key, _check_frame)


def _kept(trust: Trust) -> tuple[SignedCheckpoint, ...]:
    try:
        return open_heads(trust)
    except VerificationFailed as error:
        raise MalformedInput(f"a head in the trust file is not from the log that it names: {error}") from error


def _asserted(receipt: Receipt) -> str:
    admitted, finished = receipt.record.admitted, receipt.record.finished
    return (
        f"the gateway's key asserted, in a segment that the log took in, that {admitted.request} was answered by "
        f"{admitted.terms.deployment} ({admitted.terms.route}): {finished.outcome}, status {finished.status}"
    )


def _notices(receipt: Receipt, part: LogPart, trust: Trust | None, *, compared: bool) -> Iterator[str]:
    admitted, issuance = receipt.record.admitted, part.segment.envelope.statement.issuance
    yield f"the model's digest is {admitted.terms.model.digest or 'unknown'}, {_BASES[admitted.terms.model.basis]}"
    if trust is None:
        yield SELF_CONSISTENT
    else:
        yield "rebuild or rollback of the log not excluded by one receipt: a pack is checked against the heads you keep"
        yield from _old_keys(part, trust)
    if not admitted.salt:
        yield "the opening was erased: nobody can show any more what was asked and answered"
    elif not compared:
        yield "not compared with what was asked and answered: give --request and --response to do so"
    if part.segment.recorded_at - issuance.issued_at > OLDEST:
        yield f"the log took the segment in at {to_text(part.segment.recorded_at)}, more than a day after its closing"
    if issuance.demo:
        yield "demo data: made up for showing; it is evidence of nothing"
