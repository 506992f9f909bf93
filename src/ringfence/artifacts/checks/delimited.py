"""Delimited text (CSV, TSV), one record at a time, with a bound on every line and every field."""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from ringfence.artifacts.checks.limits import MAX_COLUMNS, MAX_LINE
from ringfence.artifacts.checks.model import Record
from ringfence.kernel.errors import MalformedInput

DELIMITERS = (",", ";", "\t", "|")


class Lines:
    """Physical lines of a file, as text; a line that is none raises and the next call goes on behind it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.number = 0

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        """Return the next line.

        Raises:
            MalformedInput: it is too long, not UTF-8, or holds a NUL.
        """
        line = self._stream.readline(MAX_LINE + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > MAX_LINE:
            self._skip(line)
            raise MalformedInput(f"the line has more than {MAX_LINE} bytes")
        return text_of(line, first=self.number == 1)

    def _skip(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self._stream.readline(MAX_LINE)


def text_of(line: bytes, *, first: bool) -> str:
    """Decode a line; raise `MalformedInput` where it is not UTF-8 or holds a NUL."""
    try:
        text = line.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInput(f"it is not UTF-8 (byte {error.start + 1} of the line)") from error
    if "\0" in text:
        raise MalformedInput("it holds a NUL byte")
    return text


def records(stream: BinaryIO, delimiter: str | None = None) -> Iterator[Record]:
    """Yield the records below a header line; a broken one is yielded with its problem.

    Raises:
        MalformedInput: the header cannot be used, hence no record below it.
    """
    lines = Lines(stream)
    header, found = _header(lines, delimiter)
    reader = csv.reader(lines, delimiter=found, strict=True)
    width = len(header)
    while True:
        start = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(start, {}, f"the quotes or the length of a field are wrong: {error}")
            continue
        except MalformedInput as error:
            yield Record(start, {}, str(error))
            continue
        if len(cells) == width:
            yield Record(start, {name: cell or None for name, cell in zip(header, cells, strict=True)})
        elif cells:  # an empty line is none
            yield Record(start, {}, f"it has {len(cells)} cells, and the header {width}")


def _header(lines: Lines, delimiter: str | None) -> tuple[list[str], str]:
    line = next(lines, "")
    found = delimiter or max(DELIMITERS, key=line.count)
    try:
        names = next(csv.reader([line], delimiter=found, strict=True), [])
    except csv.Error as error:
        raise MalformedInput(f"the header line is not one: {error}") from error
    if not names:
        raise MalformedInput("there is no header line")
    check_columns(names)
    return names, found


def check_columns(names: list[str]) -> None:
    """Raise `MalformedInput` where columns are too many, twice there, or without a name."""
    if len(names) > MAX_COLUMNS:
        raise MalformedInput(f"there are {len(names)} columns; the limit is {MAX_COLUMNS}")
    if len(set(names)) != len(names):
        raise MalformedInput("two columns have one name")
    if "" in names:
        raise MalformedInput(f"column {names.index('') + 1} has no name")
