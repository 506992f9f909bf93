"""A connection to an engine, strict about what the engine answers."""

import asyncio
from typing import NamedTuple, Protocol, cast

import httptools

from ringfence.gateway.hotpath.heads import KnownHead, known
from ringfence.gateway.hotpath.tuning import Tuning
from ringfence.gateway.records import Because

NEVER = float("inf")
_MAX_HEAD = 64 * 2**10
_ONCE = frozenset((b"content-encoding", b"content-length", b"content-type", b"transfer-encoding"))


class Engine(NamedTuple):
    """Where to connect to; connections are shared by all deployments that name the same."""

    host: str
    port: int
    tls: bool
    socket: str


class Head:
    """The head of an engine's answer.

    Attributes:
        length: of the body; none where it comes in chunks.
    """

    __slots__ = ("encoding", "kind", "length", "status")

    def __init__(self, status: int, fields: dict[bytes, bytes]) -> None:
        self.status = status
        self.kind = fields.get(b"content-type", b"")
        self.encoding = fields.get(b"content-encoding", b"")
        length = fields.get(b"content-length")
        self.length = int(length) if length is not None else (0 if status == 204 else None)

    def again(self, length: int) -> "Head":
        """Return the same head for a body of another length."""
        made = Head.__new__(Head)
        made.status, made.kind, made.encoding, made.length = self.status, self.kind, self.encoding, length
        return made


class Asking(Protocol):
    """Whoever asks an engine and hears its answer."""

    connection: "EngineConnection | None"
    cancelled: bool

    def headed(self, head: Head) -> None:
        """Hear the head of the answer."""
        ...

    def answered(self, data: bytes) -> None:
        """Hear a piece of the answer."""
        ...

    def complete(self) -> None:
        """Hear that the answer is whole."""
        ...

    def failed(self, because: Because, text: str) -> None:
        """Hear that there is no answer, or no more of it."""
        ...


class Pool(Protocol):
    """Where a connection belongs; `pools.EnginePool` is one."""

    tuning: Tuning
    loop: asyncio.AbstractEventLoop
    idle: "list[EngineConnection]"
    busy: "set[EngineConnection]"

    def ask_anew(self, asking: Asking, question: bytes) -> None:
        """Send a question on a new connection."""
        ...

    def forget(self, connection: "EngineConnection") -> None:
        """Drop a connection that is closing."""
        ...


class EngineConnection(asyncio.Protocol):
    """One connection to an engine; at most one question at a time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._loop = pool.loop
        self._parts: list[bytes] = []
        self.on_body = self._parts.append  # called by the parser, once per event of a stream
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._asking: Asking | None = None
        self._question = b""
        self._fields: dict[bytes, bytes] = {}
        self._head: Head | None = None
        self._known: KnownHead | None = None  # the head of the last answer that came in one piece
        self._before: Head | None = None  # what it said
        self._raw = 0  # bytes before the head was complete
        self._ended = self._extra = self._paused = False
        self._wrong = ""
        self._kept = False  # it stays open after this answer
        self._used = False  # it has answered before: an engine may close such a connection at any time
        self.deadline = NEVER

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, asking: Asking, question: bytes) -> None:
        """Send a question."""
        self._asking, self._question = asking, question
        asking.connection = self
        self._head, self._raw = None, 0
        self._ended = self._extra = self._paused = False
        self.deadline = self._loop.time() + self._pool.tuning.first_byte
        self._pool.busy.add(self)
        if self._transport:
            self._transport.write(question)
        else:
            self._fail(Because.UPSTREAM_DIED, "it closed the connection at once")

    def data_received(self, data: bytes) -> None:
        """Read an answer; what nobody asked for ends the connection."""
        asking = self._asking
        if asking is None:
            self.abort()
            return
        if not self._paused:
            self.deadline = self._loop.time() + self._pool.tuning.between_bytes
        heard = self._head is not None
        wrong = "" if not self._raw and self._is_known(data) else self._parse(data)
        if wrong:
            self._fail(Because.UPSTREAM_LIED, wrong)
            return
        if not heard and self._head is not None:
            asking.headed(self._head)
        if self._parts and self._asking is asking:
            piece = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._parts.clear()
            asking.answered(piece)
        if self._ended and self._asking is asking:
            self._release()
            asking.complete()

    def _is_known(self, data: bytes) -> bool:
        """Take a whole answer with the head of one before."""
        if self._known is None or self._before is None:
            return False
        body = self._known.body(data)
        if body is None:
            return False
        self._head = self._before.again(len(body))
        self._raw, self._ended = len(data), True
        if body:
            self._parts.append(body)
        return True

    def _remember(self, data: bytes) -> None:
        """Know the head of the answer that these bytes were, should it come again."""
        head = self._head
        if head is not None and head.length and self._kept:  # none of no length: a 204 has a body never
            self._known, self._before = known(data, head.length), head

    def _parse(self, data: bytes) -> str:
        """Feed the parser; return what is wrong with the answer."""
        if self._head is None:
            self._raw += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            raise error.__context__ or error from None
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return self._wrong or "its answer is not HTTP"
        if self._head is None and self._raw > _MAX_HEAD:
            return "the header fields of its answer are too long"
        if self._ended and self._raw == len(data):
            self._remember(data)
        return "it answered twice" if self._extra else self._wrong

    # What follows is called by httptools.

    def on_message_begin(self) -> None:
        """Begin an answer."""
        self._extra = self._extra or self._ended
        self._fields = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field."""
        name = name.lower()
        if name in _ONCE:
            if name in self._fields:
                self._wrong = f"the header {name.decode()} of its answer stands twice"
            self._fields[name] = value

    def on_headers_complete(self) -> None:
        """Judge the head."""
        status = self._parser.get_status_code()
        if status in {100, 102, 103} or self._ended:
            return
        fields = self._fields
        if not 200 <= status <= 599 or 300 <= status <= 399:
            self._wrong = f"it answered with the status {status}"
        elif b"content-length" not in fields and b"transfer-encoding" not in fields and status != 204:
            self._wrong = "its answer has no length, so that nobody could tell whether it is whole"
        elif fields.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            self._wrong = "its answer has a transfer coding that was not asked for"
        else:
            self._head = Head(status, fields)
            self._kept = self._parser.should_keep_alive()  # it knows this only now

    def on_message_complete(self) -> None:
        """End an answer, unless it was only an interim one."""
        self._ended = self._head is not None

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 -- whatever the reason
        """Tell who waits; ask once more where a kept connection was closed before it took the question."""
        asking, question = self._asking, self._question
        retry = self._used and self._head is None and self._raw == 0
        self._forget()
        if asking is None:
            return
        if retry:
            self._pool.ask_anew(asking, question)
        else:
            asking.failed(Because.UPSTREAM_DIED, "it closed the connection before its answer was whole")

    def expire(self) -> None:
        """Give up: the deadline has passed."""
        self._fail(Because.UPSTREAM_STALLED, "it did not answer in time")

    def _fail(self, because: Because, text: str) -> None:
        asking = self._asking
        self.abort()
        if asking is not None:
            asking.failed(because, text)

    def _release(self) -> None:
        """Keep the connection for the next question."""
        if self._paused:
            self.resume()
        self._asking = None
        self._question = b""
        self._pool.busy.discard(self)
        self._used = True
        self.deadline = self._loop.time() + self._pool.tuning.engine_keep_alive
        if self._kept and self._transport and not self._transport.is_closing():
            self._pool.idle.append(self)
        else:
            self.abort()

    def pause(self) -> None:
        """Read no more for now: the caller is slower than the engine."""
        if self._transport:
            self._transport.pause_reading()
            self._paused, self.deadline = True, NEVER

    def resume(self) -> None:
        """Read on."""
        if self._transport:
            self._transport.resume_reading()
            self._paused = False
            self.deadline = self._loop.time() + self._pool.tuning.between_bytes

    def abort(self) -> None:
        """Close at once; nobody is told."""
        transport = self._transport
        self._forget()
        if transport:
            transport.abort()

    def _forget(self) -> None:
        self._pool.forget(self)
        self._asking = self._transport = None
        self._question = b""
        self._parts.clear()
        self.deadline = NEVER
