"""What may leave for the caller, and when: the last of it only once the record of the whole is on the disk.

Both kinds of answer work alike: `add` returns what may leave now that the admission is durable, `last` what leaves once
the end is. Every byte that leaves is committed to; what is kept back and never sent is not.
"""

from collections import deque
from typing import Protocol

from ringfence.gateway.commitments import ResponseCommitment, commitment
from ringfence.gateway.hotpath.events import DONE, LONGEST_EVENT, EventSplitter, is_last
from ringfence.gateway.hotpath.problem import status_line

WHOLE = 256 * 2**10  # a body up to here leaves in one piece
TAIL = 16 * 2**10
REPORTING = 4  # the last events of a stream: the reason, usage, the end, and one to spare
_UNKNOWN = b"application/octet-stream"


class Answer(Protocol):
    """An answer of an engine on its way to the caller."""

    overlong: bool  # an event has grown beyond what is kept
    sent: int  # bytes of the body

    @property
    def events(self) -> int:
        """Return how many events of a stream have left, or leave now."""
        ...

    def committed(self) -> bytes:
        """Return the commitment to the bytes of the body that have left, or leave now."""
        ...

    @property
    def chain(self) -> bytes:
        """Return the chain over the events; empty where it is no stream."""
        ...

    def add(self, data: bytes) -> bytes:
        """Take bytes of the engine; return what may leave."""
        ...

    def last(self) -> bytes:
        """Return what leaves at the end."""
        ...

    def tail(self) -> bytes:
        """Return the end of the body, in which an engine reports usage."""
        ...


class WholeAnswer:
    """A body that is no stream; a long one leaves in pieces, but for its last."""

    __slots__ = ("_before", "_hash", "_head", "_held", "_length", "_salt", "_value", "overlong", "sent", "started")

    chain = b""
    events = 0

    def __init__(self, status: int, kind: bytes, headers: bytes, salt: bytes, length: int | None) -> None:
        self._head = (status_line(status), kind or _UNKNOWN, headers)
        self._length = length  # none: a long one goes out in chunks, as the engine did not say how long it is
        self._held: list[bytes] = []
        self._before = b""
        self._salt = salt
        self._hash: ResponseCommitment | None = None  # of a long one
        self._value = b""
        self.overlong = False
        self.started = False
        self.sent = 0

    def add(self, data: bytes) -> bytes:
        """Take bytes of the engine; return what may leave."""
        self._held.append(data)
        self.sent += len(data)
        if not self.started and self.sent <= WHOLE:
            return b""
        *pieces, held = self._held
        self._held = [held]
        piece = b"".join(pieces)
        head = b"" if self.started else self._begin()
        self._before = piece or self._before
        self._hash = self._hash or ResponseCommitment(self._salt)
        self._hash.body(piece)
        return head + self._frame(piece)

    def _begin(self) -> bytes:
        self.started = True
        length = self._length
        framing = b"transfer-encoding: chunked" if length is None else b"content-length: %d" % length
        return b"%bcontent-type: %b\r\n%b%b\r\n\r\n" % (*self._head, framing)

    def _frame(self, piece: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(piece), piece) if self._length is None and piece else piece

    def last(self) -> bytes:
        """Return what leaves at the end."""
        piece = self._held[0] if len(self._held) == 1 else b"".join(self._held)
        self._held = [piece]
        if self._hash:
            self._hash.body(piece)
            return self._frame(piece) + (b"0\r\n\r\n" if self._length is None else b"")
        self._value = commitment(self._salt, piece)
        line, kind, headers = self._head
        return b"%bcontent-type: %b\r\n%bcontent-length: %d\r\n\r\n%b" % (line, kind, headers, len(piece), piece)

    def committed(self) -> bytes:
        """Return the commitment to what has left, or leaves now."""
        return self._hash.value if self._hash else self._value or commitment(self._salt, b"")

    def tail(self) -> bytes:
        """Return the end of the body."""
        return (self._before + b"".join(self._held))[-TAIL:] if self._before else self._held[0][-TAIL:]


class EventAnswer:
    """A stream of events: each leaves in a chunk of its own as soon as it is whole; the one that says "done" waits."""

    __slots__ = ("_commitment", "_head", "_held", "_last", "_splitter", "overlong", "sent", "started")

    def __init__(self, status: int, kind: bytes, headers: bytes, salt: bytes) -> None:
        self._head = b"%bcontent-type: %b\r\ncache-control: no-store\r\n%btransfer-encoding: chunked\r\n\r\n" % (
            status_line(status),
            kind,
            headers,
        )
        self._splitter = EventSplitter()
        self._held = b""
        self._last: deque[bytes] = deque(maxlen=REPORTING)
        self._commitment = ResponseCommitment(salt)
        self.overlong = False
        self.started = False
        self.sent = 0

    def committed(self) -> bytes:
        """Return the commitment to what has left, or leaves now."""
        return self._commitment.value

    @property
    def events(self) -> int:
        """Return how many events have left, or leave now."""
        return self._commitment.events

    @property
    def chain(self) -> bytes:
        """Return the chain over the events."""
        return self._commitment.chain

    def add(self, data: bytes) -> bytes:
        """Take bytes of the engine; return what may leave."""
        splitter = self._splitter
        if self.started and not self._held and splitter.is_one(data) and not data.startswith(DONE):
            return self._one(data)
        events = splitter.add(data)
        if not events:
            self.overlong = len(splitter.rest) > LONGEST_EVENT
            return b""
        if self._held:
            events.insert(0, self._held)
            self._held = b""
        if is_last(events[-1]):
            self._held = events.pop()
        if self.started:
            return self._framed(events)
        self.started = True
        return self._head + self._framed(events)

    def _one(self, event: bytes) -> bytes:
        """Do what `_framed` does for the usual case: one event in one piece."""
        self._commitment.event(event)
        size = len(event)
        self.sent += size
        self._last.append(event[-TAIL:])
        return b"%x\r\n%b\r\n" % (size, event)

    def _framed(self, events: list[bytes]) -> bytes:
        """Commit to events and return them, each in a chunk of its own."""
        if not events:
            return b""
        self._commitment.all_events(events)
        out = []
        for event in events:
            size = len(event)
            self.sent += size
            out.append(b"%x\r\n%b\r\n" % (size, event))
        self._last.extend([event[-TAIL:] for event in events[-REPORTING:]])
        return b"".join(out)

    def last(self) -> bytes:
        """Return what leaves at the end: the event that was held back, what never became an event, the end."""
        head = b"" if self.started else self._head
        rest = [each for each in (self._held, self._splitter.rest) if each]
        return b"%b%b0\r\n\r\n" % (head, self._framed(rest))

    def tail(self) -> bytes:
        """Return the last events: in these an engine reports usage, and the reason of the end."""
        return b"".join(self._last)
