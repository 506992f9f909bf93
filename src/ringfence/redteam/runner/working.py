"""Workers that carry attempts out: as many at a time as asked, no faster than allowed, each written once."""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ringfence.kernel.clock import from_millis, to_text
from ringfence.kernel.errors import RingfenceError
from ringfence.redteam import answers, journal, render
from ringfence.redteam.blobs import OpenJournal
from ringfence.redteam.journal import SALT, Text
from ringfence.redteam.model import Answer, Attempt, Outcome, Plan, Record
from ringfence.redteam.runner.address import Address
from ringfence.redteam.runner.connection import Connection, Response, connect
from ringfence.redteam.scoring import outcome

BUSY = frozenset({429, 503})
MAX_TRIES = 4
MAX_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard an endpoint may be worked."""

    workers: int = 8
    timeout: float = 60.0
    rate: float = 0.0  # requests a second; 0 is as fast as the endpoint answers
    tokens: int = 0  # prompt and completion tokens in all; 0 is without end


@dataclass(slots=True)
class _Pace:
    """A token bucket that holds at most one second's worth."""

    rate: float
    _held: float = 1.0
    _at: float = field(default_factory=time.monotonic)

    async def take(self) -> None:
        """Wait for a turn."""
        if self.rate <= 0:
            return
        now = time.monotonic()
        self._held = min(max(1.0, self.rate), self._held + (now - self._at) * self.rate) - 1
        self._at = now
        if self._held < 0:
            await asyncio.sleep(-self._held / self.rate)


@dataclass(slots=True)
class Work:
    """What the workers of one journal share."""

    plan: Plan
    address: Address
    limits: Limits
    written: OpenJournal
    left: Iterator[Attempt]
    spent: int = 0
    pace: _Pace = field(init=False)

    def __post_init__(self) -> None:
        self.pace = _Pace(self.limits.rate)


async def carry_out(
    plan: Plan, attempts: Sequence[Attempt], address: Address, limits: Limits, written: OpenJournal
) -> None:
    """Carry out every attempt that the journal does not hold yet."""
    left = [attempt for attempt in attempts if attempt.id not in written.records]
    spent = sum((r.prompt_tokens or 0) + (r.completion_tokens or 0) for r in written.records.values())
    work = Work(plan, address, limits, written, iter(left), spent)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(limits.workers, len(left))):
                group.create_task(_worker(work))
    except* RingfenceError as errors:
        raise errors.exceptions[0] from None


async def _worker(work: Work) -> None:
    connection: Connection | None = None
    try:
        for attempt in work.left:
            prompt = render.rendered(attempt)
            body = render.body(prompt, work.plan)
            if work.limits.tokens and work.spent >= work.limits.tokens:
                answer = answers.fault(Outcome.NOT_SENT, tries=0)
            else:
                connection, answer = await _answered(work, connection, body)
                work.spent += (answer.prompt_tokens or 0) + (answer.completion_tokens or 0)
            came = outcome(attempt, prompt, answer, work.plan.max_tokens)
            text = Text(attempt.id, os.urandom(SALT), answer.text)
            work.written.add(_record(work.plan, attempt, body, answer, came, text), text)
    finally:
        if connection is not None:
            connection.close()


async def _answered(work: Work, connection: Connection | None, body: bytes) -> tuple[Connection | None, Answer]:
    """Send a request, again where the endpoint is busy or a kept connection had ended; return the answer."""
    tries, began = 0, time.perf_counter_ns()
    while True:
        tries += 1
        await work.pace.take()
        kept = connection is not None and connection.usable
        try:
            if connection is None or not connection.usable:
                connection = await connect(work.address)
            async with asyncio.timeout(work.limits.timeout):
                response = await connection.ask(work.address, body)
        except TimeoutError:
            _drop(connection)
            return None, answers.fault(Outcome.TIMEOUT, latency_us=_since(began), tries=tries)
        except OSError:
            _drop(connection)
            connection = None
            if kept and tries < MAX_TRIES:
                continue
            return None, answers.fault(Outcome.ERROR, latency_us=_since(began), tries=tries)
        if response.status in BUSY and tries < MAX_TRIES:
            await asyncio.sleep(_pause(response, tries))
            continue
        read = answers.read(response.status, response.headers, response.body, latency_us=_since(began), tries=tries)
        return connection, read


def _drop(connection: Connection | None) -> None:
    if connection is not None:
        connection.close()


def _since(began: int) -> int:
    return (time.perf_counter_ns() - began) // 1000


def _pause(response: Response, tries: int) -> float:
    told = response.headers.get("retry-after", "")
    asked = float(told) if told.isascii() and told.isdecimal() and len(told) < 6 else 0.1 * 2**tries
    return min(asked, MAX_PAUSE)


def now() -> str:
    """Return the time as records have it."""
    return to_text(from_millis(time.time_ns() // 1_000_000))


def _record(plan: Plan, attempt: Attempt, body: bytes, answer: Answer, came: Outcome, text: Text) -> Record:
    case = attempt.case
    return Record(
        id=attempt.id,
        case=case.id if case else "",
        family=attempt.family,
        transforms=case.chain if case else (),
        repeat=attempt.repeat,
        seed=plan.seed,
        pack=plan.pack.hex,
        request=journal.request_commitment(plan.salt, body),
        response=text.commitment,
        model=answer.model,
        status=answer.status,
        finish=answer.finish,
        outcome=came,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        latency_us=answer.latency_us,
        tries=answer.tries,
        at=now(),
    )
