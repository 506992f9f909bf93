"""One request on its way: admitted, asked, answered, finished; and every way in which that can break.

No byte of the answer leaves before the admission is durable, and its last not before the end is (decision 0021).
Everything is a callback: a task per request would cost more than the rest of this module.
"""

from time import monotonic_ns
from typing import Protocol

from ringfence.gateway import guard
from ringfence.gateway.commitments import commitment
from ringfence.gateway.hotpath import reported
from ringfence.gateway.hotpath.access import Access
from ringfence.gateway.hotpath.answers import Answer, EventAnswer, WholeAnswer
from ringfence.gateway.hotpath.calls import Call
from ringfence.gateway.hotpath.desk import Desk, unrecorded
from ringfence.gateway.hotpath.engines import EngineConnection, Head
from ringfence.gateway.hotpath.problem import Problem, answer_bytes
from ringfence.gateway.ports import Durable
from ringfence.gateway.records import Admitted, Because, Finished, Outcome, Terms
from ringfence.kernel.errors import Unavailable

_COMPLETE, _REFUSED = Outcome.COMPLETE, Outcome.REFUSED_UPSTREAM  # members are slow to name
_DIED = {Because.UPSTREAM_STALLED: (504, "upstream_stalled"), Because.UPSTREAM_LIED: (502, "upstream_broken")}


class Caller(Protocol):
    """The connection on which the answer leaves."""

    def send(self, data: bytes) -> None:
        """Send bytes of the answer."""
        ...

    def await_record(self) -> None:
        """Begin the time in which the disk must take the record; afterwards `expire` is called."""
        ...

    def done(self, access: Access, *, close: bool) -> None:
        """End the exchange; `close` also where the answer broke off."""
        ...


class Exchange:
    """One request on its way; fulfils `engines.Asking`."""

    __slots__ = (
        "_access",
        "_admission",
        "_answer",
        "_call",
        "_caller",
        "_close",
        "_desk",
        "_durable",
        "_ended",
        "_gone",
        "_last",
        "_left",
        "_pending",
        "_recorded",
        "_salt",
        "_sent",
        "_truncated",
        "cancelled",
        "connection",
    )

    def __init__(self, desk: Desk, caller: Caller, call: Call, access: Access, salt: bytes) -> None:
        self._desk, self._caller, self._call, self._access, self._salt = desk, caller, call, access, salt
        self._admission: Durable | None = None
        self._durable = False  # the admission is
        self._answer: Answer | None = None
        self._pending: list[bytes] = []  # may leave once the admission is durable
        self._sent = False  # something has left
        self._last = b""  # leaves once the end is durable
        self._ended = False  # the end is known, and given to the journal
        self._recorded = False  # and durable
        self._left = False  # nothing more will happen
        self._gone = False  # the caller is
        self._truncated = False
        self._close = not call.keep_alive or desk.draining
        self.connection: EngineConnection | None = None
        self.cancelled = False

    def start(self) -> None:
        """Admit, and ask the engine at the same time.

        Raises:
            Problem: the journal cannot write; the engine was not asked.
        """
        call, desk = self._call, self._desk
        if call.terms is None:
            self._durable = True
        else:
            self._admit(call.terms)
        pool = call.target.pool or desk.pool(call.target.engine)
        pool.ask(self, call.question)
        if call.snapshot.guard:
            self._access.guard = guard.judge(call.body)

    def _admit(self, terms: Terms) -> None:
        access, desk, salt = self._access, self._desk, self._salt
        committed = access.commitment = commitment(salt, self._call.body)
        try:
            promise = desk.journal.admit(Admitted(access.request, desk.clock.now(), terms, committed, salt))
        except Unavailable as error:
            raise unrecorded(error) from None
        self._admission = promise
        promise.add_done_callback(self._admitted)

    def _admitted(self, promise: Durable) -> None:
        """Let out what waited for the admission."""
        error = promise.exception()
        if error is not None:
            self._unrecorded(error)
            return
        self._durable = True
        if self._recorded:
            self._conclude()
        elif self._pending and not self._gone:
            self._sent = True
            self.resume()  # before: what is sent may be more than the caller takes
            self._caller.send(b"".join(self._pending))
            self._pending.clear()

    # What the engine does.

    def headed(self, head: Head) -> None:
        """Begin the answer."""
        call = self._call
        if head.status in {401, 403}:
            self._cancel()
            self.failed(Because.UPSTREAM_LIED, "it does not accept the gateway's credential")
            return
        headers = b"x-request-id: %b\r\n%b%b" % (self._access.request.encode(), call.target.marks, self._desk.date)
        if head.encoding:
            headers += b"content-encoding: %b\r\n" % head.encoding
        if self._close:
            headers += b"connection: close\r\n"
        if head.kind.startswith(b"text/event-stream"):
            self._answer = EventAnswer(head.status, head.kind, headers, self._salt)
        else:
            self._answer = WholeAnswer(head.status, head.kind, headers, self._salt, head.length)
        self._access.status = head.status

    def answered(self, data: bytes) -> None:
        """Pass a piece of the answer on."""
        access, answer = self._access, self._answer
        if answer is None or self._ended:
            return
        if not access.first_us:
            access.first_us = (monotonic_ns() - access.began) // 1000
        out = answer.add(data)
        if out and self._durable:
            self._sent = True
            self._caller.send(out)
        elif out:
            self._keep(out)
        if answer.overlong:
            self._cancel()
            self.failed(Because.UPSTREAM_LIED, "an event of its answer does not end")

    def _keep(self, out: bytes) -> None:
        """Keep what may leave once the admission is durable."""
        if not self._pending:
            self._desk.journal.hurry()
        self._pending.append(out)
        if sum(map(len, self._pending)) > self._desk.tuning.buffered:
            self.pause()
            self._caller.await_record()

    def complete(self) -> None:
        """End well."""
        self.connection = None
        answer = self._answer
        if answer is None or self._ended:
            return
        self._end(answer.last(), _REFUSED if self._access.status >= 400 else _COMPLETE)

    def failed(self, because: Because, text: str) -> None:
        """End badly: with an error where nothing has left, else by breaking off."""
        self.connection = None
        if self._ended:
            return
        status, code = _DIED.get(because, (502, "upstream_failed"))
        self._access.error = code
        if self._sent:
            self._truncated = True
            self._end(b"", Outcome.ABORTED, because)
            return
        self._pending.clear()
        self._answer = None
        name = self._call.target.deployment.name
        problem = Problem(status, code, f"the engine of {name} gave no answer: {text}", retry_after=1)
        self._end(self._refusal(problem), Outcome.REFUSED_UPSTREAM, because, problem.body())

    def _refusal(self, problem: Problem) -> bytes:
        self._access.status = problem.status
        headers = b"%bx-request-id: %b\r\n%b" % (problem.headers(), self._access.request.encode(), self._desk.date)
        return answer_bytes(problem.status, problem.body(), headers, close=self._close)

    # What the caller does.

    def gone(self) -> None:
        """End: the caller went away, hence the engine need not go on."""
        self._gone = True
        self._cancel()
        if self._ended:
            return
        if not self._sent:
            self._answer = None
            self._access.status = 0
        self._access.error = "client_gone"
        self._end(b"", Outcome.ABORTED, Because.CLIENT_GONE)

    def pause(self) -> None:
        """Hold the engine back: the caller is slower."""
        if self.connection:
            self.connection.pause()

    def resume(self) -> None:
        """Let the engine go on."""
        if self.connection:
            self.connection.resume()

    def expire(self) -> None:
        """Give up on the disk, unless it has taken the admission meanwhile."""
        if self._ended or not self._durable:
            self._unrecorded(Unavailable("the disk does not answer"))

    def _cancel(self) -> None:
        self.cancelled = True
        if self.connection:
            self.connection.abort()
            self.connection = None

    # The end.

    def _end(self, last: bytes, outcome: Outcome, because: Because = Because.NONE, own: bytes = b"") -> None:
        """Give the end to the journal; `last` leaves once it is durable."""
        self._ended = True
        self._last = last
        answer, access = self._answer, self._access
        committed = answer.committed() if answer else commitment(self._salt, own)
        access.bytes_out = answer.sent if answer else len(own)
        if answer is not None:
            access.reported = reported.read(answer.tail())
        if self._admission is None:
            self._conclude()
            return
        record = Finished(
            access.request,
            self._desk.clock.now(),
            outcome,
            access.status,
            committed,
            answer.events if answer else 0,
            answer.chain if answer else b"",
            access.reported.prompt_tokens,
            access.reported.completion_tokens,
            because,
        )
        try:
            promise = self._desk.journal.finish(record)
        except Unavailable as error:
            self._unrecorded(error)
            return
        self._caller.await_record()
        promise.add_done_callback(self._finished)

    def _finished(self, promise: Durable) -> None:
        error = promise.exception()
        if error is not None:
            self._unrecorded(error)
            return
        self._recorded = True
        if self._durable:  # else the admission's callback concludes, which is still to come
            self._conclude()

    def _conclude(self) -> None:
        """Let the last bytes out."""
        if not self._gone and not self._left:
            self._caller.send(b"".join([*self._pending, self._last]) if self._pending else self._last)
        self._leave(close=self._close or self._truncated)

    def _unrecorded(self, error: BaseException) -> None:
        """Refuse what could not be recorded; break off what has begun to leave."""
        if self._left:
            return
        self._cancel()
        self._ended = True
        self._access.error = "recording_failed"
        self._pending.clear()
        if not self._gone and not self._sent:
            self._close = True
            self._answer = None
            self._caller.send(self._refusal(unrecorded(Unavailable(str(error)))))
        self._leave(close=True)

    def _leave(self, *, close: bool) -> None:
        if self._left:
            return
        self._left = True
        self._call.caller.usage.leave()
        self._caller.done(self._access, close=close)
