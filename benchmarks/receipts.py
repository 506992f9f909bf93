"""Receipts: the CPU of both records per answer, and how long an answer waits for its fsyncs, alone and 32 at a time."""

import asyncio
import os
import secrets
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from measurement import Row

from ringfence.gateway.blobs import ReceiptIndex, SegmentFiles
from ringfence.gateway.daybook import Daybook, frames_of
from ringfence.gateway.hotpath.closing import Closer
from ringfence.gateway.hotpath.journal import FileJournal
from ringfence.gateway.hotpath.recovery import open_journal
from ringfence.gateway.hotpath.wallclock import WallClock
from ringfence.gateway.model import ApiKeyId, Basis, DeploymentName, RequestId, ServedModel
from ringfence.gateway.records import Admitted, Finished, Outcome, Route, Terms
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import LogOrigin, Tenant
from ringfence.storage.signer import Ed25519Signer

ANSWERS = 20_000
ROUNDS = 15
WAITS = {1: 1_000, 32: 300}  # answers of each caller
CLOCK = WallClock()
DIGEST = Digest.of(b"weights")
HASH = DIGEST.value
TERMS = Terms(
    key=ApiKeyId("k-0123456789ab"),
    tenant=Tenant("bench"),
    route=Route.CHAT_COMPLETIONS,
    deployment=DeploymentName("small"),
    model=ServedModel("model", DIGEST, Basis.LOADED),
    node="n-01234567",
    policy=DIGEST,
)


def admitted(at: datetime) -> Admitted:
    """Return an admission as the hot path makes it."""
    return Admitted(
        request=RequestId(f"req-{secrets.token_hex(16)}"),
        at=at,
        terms=TERMS,
        request_commitment=HASH,
        salt=os.urandom(32),
    )


def finished(first: Admitted) -> Finished:
    """Return its end."""
    return Finished(first.request, first.at + timedelta(milliseconds=1), Outcome.COMPLETE, 200, HASH, 20, HASH, 11, 20)


def pairs(count: int) -> list[tuple[Admitted, Finished]]:
    """Return answers made beforehand: what is measured is recording them."""
    start = CLOCK.now()  # no two share a millisecond: at full speed they do, and their time is printed once
    made = [admitted(start + timedelta(milliseconds=2 * number)) for number in range(count)]
    return [(first, finished(first)) for first in made]


def journal(folder: Path) -> FileJournal:
    """Open a journal as the gateway does."""
    files, index = SegmentFiles(folder), ReceiptIndex(folder / "index")
    signer = Ed25519Signer.from_seed(bytes(32))
    origin = LogOrigin("localhost/bench")
    return open_journal(folder, Closer(files, index, signer, origin, frozenset(), WallClock(), os.urandom))


def making() -> list[float]:
    """Measure the CPU of making both records, joining them and closing the segment's tree, per answer, in µs."""
    found = []
    for _ in range(ROUNDS):
        answers = pairs(5_000)
        book, payloads = Daybook(), []
        start = time.process_time()
        for first, second in answers:
            payloads.append(book.admit(first))
            payloads.append(book.finish(second))
        frames_of(payloads)
        list(book.closings())
        found.append((time.process_time() - start) / len(answers) * 1e6)
    return found


async def recorded(book: FileJournal, callers: int, each: int) -> tuple[list[float], float]:
    """Record answers of so many callers; return how long each waited, and the process's CPU per answer, in µs."""
    waits: list[float] = []
    answers = [pairs(each) for _ in range(callers)]

    async def caller(own: list[tuple[Admitted, Finished]]) -> None:
        for first, second in own:
            start = time.perf_counter()
            admission = book.admit(first)
            book.hurry()
            await admission
            await book.finish(second)
            waits.append((time.perf_counter() - start) * 1e6)

    start = time.process_time()
    await asyncio.gather(*(caller(own) for own in answers))
    return waits, (time.process_time() - start) / len(waits) * 1e6


async def waiting(callers: int) -> tuple[list[float], list[float]]:
    """Measure on the disk that holds temporary files."""
    waits: list[float] = []
    cpu = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as place:
            book = journal(Path(place))
            found, used = await recorded(book, callers, WAITS[callers])
            waits += found
            cpu.append(used)
            await asyncio.to_thread(book.close)
    return waits, cpu


def measure() -> list[Row]:
    """Return the rows of receipts."""
    made = making()
    rows = [
        Row(
            "receipt per answer: both records and their share of the segment",
            "<= 25 µs CPU",
            made,
            limit=25.0,
            unit="µs CPU",
        )
    ]
    for callers in WAITS:
        waits, cpu = asyncio.run(waiting(callers))
        note = "admission and end one after the other, each with its fsync; an admission runs beside the engine's work"
        rows.append(Row(f"added latency, {callers} in flight", "printed", waits, unit="µs", note=note))
        rows.append(
            Row(f"whole journal, threads and futures included, {callers} in flight", "printed", cpu, unit="µs CPU")
        )
    return rows
