"""Made-up records, a journal over files in a test's directory, and whole receipts in a log in memory.

asked = admitted(number=7)                      # request id, salt and commitment follow from the number
journal = opened(tmp_path / "gateway")          # inside a running event loop
made = issued(LabLog(), records=5, index=2)     # the bytes of a receipt, and what it was made of
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.gateway import receipt, records, segment
from ringfence.gateway.blobs import ReceiptIndex, SegmentFiles
from ringfence.gateway.commitments import ResponseCommitment, commitment
from ringfence.gateway.hotpath.closing import Closer
from ringfence.gateway.hotpath.journal import FileJournal
from ringfence.gateway.hotpath.recovery import open_journal
from ringfence.gateway.model import ApiKeyId, Basis, DeploymentName, RequestId, ServedModel
from ringfence.gateway.ports import Durable, Journal
from ringfence.gateway.records import Admitted, Finished, Outcome, Record, Route, Terms
from ringfence.gateway.segment import Closing
from ringfence.kernel import digest
from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import LogOrigin, PredicateName, Tenant
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.ledger.model import LoggedStatement, SignedCheckpoint
from ringfence.reports.logpart import log_part
from ringfence.storage.signer import Ed25519Signer
from ringfence.testing.clock import START, FakeClock
from ringfence.testing.ledger import LabLog

TENANT = Tenant("acme")
ORIGIN = LogOrigin("lab.example/log")
PATIENCE = 30.0
TWO_DAYS = timedelta(days=2)
EVENTS = (b'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n', b"data: [DONE]\n\n")


def request(number: int) -> RequestId:
    """Return the id of request `number`."""
    return RequestId(f"req-{number:032x}")


def salt(number: int) -> bytes:
    """Return the salt of request `number`."""
    return sha256(b"salt %d" % number).digest()


def asked(number: int) -> bytes:
    """Return the body of request `number`."""
    return b'{"model":"small","prompt":"question %d"}' % number


def admitted(number: int = 1, **facts: Any) -> Admitted:
    """Return the admission of request `number`, changed by `facts`."""
    terms = Terms(
        key=ApiKeyId("k-0123456789ab"),
        tenant=TENANT,
        route=Route.CHAT_COMPLETIONS,
        deployment=DeploymentName("small"),
        model=ServedModel("engine-model", Digest.of(b"weights"), Basis.DECLARED),
        node="",
        policy=Digest.of(b"snapshot"),
    )
    shared = {each.name: facts.pop(each.name) for each in fields(Terms) if each.name in facts}
    made = Admitted(
        request=request(number),
        at=START,
        terms=replace(terms, **shared),
        request_commitment=commitment(salt(number), asked(number)),
        salt=salt(number),
    )
    return replace(made, **facts)


def finished(number: int = 1, **facts: Any) -> Finished:
    """Return the end of request `number`, answered by the stream `EVENTS`, changed by `facts`."""
    sent = ResponseCommitment(salt(number))
    for event in EVENTS:
        sent.event(event)
    made = Finished(
        request=request(number),
        at=START,
        outcome=Outcome.COMPLETE,
        status=200,
        response_commitment=sent.value,
        events=sent.events,
        chain=sent.chain,
        prompt_tokens=11,
        completion_tokens=3,
    )
    return replace(made, **facts)


def record(number: int = 1, **facts: Any) -> Record:
    """Return both halves of request `number`, the admission changed by `facts`."""
    return Record(number, admitted(number, **facts), finished(number))


def signer(seed: int = 9) -> Ed25519Signer:
    """Return a gateway's key."""
    return Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def closer(folder: Path, *, key: Ed25519Signer | None = None, clock: Clock | None = None) -> Closer:
    """Return what closes segments below `folder`."""
    files, index = SegmentFiles(folder), ReceiptIndex(folder / "index")
    return Closer(files, index, key or signer(), ORIGIN, frozenset(), clock or FakeClock(), _nonce)


def _nonce(size: int) -> bytes:
    return b"n" * size


def opened(folder: Path, *, close_after: float = 3600.0, most: int = segment.MAX_RECORDS) -> FileJournal:
    """Open a journal that closes a segment only when it is full or the journal is closed."""
    folder.mkdir(exist_ok=True)
    return open_journal(folder, closer(folder), close_after=close_after, most=most)


async def answered(journal: FileJournal, numbers: Sequence[int], **facts: Any) -> None:
    """Record whole answers, all at once; return when they are durable."""
    admissions = [journal.admit(admitted(number, **facts)) for number in numbers]
    journal.hurry()
    await asyncio.gather(*admissions)
    await asyncio.gather(*(journal.finish(finished(number)) for number in numbers))


@dataclass(frozen=True, slots=True)
class LogOf:
    """A log in memory as `reports.ports.Proofs`."""

    lab: LabLog

    def head(self) -> SignedCheckpoint:
        """Return the checkpoint over everything."""
        return self.lab.head()

    def statements(self, tenant: Tenant, predicates: Iterable[PredicateName]) -> Sequence[LoggedStatement]:
        """Return a tenant's statements of some evidence types."""
        return self.lab.statements(tenant, tuple(predicates))

    def successions(self, tenant: Tenant) -> Sequence[Envelope]:
        """Return what the root said of the log's keys."""
        return self.lab.successions(tenant)

    def inclusion_proof(self, entry: int, size: int) -> tuple[bytes, ...]:
        """Prove that an entry is in the tree."""
        return self.lab.inclusion_proof(entry, size)


@dataclass(frozen=True, slots=True)
class IssuedReceipt:
    """A receipt and what it was made of."""

    data: bytes
    record: Record
    closing: Closing


def closing_of(made: Sequence[Record], *, number: int = 1, before: int = 0) -> tuple[list[bytes], Closing]:
    """Return the leaves of records, and what their segment asserts."""
    leaves = [records.to_bytes(one) for one in made]
    return leaves, Closing(
        number=number,
        root=Digest(segment.root_of([segment.leaf_hash(leaf) for leaf in leaves])),
        records=len(made),
        admitted=max(one.number for one in made),
        finished=before + len(made),
        outcomes=Counter(one.finished.outcome for one in made),
        bases=Counter(one.admitted.terms.model.basis for one in made),
    )


def issued(
    log: LabLog,
    *,
    count: int = 3,
    index: int = 1,
    by: str = "gateway",
    role: KeyRole = KeyRole.GATEWAY,
    **issuance: Any,
) -> IssuedReceipt:
    """State a segment of made-up records in a log, and return the receipt of one of them.

    The key called `by` is enrolled first, as `role`; `issuance` overrides fields such as `issued_at`.
    """
    log.enrol(by, role)
    made = [record(number) for number in range(1, count + 1)]
    leaves, closing = closing_of(made)
    logged = log.state(
        segment.SEGMENT,
        closing.claims(),
        by=by,
        subjects=(segment.subject(closing),),
        strength=Strength.OBSERVED,
        idempotency_key=segment.idempotency_key(closing.number),
        **issuance,
    )
    hashes = [segment.leaf_hash(leaf) for leaf in leaves]
    part = log_part(LogOf(log), log.tenant, logged)
    path = segment.path_in(index, segment.levels_of(hashes))
    data = receipt.build(leaves[index], made[index].admitted.salt, logged.envelope, index, path, part)
    return IssuedReceipt(data, made[index], closing)


def changed(data: bytes, path: Sequence[str | int], value: Any) -> bytes:
    """Return a receipt with another value at one place."""
    document = place = digest.loads(data)
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return digest.dumps(document)


class JournalContract:
    """What the hot path relies on; `opened` and `spoil` come from the test that runs it.

    `opened` gives a journal inside the running event loop; `spoil` makes the disk refuse what comes next.
    """

    def test_a_promise_ends_with_nothing(self, opened: "Opened") -> None:
        """Both halves; whoever waits and whoever is called back learn of it."""

        async def work() -> None:
            with opened() as journal:
                await journal.admit(admitted(1))
                promise, told = journal.finish(finished(1)), asyncio.Event()
                promise.add_done_callback(lambda _: told.set())
                await asyncio.wait_for(told.wait(), PATIENCE)
                assert promise.done()
                assert promise.exception() is None

        asyncio.run(work())

    def test_many_at_once(self, opened: "Opened") -> None:
        """Whatever their order, each promise ends."""

        async def work() -> None:
            with opened() as journal:
                await asyncio.gather(*(_settled(journal.admit(admitted(number))) for number in range(1, 40)))
                await asyncio.gather(*(_settled(journal.finish(finished(number))) for number in range(39, 0, -1)))

        asyncio.run(work())

    def test_an_admission_for_which_somebody_waits(self, opened: "Opened") -> None:
        """It need not wait for its end."""

        async def work() -> None:
            with opened() as journal:
                promise = journal.admit(admitted(1))
                journal.hurry()
                await asyncio.wait_for(_settled(promise), PATIENCE)

        asyncio.run(work())

    def test_a_disk_that_refuses_is_told(self, opened: "Opened", spoil: Callable[[Journal], None]) -> None:
        """The promise ends with `Unavailable`, or is not given at all."""

        async def work() -> None:
            with opened() as journal:
                await journal.admit(admitted(1))
                spoil(journal)
                try:
                    await journal.finish(finished(1))
                except Unavailable:
                    return
                raise AssertionError("what the disk refused was called durable")

        asyncio.run(work())


Opened = Callable[[], AbstractContextManager[Journal]]


async def _settled(promise: Durable) -> None:
    await promise
