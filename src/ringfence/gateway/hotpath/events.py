"""Cut a stream of server-sent events where its events end, and keep every byte."""

DONE = b"data: [DONE]"
LONGEST_EVENT = 4 * 2**20


class EventSplitter:
    """Collect bytes, give whole events: each with the empty line that ends it.

    A line ends with LF, CRLF or CR; an engine keeps to one of them. The cut is made where the same ending stands twice.
    """

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def add(self, data: bytes) -> list[bytes]:
        """Return the events that `data` completes."""
        if self._rest:
            data = self._rest + data
        ending = b"\n\n" if b"\n\n" in data else _other_ending(data)
        if not ending:
            self._rest = data
            return []
        parts = data.split(ending)
        self._rest = parts.pop()
        return [part + ending for part in parts]

    def is_one(self, data: bytes) -> bool:
        """Return whether `data` is one event, and nothing waits for it: then it need not be added."""
        return not self._rest and data.find(b"\n\n") == len(data) - 2 >= 0

    @property
    def rest(self) -> bytes:
        """Return what is left: an event without its end."""
        return self._rest


def _other_ending(data: bytes) -> bytes:
    for ending in (b"\r\n\r\n", b"\r\r"):
        if ending in data:
            return ending
    return b""


def is_last(event: bytes) -> bool:
    """Return whether this event tells a client that the stream is complete."""
    return event.startswith(DONE) and len(event) <= len(DONE) + 4
