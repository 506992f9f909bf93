"""Plain text: every line that is not blank is a record with one column."""

from collections.abc import Iterator
from typing import BinaryIO

from ringfence.artifacts.checks.delimited import Lines
from ringfence.artifacts.checks.model import Record
from ringfence.kernel.errors import MalformedInput

COLUMN = "text"


def records(stream: BinaryIO) -> Iterator[Record]:
    """Yield the lines; one that is no text is yielded with its problem."""
    lines = Lines(stream)
    while True:
        try:
            line = next(lines).rstrip("\r\n")
        except StopIteration:
            return
        except MalformedInput as error:
            yield Record(lines.number, {}, str(error))
            continue
        if line.strip():
            yield Record(lines.number, {COLUMN: line})
