"""Open the journal: end what a gateway left open, go on in a new file, close what the files before it hold."""

import fcntl
import os
from pathlib import Path

from ringfence.gateway.daybook import Counts, Daybook, frames_of, replay, state_frame
from ringfence.gateway.hotpath.closing import Closer
from ringfence.gateway.hotpath.frames import MAX_FILE, FrameFile, after
from ringfence.gateway.hotpath.journal import CLOSE_AFTER, FileJournal
from ringfence.gateway.records import request_in
from ringfence.gateway.segment import MAX_RECORDS, read
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.storage.files import explained, read_bounded


def open_journal(
    folder: Path, closer: Closer, *, close_after: float = CLOSE_AFTER, most: int = MAX_RECORDS
) -> FileJournal:
    """Open the journal in the gateway's folder, close what a gateway left behind, and begin to take records.

    Raises:
        Unavailable: another gateway writes here, or the disk refuses.
        MalformedInput: a file of the journal is damaged before its end.
    """
    journal = folder / "journal"
    with explained(journal, "create"):
        journal.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = _locked(journal / "lock")
    try:
        book, file = _recovered(journal, closer)
        _reindex(closer)
    except BaseException:
        os.close(lock)
        raise
    opened = FileJournal(book, file, closer, lock, close_after, most)
    opened.start()
    return opened


def _locked(path: Path) -> int:
    with explained(path, "open"):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise Unavailable(f"another gateway writes the journal in {path.parent}; stop it first") from error
    return descriptor


def _recovered(journal: Path, closer: Closer) -> tuple[Daybook, FrameFile]:
    """End what was open, begin the next file, and only then close what the files before it hold."""
    for leftover in journal.glob("*.tmp"):
        leftover.unlink()
    files = sorted(path for path in journal.glob("*.wal") if path.stem.isdecimal())
    if not files:
        book = Daybook(_counts(closer))
        return book, FrameFile.create(journal / "00000001.wal", [state_frame(book.counts)])
    left = {path: replay(read_bounded(path, limit=MAX_FILE), source=str(path)) for path in files[:-1]}
    last, ended = FrameFile.reopen(files[-1])
    with explained(files[-1], "write"):
        frames = frames_of(ended.abort_open(closer.clock.now()))
        last.append(frames)
        os.fsync(last.descriptor)
        last.close()
    book, frames_of_next = ended.successor()
    file = FrameFile.create(after(files[-1]), frames_of_next)
    for path, closed in {**left, files[-1]: ended}.items():
        closer.close(path, closed)
    return book, file


def _counts(closer: Closer) -> dict[Tenant, Counts]:
    """Return where each tenant stands by its newest segment: there is no file of the journal to say it."""
    counts = {}
    for tenant in closer.files.tenants():
        if number := closer.files.last(tenant):
            newest = read(closer.files.envelope(tenant, number).statement)
            counts[tenant] = Counts(number + 1, newest.admitted, newest.finished)
    return counts


def _reindex(closer: Closer) -> None:
    for tenant in closer.files.tenants():
        last = closer.files.last(tenant)
        for number in range(closer.index.marked(tenant) + 1, last + 1):
            requests = [request_in(leaf) for leaf in closer.files.leaves(tenant, number)]
            closer.index.add(tenant, number, [bytes.fromhex(request[4:]) for request in requests])
        closer.index.mark(tenant, last)
