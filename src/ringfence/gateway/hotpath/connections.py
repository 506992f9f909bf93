"""One caller's connection: requests in their order, answers, deadlines, back-pressure."""

import asyncio
import ipaddress
import logging
from time import monotonic_ns
from typing import Any, Protocol, cast

from ringfence.gateway.hotpath import access as accesses
from ringfence.gateway.hotpath import plain
from ringfence.gateway.hotpath.access import Access
from ringfence.gateway.hotpath.callers import Shown
from ringfence.gateway.hotpath.calls import current, described, prepared, welcome
from ringfence.gateway.hotpath.desk import Desk
from ringfence.gateway.hotpath.engines import NEVER
from ringfence.gateway.hotpath.exchange import Exchange
from ringfence.gateway.hotpath.lookups import Lookup
from ringfence.gateway.hotpath.problem import Problem, answer_bytes
from ringfence.gateway.hotpath.requests import Incoming, RequestReader
from ringfence.gateway.hotpath.routes import Action, Called
from ringfence.gateway.model import RequestId
from ringfence.kernel.errors import InternalError, Unavailable

_LINGER_BYTES = 2**20
_TOLD = 64  # callers beyond the limit who are told so; others are just let go
_log = logging.getLogger(__name__)


class Running(Protocol):
    """What a connection is busy with."""

    def gone(self) -> None:
        """Hear that the caller went away."""
        ...

    def pause(self) -> None:
        """Hear that the caller is slow."""
        ...

    def resume(self) -> None:
        """Hear that the caller has caught up."""
        ...

    def expire(self) -> None:
        """Hear that the disk is too slow."""
        ...


class CallerConnection(asyncio.Protocol):
    """One connection of a caller; fulfils `exchange.Caller`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._reader = RequestReader(desk.tuning, self._welcome)
        self._transport: asyncio.Transport | None = None
        self._running: Running | None = None
        self._problem: Problem | None = None  # what was read last is no request; it is answered after the others
        self._head: Incoming | None = None  # the request whose head was judged last
        self._shown = Shown()
        self._held = False  # not read from, while requests wait
        self._full = False  # the caller has not taken what was sent to it
        self._waiting: bool | None = None  # for the rest of a body, of a head; none: for a request
        self._lingering = False
        self._lingered = 0
        self._linger_until = 0.0
        self._source = ""
        self.deadline = NEVER

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless there are too many already."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=self._desk.tuning.buffered)
        self._source = _source(transport.get_extra_info("peername"))
        self._desk.connections.add(self)
        self.deadline = self._desk.loop.time() + self._desk.tuning.head
        over = len(self._desk.connections) - self._desk.tuning.callers
        if over > _TOLD:
            self.abort()
        elif over > 0:
            self._refuse_rest(Problem(503, "too_many_connections", "the gateway has too many callers", retry_after=1))

    def _welcome(self, incoming: Incoming) -> int:
        self._head = incoming
        return welcome(self._desk, incoming, self._shown)

    def data_received(self, data: bytes) -> None:
        """Read requests; those after the first wait for its answer."""
        if self._lingering:
            self._lingered += len(data)
            if self._lingered > _LINGER_BYTES:
                self.abort()
            return
        if self._problem is None:
            self._read(data)
        self._next()

    def _read(self, data: bytes) -> None:
        reader = self._reader
        try:
            reader.feed(data)
        except Problem as problem:
            self._problem = problem
            return
        if reader.now is not None and self._is_free() and not reader.ready:
            self._wait_for_rest()

    def _wait_for_rest(self) -> None:
        """Wait for the rest of a request, and say that the body may come where the caller waits for that."""
        reader = self._reader
        if reader.expecting:
            reader.expecting = False
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._waiting is not reader.in_body:  # once for the head, once for the body: slowness gains nothing
            self._waiting = reader.in_body
            self._set_deadline()

    def _set_deadline(self) -> None:
        """Wait for what comes next: a body, the rest of a head, or another request."""
        tuning, reader = self._desk.tuning, self._reader
        patience = tuning.body if reader.in_body else tuning.head if reader.now else tuning.keep_alive
        self.deadline = self._desk.loop.time() + patience

    def _next(self) -> None:
        """Begin with the requests that wait, one after the other."""
        ready = self._reader.ready
        while ready and self._is_free():
            self._begin(ready.popleft())
        if self._problem and self._is_free():
            self._refuse_rest(self._problem)
        self._hold(wanted=not self._lingering and not self._is_free() and (bool(ready) or self._problem is not None))

    def _is_free(self) -> bool:
        """Return whether the next request can begin."""
        return self._running is None and not self._full and not self._lingering

    def _hold(self, *, wanted: bool) -> None:
        if wanted != self._held and self._transport:
            self._held = wanted
            if wanted:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _begin(self, incoming: Incoming) -> None:
        desk = self._desk
        self.deadline, self._waiting = NEVER, None
        request, salt = desk.drawn()
        access = Access(request, self._source, monotonic_ns())
        access.bytes_in = len(incoming.body)
        self._name(access, incoming)
        try:
            where = incoming.called
            if where is None:
                raise InternalError("a request was handed over whose head was not judged")
            if where.forwarded:
                self._exchange(incoming, where, access, salt)
            else:
                self._plain(incoming, where, access)
        except Problem as problem:
            self.refuse(problem, access, close=not incoming.keep_alive)

    def _exchange(self, incoming: Incoming, where: Called, access: Access, salt: bytes) -> None:
        call = prepared(self._desk, incoming, where, access)
        exchange = self._running = Exchange(self._desk, self, call, access, salt)
        try:
            exchange.start()
        except Problem:
            self._running = None
            call.caller.usage.leave()
            raise

    def _plain(self, incoming: Incoming, where: Called, access: Access) -> None:
        close = not incoming.keep_alive or self._desk.draining
        if where.action in {Action.HEALTH, Action.LIVE, Action.READY}:
            self._answer(plain.health(self._desk, where), access, close=close)
            return
        self._desk.check_recording()
        key = current(self._desk, incoming)[1].key
        if where.action is not Action.RECEIPT:
            self._answer(plain.models(self._desk, key, where.name), access, close=close)
            return
        lookup = self._running = Lookup(self, access, close=close)
        find = self._desk.receipts.find
        task = self._desk.loop.run_in_executor(None, find, key.tenant, RequestId(where.name))
        task.add_done_callback(lookup.found)

    def _name(self, access: Access, incoming: Incoming | None) -> None:
        """Write into the access record who called what, as far as it is known."""
        if incoming is None or incoming.called is None:
            return
        access.route = "" if incoming.called.label == "health" else incoming.called.label
        caller = self._desk.callers.known.get(incoming.shown) if incoming.shown else None
        if caller is not None:
            access.key, access.tenant = caller.key.id, caller.key.tenant

    def _answer(self, document: Any, access: Access, *, close: bool) -> None:
        body = described(document)
        access.status, access.bytes_out = 200, len(body)
        self.send(answer_bytes(200, body, self.named(access), close=close))
        self.done(access, close=close)

    def named(self, access: Access) -> bytes:
        """Return the headers that every answer has."""
        return b"x-request-id: %b\r\n%b" % (access.request.encode(), self._desk.date)

    def refuse(self, problem: Problem, access: Access, *, close: bool) -> None:
        """Answer a request with an error."""
        body = problem.body()
        access.status, access.error, access.bytes_out = problem.status, problem.code, len(body)
        headers = problem.headers() + self.named(access)
        self.send(answer_bytes(problem.status, body, headers, close=close or self._desk.draining))
        self.done(access, close=close)

    def _refuse_rest(self, problem: Problem) -> None:
        """Answer with an error, and read no more requests: where the next one would begin is not known."""
        request, _ = self._desk.drawn()
        access = Access(request, self._source, monotonic_ns())
        if self._reader.now:
            self._name(access, self._head)
        self.refuse(problem, access, close=True)

    # `exchange.Caller`

    def send(self, data: bytes) -> None:
        """Send bytes of the answer."""
        if self._transport:
            self._transport.write(data)

    def await_record(self) -> None:
        """Give the disk its time."""
        self.deadline = self._desk.loop.time() + self._desk.tuning.record

    def done(self, access: Access, *, close: bool) -> None:
        """Write the access record, and go on with the next request."""
        desk = self._desk
        total = (monotonic_ns() - access.began) // 1000
        try:
            desk.accesses.write(accesses.line(access, desk.clock.text(), total))
        except Unavailable as error:
            _log.error("an access was not recorded: %s", error)
        running, self._running = self._running, None
        self.deadline = NEVER
        if close or desk.draining:
            self._linger()
            return
        self._wait()
        if running is not None and (self._reader.ready or self._problem or self._held):
            desk.loop.call_soon(self._next)

    def _wait(self) -> None:
        """Wait until the caller takes what was sent, for the rest of its request, or for another one."""
        self._waiting = None
        if self._full:
            self.deadline = self._desk.loop.time() + self._desk.tuning.stalled_caller
        elif self._reader.now:
            self._wait_for_rest()
        else:
            self._set_deadline()

    # Deadlines, and the end

    def expire(self) -> None:
        """Act on a deadline: refuse a slow request, give up on a slow caller or disk, close an idle connection."""
        self.deadline = NEVER
        if self._lingering or self._transport is None:
            self._end_lingering()
        elif self._full:
            self.abort()  # it did not take what it asked for; `connection_lost` ends the rest
        elif self._running is not None:
            self._running.expire()
        elif self._reader.now:
            self._refuse_rest(Problem(408, "request_timeout", "the request did not arrive in time"))
        else:
            self._linger()

    def _end_lingering(self) -> None:
        """Close, unless the caller is still taking what was sent to it."""
        transport, now = self._transport, self._desk.loop.time()
        if transport is not None and transport.get_write_buffer_size() > 0 and now < self._linger_until:
            self.deadline = now + self._desk.tuning.linger
        else:
            self.abort()

    def _linger(self) -> None:
        """Close for writing, and read on for a moment: a close with unread bytes could take the answer along."""
        transport = self._transport
        self._lingering = True
        if transport is None or transport.is_closing():
            return
        now, tuning = self._desk.loop.time(), self._desk.tuning
        self.deadline, self._linger_until = now + tuning.linger, now + tuning.stalled_caller
        self._hold(wanted=False)
        try:
            transport.write_eof()
        except (OSError, RuntimeError):
            transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport:
            self._transport.abort()

    def drain(self) -> None:
        """End: at once where nothing runs, else after the answer."""
        if self._running is None and not self._lingering:
            self._linger()

    def pause_writing(self) -> None:
        """Hold the engine back, and begin with no other request."""
        self._full = True
        if not self._lingering:
            self.deadline = self._desk.loop.time() + self._desk.tuning.stalled_caller
        if self._running:
            self._running.pause()

    def resume_writing(self) -> None:
        """Let the engine go on, or begin with what waits."""
        self._full = False
        if self._running:
            self.deadline = NEVER
            self._running.resume()
        elif not self._lingering:
            self._wait()
            self._next()

    def eof_received(self) -> None:
        """Take it as the caller's end; the transport closes."""

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 -- whatever the reason
        """Cancel what runs."""
        self._desk.leave(self)
        self._transport = None
        self._lingering = True
        self.deadline = NEVER
        if self._running:
            self._running.gone()


def _source(peer: object) -> str:
    """Return the address of the other end, as text that is one."""
    try:
        return str(ipaddress.ip_address(peer[0])) if isinstance(peer, tuple) else ""
    except (ValueError, IndexError):
        return ""
