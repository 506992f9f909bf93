"""Find the records of a part: lines, comma-separated rows, records of one size, rows of Parquet, whole files.

A record belongs to the part in which it starts. Every reader starts at an offset that it gave out before, so that a
stopped run goes on without reading anything twice.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, BinaryIO, Protocol

from ringfence.artifacts.samples.plan import PART, Part, parts
from ringfence.kernel.errors import MalformedInput, Unavailable, UsageError

MAX_RECORD = 64 * 2**20  # bytes of one record; more is taken for a damaged file

Found = tuple[Any, int]  # a record, and the position after it


class Format(Protocol):
    """How a file is cut into records."""

    def parts(self, path: str, size: int, opened: Callable[[], BinaryIO]) -> list[Part]:
        """Cut a file; `opened` is for formats that have to look into it."""
        ...

    def records(self, file: BinaryIO, part: Part, position: int) -> Iterator[Found]:
        """Give each record of the part from `position` on, with the position after it; 0 is the part's start."""
        ...


def _line(file: BinaryIO, path: str) -> bytes:
    line = file.readline(MAX_RECORD + 1)
    if len(line) > MAX_RECORD:
        raise MalformedInput(f"{path}: a line is longer than {MAX_RECORD} bytes")
    return line


@dataclass(frozen=True, slots=True)
class Lines:
    """One record per line; bytes without the line's end."""

    step: int = PART

    def parts(self, path: str, size: int, opened: Callable[[], BinaryIO]) -> list[Part]:
        """Cut anywhere: a line is read by whoever has its first byte."""
        del opened
        return parts(path, size, step=self.step)

    def records(self, file: BinaryIO, part: Part, position: int) -> Iterator[Found]:
        """Give each line that starts in the part; a position is an offset of the file."""
        at = position or part.start
        if not position and part.start:
            file.seek(part.start - 1)
            at = part.start - 1 + len(_line(file, part.path))  # the line that began before belongs to another part
        else:
            file.seek(at)
        while at < part.end and (line := _line(file, part.path)):
            at += len(line)
            yield line.rstrip(b"\r\n"), at


@dataclass(frozen=True, slots=True)
class JsonLines(Lines):
    """One JSON document per line; blank lines are none."""

    def records(self, file: BinaryIO, part: Part, position: int) -> Iterator[Found]:
        """Give each document."""
        for line, after in Lines.records(self, file, part, position):
            if line.strip():
                yield _document(line, part.path, after), after


def _document(line: bytes, path: str, after: int) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise MalformedInput(f"{path}: the line that ends at byte {after} is not JSON: {error}") from error


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a comma-separated file with a header, as dictionaries; never cut, since a field may hold line ends."""

    delimiter: str = ","

    def parts(self, path: str, size: int, opened: Callable[[], BinaryIO]) -> list[Part]:
        """Keep the file whole."""
        del opened
        return [Part(path, 0, size)] if size else []

    def records(self, file: BinaryIO, part: Part, position: int) -> Iterator[Found]:
        """Give each row; a position is a count of rows, and those before it are read again to find it."""
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        try:
            reader = csv.DictReader(text, delimiter=self.delimiter, strict=True)
            for count, row in enumerate(reader, start=1):
                if None in row or None in row.values():
                    raise MalformedInput(f"{part.path}: row {count} has another number of fields than the header")
                if count > position:
                    yield row, count
        except (csv.Error, UnicodeDecodeError) as error:
            raise MalformedInput(f"{part.path}: {error}") from error
        finally:
            text.detach()


@dataclass(frozen=True, slots=True)
class Fixed:
    """Records of `size` bytes each, one after the other."""

    size: int
    step: int = PART

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be."""
        if not 0 < self.size <= MAX_RECORD:
            raise UsageError(f"a record has from 1 to {MAX_RECORD} bytes")

    def parts(self, path: str, size: int, opened: Callable[[], BinaryIO]) -> list[Part]:
        """Cut between records."""
        del opened
        if size % self.size:
            raise MalformedInput(f"{path}: {size} bytes are no whole number of records of {self.size}")
        return parts(path, size, step=max(self.size, self.step - self.step % self.size))

    def records(self, file: BinaryIO, part: Part, position: int) -> Iterator[Found]:
        """Give each record; a position is an offset of the file."""
        at = position or part.start
        file.seek(at)
        while at < part.end:
            record = file.read(self.size)
            if len(record) != self.size:
                raise MalformedInput(f"{part.path}: the file ends inside a record")
            at += self.size
            yield record, at


@dataclass(frozen=True, slots=True)
class Whole:
    """Each file is one record: its path in the dataset, and its bytes."""

    def parts(self, path: str, size: int, opened: Callable[[], BinaryIO]) -> list[Part]:
        """Keep the file whole, also an empty one."""
        del opened
        return [Part(path, 0, size)]

    def records(self, file: BinaryIO, part: Part, position: int) -> Iterator[Found]:
        """Give the file."""
        if not position:
            if part.end > MAX_RECORD:
                raise MalformedInput(f"{part.path}: a file of {part.end} bytes is no record; the limit is {MAX_RECORD}")
            yield {"path": part.path, "data": file.read()}, 1


@dataclass(frozen=True, slots=True)
class ParquetRows:
    """Rows of Parquet files as dictionaries; cut into row groups."""

    columns: tuple[str, ...] = ()

    def parts(self, path: str, size: int, opened: Callable[[], BinaryIO]) -> list[Part]:
        """Return one part per row group; `start` and `end` count row groups."""
        del size
        with _arrow(path) as parquet, opened() as file:
            groups = parquet.ParquetFile(file).num_row_groups
        return [Part(path, number, number + 1) for number in range(groups)]

    def records(self, file: BinaryIO, part: Part, position: int) -> Iterator[Found]:
        """Give each row of the group; a position is a count of rows."""
        with _arrow(part.path) as parquet:
            table = parquet.ParquetFile(file).read_row_group(part.start, columns=list(self.columns) or None)
        count = position
        for batch in table.slice(position).to_batches(max_chunksize=1024):
            for row in batch.to_pylist():
                count += 1
                yield row, count


@contextmanager
def _arrow(path: str) -> Iterator[Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise Unavailable("Parquet needs pyarrow: pip install pyarrow") from None
    try:
        yield parquet
    except (pa.ArrowException, OSError) as error:
        raise MalformedInput(f"{path} is not a Parquet file: {str(error)[:200]}") from error


NAMED: Mapping[str, Callable[[], Format]] = MappingProxyType(
    {
        "lines": Lines,
        "jsonl": JsonLines,
        "csv": Rows,
        "tsv": lambda: Rows("\t"),
        "parquet": ParquetRows,
        "files": Whole,
    }
)


def named(records: "str | Format") -> Format:
    """Return the format of a name; a format is returned as it is."""
    if not isinstance(records, str):
        return records
    if records not in NAMED:
        raise UsageError(f"{records[:40]!r} is no format of records; there are {', '.join(sorted(NAMED))}")
    return NAMED[records]()
