"""From files to rows: which format a file has, which split it belongs to, and what could not be read."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any, BinaryIO, cast

from ringfence.artifacts.checks import columnar, delimited, jsonlines, plaintext
from ringfence.artifacts.checks.limits import MAX_BROKEN, MAX_FILES
from ringfence.artifacts.checks.masking import quoted
from ringfence.artifacts.checks.model import Check, Finding, Findings, Record, Result, Row
from ringfence.artifacts.checks.ports import Files
from ringfence.artifacts.ports import Source
from ringfence.kernel.errors import MalformedInput, UsageError

_BUFFER = 2**16
_FORMATS: Mapping[str, Callable[[BinaryIO], Iterator[Record]]] = {
    "csv": delimited.records,
    "tsv": lambda stream: delimited.records(stream, "\t"),
    "tab": lambda stream: delimited.records(stream, "\t"),
    "jsonl": jsonlines.records,
    "ndjson": jsonlines.records,
    "txt": plaintext.records,
    "text": plaintext.records,
    "parquet": columnar.parquet,
    "pq": columnar.parquet,
    "arrow": columnar.arrow,
    "feather": columnar.arrow,
}
_IMAGES: Mapping[str, tuple[bytes, ...]] = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF87a", b"GIF89a"),
    "bmp": (b"BM",),
    "tif": (b"II*\0", b"MM\0*"),
    "tiff": (b"II*\0", b"MM\0*"),
    "webp": (b"RIFF",),
}
BESIDE = frozenset({"model.sig", "dataset.sig", "readme.md", "license", "license.txt", "license.md", "notice"})
_SPLITS = {
    "train": "train", "training": "train", "test": "test", "testing": "test", "eval": "eval", "evaluation": "eval",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
}  # fmt: skip


class Stream(io.RawIOBase):
    """An open file as Python's readers want it, over reads at a place."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source, self._at = source, 0

    def readable(self) -> bool:
        """Reading is what it is for."""
        return True

    def seekable(self) -> bool:
        """Every place can be read."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; never to before the start."""
        self._at = max(0, {io.SEEK_SET: 0, io.SEEK_CUR: self._at}.get(whence, self._source.size) + offset)
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer."""
        with memoryview(buffer) as view:
            room = max(0, min(len(view), self._source.size - self._at))
            count = self._source.read_into(view.cast("B")[:room], self._at) if room else 0
        self._at += count
        return count


@dataclass(slots=True)
class Read:
    """What reading came across, beside the rows themselves."""

    files: int = 0
    rows: int = 0
    opaque: int = 0
    broken: Findings = field(default_factory=Findings)
    unread: Findings = field(default_factory=Findings)

    def result(self, broken_share: float) -> Result:
        """Return the result of the check of formats: every file looked into, and hardly any record broken."""
        whole = self.rows + self.broken.total
        share = self.broken.total / whole if whole else 0.0
        reason = ""
        if self.unread.total:
            reason = f"{self.unread.total} files could not be looked into, or not to their end"
        elif not whole and not self.opaque:
            reason = "there is no record in it"
        elif share > broken_share:
            reason = f"{self.broken.total} of {whole} records are broken; the policy allows a share of {broken_share:g}"
        found = Findings()
        for finding in (*self.unread.kept, *self.broken.kept):
            found.add(finding)
        found.total = self.unread.total + self.broken.total
        measures = {"files": self.files, "records": self.rows, "broken": self.broken.total, "opaque": self.opaque}
        return found.result(Check.FORMAT, reason, measures)


@dataclass(frozen=True, slots=True)
class Splits:
    """Which split a file belongs to: by patterns that were given, else by the names that everybody uses."""

    patterns: Mapping[str, str] = field(default_factory=dict)
    column: str = ""

    def of_file(self, path: str) -> str:
        """Return the split of a file, empty where it has none."""
        for split, pattern in self.patterns.items():
            if fnmatchcase(path, pattern) or path.startswith(pattern.rstrip("/") + "/"):
                return split
        if self.patterns:
            return ""
        *folders, name = path.lower().split("/")
        words = [*folders, name.partition(".")[0], *name.partition(".")[0].replace("_", "-").split("-")]
        return next((_SPLITS[word] for word in words if word in _SPLITS), "")

    def of_row(self, row: Row) -> Row:
        """Return a row with the split that its own column names, where one was given."""
        value = row.cells.get(self.column) if self.column else None
        return row if value is None else row._replace(split=str(value))


def parse_splits(given: list[str], column: str = "") -> Splits:
    """Parse `train=PATTERN` options."""
    patterns = {}
    for text in given:
        name, equals, pattern = text.partition("=")
        if not name or not equals or not pattern or name in patterns:
            raise UsageError(f"--split is NAME=PATTERN, each name once, not {text[:80]!r}")
        patterns[name] = pattern
    return Splits(patterns, column)


def rows(files: Files, splits: Splits, read: Read) -> Iterator[Row]:
    """Yield every row of every file; what could not be read is told to `read`."""
    for path, source in files.files():
        if path.lower().rpartition("/")[2] in BESIDE:
            continue
        read.files += 1
        if read.files > MAX_FILES:
            raise UsageError(f"the dataset has more than {MAX_FILES} files; pack them into fewer, or check parts of it")
        split = splits.of_file(path)
        try:
            for record in _whole(path, source, read):
                read.rows += 1
                yield splits.of_row(Row(path, record.number, split, record.cells))
        except MalformedInput as error:
            read.unread.add(Finding("format/unread-file", f"File not read: {error}", path))


def _whole(path: str, source: Source, read: Read) -> Iterator[Record]:
    """Yield the records that are none of the broken ones; raise `MalformedInput` after too many of these."""
    broken = 0
    for record in _records(path, source, read):
        if not record.problem:
            yield record
            continue
        broken += 1
        text = f"Record not read: {record.problem}"
        read.broken.add(Finding("format/broken-record", text, path, record.number))
        if broken >= MAX_BROKEN:
            raise MalformedInput(f"{MAX_BROKEN} records are broken; the rest was not read")


def _records(path: str, source: Source, read: Read) -> Iterator[Record]:
    ending = path.lower().rpartition(".")[2]
    reader = _FORMATS.get(ending)
    if reader is None:
        yield _opaque(ending, source, read)
        return
    yield from reader(cast("BinaryIO", io.BufferedReader(Stream(source), _BUFFER)))


def _opaque(ending: str, source: Source, read: Read) -> Record:
    """Return an image as one record: what its bytes are, and nothing of what it shows."""
    import hashlib

    head = bytearray(16)
    count = source.read_into(memoryview(head), 0)
    if not any(bytes(head[:count]).startswith(magic) for magic in _IMAGES.get(ending, ())):
        raise MalformedInput(
            f"no reader knows this kind of file ({quoted(ending) if len(ending) < 12 else 'no usual ending'}); "
            "CSV, TSV, JSON Lines, text, Parquet, Arrow and common images are known; unpack what is packed"
        )
    read.opaque += 1
    hasher, buffer, at = hashlib.sha256(), bytearray(2**20), 0
    while count := source.read_into(memoryview(buffer), at):
        hasher.update(memoryview(buffer)[:count])
        at += count
    return Record(1, {"sha256": hasher.hexdigest()})


def first(files: Files, splits: Splits, count: int) -> list[Row]:
    """Return the first rows, to see what the columns are."""
    return list(islice(rows(files, splits, Read()), count))
