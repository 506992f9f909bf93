"""Bounded reading of lines, in any chunks, without losing a byte of what is kept."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

MAX_LINE = 8192  # bytes; sshd's own longest line is far below, and every parser's time is linear in this
KEPT = 100  # unreadable lines that are kept for a person to look at


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


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a reader of a log has met so far; what it cannot read is kept and counted.

    Attributes:
        lines: lines read.
        parsed: lines that were understood, empty ones and those of other programs included.
        foreign: lines of other programs than the one that is read.
        unparsed: the first lines that were not understood.
    """

    lines: int = 0
    parsed: int = 0
    foreign: int = 0
    unparsed: list[str] = field(default_factory=list)

    @property
    def unparsed_count(self) -> int:
        """Return how many lines were not understood."""
        return self.lines - self.parsed

    def keep(self, line: str) -> None:
        """Keep a line that was not understood; an empty one says nothing."""
        if not line.strip():
            self.parsed += 1
        elif len(self.unparsed) < KEPT:
            self.unparsed.append(line)


def decoded(line: bytes) -> str:
    """Return a line as text from which `encoded` gives the same bytes again."""
    return line.decode("utf-8", "surrogateescape")


def encoded(line: str) -> bytes:
    """Return the bytes of a line."""
    return line.encode("utf-8", "surrogateescape")
