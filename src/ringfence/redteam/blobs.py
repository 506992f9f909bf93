"""A run's folder: plan and pack written once, journals that only grow, texts that only their owner may read."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ringfence.kernel.errors import Conflict, UsageError
from ringfence.redteam import journal
from ringfence.redteam.document import Kept, parse_plan
from ringfence.redteam.evaluate import JOURNALS, PACK, PLAN, RUN, journal_name, texts_name
from ringfence.redteam.journal import Text
from ringfence.redteam.model import Plan, Record
from ringfence.storage.files import PRIVATE, explained, read_bounded, write_whole

MAX_FILE = 2**30


@dataclass(slots=True)
class OpenJournal:
    """A journal that is being written; what it holds already is known."""

    name: str
    records: dict[str, Record]
    head: str
    _journal: int
    _texts: int

    def add(self, record: Record, text: Text) -> None:
        """Append an attempt: its text first, so that no record is ever without one."""
        line, head = journal.line(record, self.head)
        _append(self._texts, journal.text_line(text))
        _append(self._journal, line)
        self.head = head
        self.records[record.id] = record

    @property
    def kept(self) -> Kept:
        """Return what it holds."""
        return Kept(self.records, self.head)

    def close(self) -> None:
        """Flush it to disk."""
        for descriptor in (self._texts, self._journal):
            os.fsync(descriptor)
            os.close(descriptor)


def _append(descriptor: int, data: bytes) -> None:
    with explained(Path("the journal"), "write"):
        while data:
            data = data[os.write(descriptor, data) :]


def create(folder: Path, plan: bytes, pack: bytes) -> None:
    """Make a run's folder; it must not exist, or be empty."""
    with explained(folder, "make"):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty; go on with --resume {folder}, or choose another with --out")
    write_whole(folder / PACK, pack)
    write_whole(folder / PLAN, plan, replace=False)  # last: a folder with a plan can be resumed


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runners out of a folder."""
    with explained(folder, "open"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Conflict(f"another run is writing in {folder}") from error
    finally:
        os.close(descriptor)


def read(folder: Path, name: str, limit: int = MAX_FILE) -> bytes:
    """Return a file of a run; raise `NotFound` where it is not there."""
    return read_bounded(folder / name, limit=limit)


def planned(folder: Path) -> tuple[bytes, Plan]:
    """Return the plan of a run, as it is written and as it is read."""
    told = read(folder, PLAN, 2**16)
    return told, parse_plan(told, source=str(folder / PLAN))


def files(folder: Path) -> dict[str, bytes]:
    """Return every file of a run; raise `UsageError` for one that does not belong there."""
    known = {PLAN, PACK, RUN, *map(journal_name, JOURNALS), *map(texts_name, JOURNALS)}
    with explained(folder, "read"):
        names = sorted(path.name for path in folder.iterdir())
    foreign = [name for name in names if name not in known]
    if foreign:
        raise UsageError(f"{folder / foreign[0]} does not belong to a run; move it elsewhere")
    return {name: read(folder, name) for name in names}


def write_run(folder: Path, data: bytes) -> None:
    """Write what the run found."""
    write_whole(folder / RUN, data)


@contextmanager
def opened(folder: Path, name: str, plan: bytes) -> Iterator[OpenJournal]:
    """Open a journal to go on with it, after cutting off what a killed runner left half written."""
    start = journal.start(plan, name)
    path, beside = folder / journal_name(name), folder / texts_name(name)
    found = _repaired(path, beside, start)
    texts, lines = _handle(beside, PRIVATE), _handle(path, 0o644)
    records = {record.id: record for record, _ in found}
    kept = OpenJournal(name, records, found[-1][1] if found else start, lines, texts)
    try:
        yield kept
    finally:
        kept.close()


def _handle(path: Path, mode: int) -> int:
    with explained(path, "write"):
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, mode)


def _repaired(path: Path, beside: Path, start: str) -> list[tuple[Record, str]]:
    """Keep the whole lines of both files, as far as each record has its text."""
    if path.exists() and path.stat().st_size and not beside.exists():
        raise UsageError(f"{beside} is not there: a run whose texts were taken away can be verified, not resumed")
    written, told = _whole_lines(path), _whole_lines(beside)
    texts = {text.id: text for text in journal.texts(told, source=beside.name)}
    found = []
    for record, link in journal.records(written, start, source=path.name):
        if record.id not in texts:
            break
        found.append((record, link))
    lines = written.split(b"\n")[: len(found)]
    _cut(path, b"".join(line + b"\n" for line in lines), 0o644)
    _cut(beside, b"".join(journal.text_line(texts[record.id]) for record, _ in found), PRIVATE)
    return found


def _whole_lines(path: Path) -> bytes:
    data = read_bounded(path, limit=MAX_FILE) if path.exists() else b""
    return data[: data.rfind(b"\n") + 1]


def _cut(path: Path, data: bytes, mode: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size == len(data):
            return
    write_whole(path, data, mode=mode)
