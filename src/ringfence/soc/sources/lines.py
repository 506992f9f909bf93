"""Bounded reading of lines, in any chunks, without losing a byte of what is kept."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_LINE = 8192  # bytes; sshd's own longest line is far below, and every parser's time is linear in this


@dataclass(slots=True)
class LineReader:
    """Split chunks into lines; what is longer than the limit is cut there, and counted.

    Attributes:
        lines: lines seen so far, empty ones included.
        cut: lines that were longer than the limit.
    """

    limit: int = MAX_LINE
    lines: int = 0
    cut: int = 0

    def read(self, chunks: Iterable[bytes]) -> Iterator[str]:
        """Yield each line without its end; the last one need not have an end."""
        rest = b""
        skipping = False
        for chunk in chunks:
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                if skipping:
                    skipping = False
                    continue
                yield self._line(line)
            if len(rest) > self.limit:
                if not skipping:
                    yield self._line(rest)
                rest, skipping = b"", True
        if rest and not skipping:
            yield self._line(rest)

    def _line(self, line: bytes) -> str:
        self.lines += 1
        if len(line) > self.limit:
            self.cut += 1
            line = line[: self.limit]
        return decoded(line)


def decoded(line: bytes) -> str:
    """Return a line as text from which `encoded` gives the same bytes again."""
    return line.decode("utf-8", "surrogateescape")


def encoded(line: str) -> bytes:
    """Return the bytes of a line."""
    return line.encode("utf-8", "surrogateescape")
