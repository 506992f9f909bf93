"""Walking through bytes that nobody vouches for: bounded, and every step says where it fails."""

import struct
from dataclasses import dataclass

from ringfence.artifacts.models.ports import Content
from ringfence.kernel.errors import MalformedInput

WINDOW = 2**18  # bytes that are kept at a time
MAX_TAKE = 2**28  # the longest piece that anybody here needs at once


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of some content, looked at by itself."""

    whole: Content
    start: int
    size: int

    def read(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes."""
        wanted = max(0, min(size, self.size - offset))
        return self.whole.read(self.start + offset, wanted) if wanted else b""


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """Return how many bytes there are."""
        return len(self.data)

    def read(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes."""
        return self.data[max(0, offset) : max(0, offset) + max(0, size)]


class Cursor:
    """A place in some content, and a window of what lies there."""

    def __init__(self, content: Content, at: int = 0, end: int | None = None) -> None:
        self._content, self.at = content, at
        self.end = content.size if end is None else end
        self._window, self._start = b"", 0

    @property
    def left(self) -> int:
        """Return how many bytes follow."""
        return self.end - self.at

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes, or raise `MalformedInput`."""
        if size > self.left or size < 0:
            raise MalformedInput(f"{size} bytes are announced at byte {self.at}, and {self.left} follow")
        if size > MAX_TAKE:
            raise MalformedInput(f"{size} bytes are announced at byte {self.at}: too many to be looked at")
        begin = self.at - self._start
        if not 0 <= begin <= begin + size <= len(self._window):
            self._window = self._content.read(self.at, max(size, min(WINDOW, self.left)))
            self._start, begin = self.at, 0
            if len(self._window) < size:
                raise MalformedInput(f"the file became shorter while it was read, at byte {self.at}")
        self.at += size
        return self._window[begin : begin + size]

    def skip(self, size: int) -> None:
        """Pass over bytes without reading them."""
        if size > self.left or size < 0:
            raise MalformedInput(f"{size} bytes are announced at byte {self.at}, and {self.left} follow")
        self.at += size

    def number(self, form: str) -> int:
        """Return the next little-endian integer of a `struct` form such as `<Q`."""
        (value,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return int(value)
