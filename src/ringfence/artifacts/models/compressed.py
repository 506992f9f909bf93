"""Compressed streams, as joblib and others wrap pickles in: unpacked within bounds, so that what lies inside is judged.

What is longer than the bound is not looked into; what grows by more than a hundred to get there is refused.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

from ringfence.artifacts.models.cursor import Held
from ringfence.artifacts.models.ports import Content
from ringfence.kernel.errors import MalformedInput

MAX_UNPACKED = 2**26
MAX_STREAMS = 64  # one behind the other
MAX_GROWTH = 100
_PIECE = 2**16
_BROKEN = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, size: int, /) -> bytes: ...


class _Zlib:
    """zlib's own hands back what it did not get to; the others keep it."""

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, size: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, size)

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail


_KINDS: Mapping[str, Callable[[], _Inflater]] = {
    "gzip": lambda: _Zlib(16 + zlib.MAX_WBITS),
    "zlib": lambda: _Zlib(zlib.MAX_WBITS),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2**28),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=2**28),
}
_MAGICS = {"gzip": b"\x1f\x8b\x08", "bzip2": b"BZh", "xz": b"\xfd7zXZ\x00", "lzma": b"\x5d\x00\x00"}


def kind_of(content: Content) -> str:
    """Return how a file is compressed; empty where it does not begin so."""
    head = content.read(0, 8)
    found = next((kind for kind, magic in _MAGICS.items() if head.startswith(magic)), "")
    if not found and len(head) > 2 and head[0] & 0x8F == 8 and int.from_bytes(head[:2], "big") % 31 == 0:
        found = "zlib"
    if found in {"zlib", "lzma"}:  # their marks are short: other bytes begin so too
        try:
            begun = _KINDS[found]().decompress(content.read(0, _PIECE), 64)
        except _BROKEN:
            return ""
        return found if begun else ""
    return found


def unpacked(content: Content, kind: str) -> Held | None:
    """Return what lies inside; None where it is too long to be looked at.

    Raises:
        MalformedInput: it cannot be unpacked to its end, something follows it, or it is a bomb.
    """
    source, found = _Source(content), bytearray()
    for _ in range(MAX_STREAMS):
        inflater = _KINDS[kind]()
        while not inflater.eof:
            data = source.next() if getattr(inflater, "needs_input", True) else b""
            if data is None:
                raise MalformedInput(f"the {kind} stream breaks off")
            try:
                found += inflater.decompress(data, MAX_UNPACKED + 1 - len(found))
            except _BROKEN as error:
                raise MalformedInput(f"the {kind} stream cannot be unpacked") from error
            if len(found) > MAX_UNPACKED:
                _check_growth(source.at)
                return None
        source.give_back(inflater.unused_data)
        if source.done:
            return Held(bytes(found))
        if kind in {"zlib", "lzma"}:
            raise MalformedInput(f"something follows the {kind} stream")
    raise MalformedInput(f"more than {MAX_STREAMS} {kind} streams follow one another")


class _Source:
    """The compressed bytes, piece by piece; what a stream did not need is for the next one."""

    def __init__(self, content: Content) -> None:
        self._content, self.at, self._back = content, 0, b""

    def next(self) -> bytes | None:
        data, self._back = self._back, b""
        if not data:
            data = self._content.read(self.at, _PIECE)
            self.at += len(data)
        return data or None

    def give_back(self, data: bytes) -> None:
        self._back = data

    @property
    def done(self) -> bool:
        return not self._back and self.at >= self._content.size


def _check_growth(read: int) -> None:
    if read * MAX_GROWTH < MAX_UNPACKED:
        raise MalformedInput(f"a few bytes unpack to more than {MAX_UNPACKED}: a bomb")
