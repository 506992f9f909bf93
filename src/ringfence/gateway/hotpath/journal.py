"""The journal of the hot path: many requests per fsync, nothing acknowledged before it is durable.

The event loop prints what it was given as one group; one thread writes the group, syncs it, and tells the loop once.
What arrives meanwhile is the next group. Another thread closes segments. Format: docs/specs/segment.md, section 5.
"""

import asyncio
import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from ringfence.gateway.daybook import MAX_ADMISSION, MAX_FINISH, Counts, Daybook, replay, state_frame
from ringfence.gateway.hotpath.closing import Closer, ClosingThread
from ringfence.gateway.hotpath.frames import MAX_FILE, SPARE, FrameFile
from ringfence.gateway.hotpath.promise import Promise
from ringfence.gateway.model import RequestId
from ringfence.gateway.pace import Pace
from ringfence.gateway.records import Admitted, Finished, request_in
from ringfence.gateway.segment import MAX_RECORDS, read
from ringfence.kernel.errors import RingfenceError, Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.storage.files import explained, read_bounded

CLOSE_AFTER = 5.0  # seconds from the first record that ended to the closing of its segment, at the least
GATHER = 0.001  # seconds that a group waits for more, where so many requests are open that more will come
MANY = 6
RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)

Settled = list[tuple[Promise, RingfenceError | None]]


@dataclass(slots=True)
class Group:
    """Records that become durable together, printed."""

    frames: list[bytes] = field(default_factory=list)
    settled: Settled = field(default_factory=list)
    roll: bool = False  # go on in a new file afterwards


@dataclass(slots=True)
class FileJournal:
    """`gateway.ports.Journal` over files; made by `open_journal`.

    Book and file are the event loop's, but for two times: from when the writing thread gets a group until it has told
    the loop (`_busy`), and from when it is told to stop. Then they are the thread's.
    """

    book: Daybook
    file: FrameFile
    closer: Closer
    lock: int
    close_after: float = CLOSE_AFTER
    most: int = MAX_RECORDS
    pace: Pace = field(default_factory=Pace)
    refusing: str = ""  # why nothing is taken any more
    failed: bool = False  # the disk refused to make something durable: what it holds is known at the next start only
    _rolled: dict[Path, Daybook] = field(default_factory=dict)
    _taken: list[tuple[Admitted | Finished, Promise]] = field(default_factory=list)  # in no group yet
    _called: bool = False  # a group is about to be begun
    _busy: bool = False
    _due: bool = False  # the segment is to be closed
    _stuck: bool = False  # the last time, a new file could not be begun
    _stopping: bool = False
    _turn: threading.Lock = field(default_factory=threading.Lock)  # held while a group is begun
    _timer: asyncio.TimerHandle | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _queue: SimpleQueue[Group | None] = field(default_factory=SimpleQueue)
    _closing: ClosingThread | None = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to take records."""
        self._closing = ClosingThread(self.closer, self._forget)
        self._closing.start()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def admit(self, record: Admitted) -> Promise:
        """Take an admission; see `gateway.ports.Journal`."""
        return self._take(record)

    def finish(self, record: Finished) -> Promise:
        """Take the end of an admitted request; see `gateway.ports.Journal`."""
        return self._take(record)

    def holds(self, tenant: Tenant, request: RequestId) -> bool:
        """Return whether a tenant's request is in the journal and not yet in a signed segment."""
        return any(book.tenant_of(request) == tenant for book in (self.book, *list(self._rolled.values())))

    def close(self) -> None:
        """Write what was taken, close the segment, and end.

        What is still open then reads as aborted at the next start. Blocks: call it outside the event loop.
        """
        with self._turn:  # a group that the loop is beginning comes before the end
            self._stopping = True
            self.refusing = self.refusing or "the gateway is stopping; nothing more is recorded"
            self._queue.put(None)
        if self._thread is not None:
            self._thread.join()
        if self._closing is not None:
            self._closing.stop()
        self.file.close()
        os.close(self.lock)

    def _forget(self, path: Path) -> None:
        self._rolled.pop(path, None)

    # In the event loop

    def _take(self, record: Admitted | Finished) -> Promise:
        if self.refusing:
            raise Unavailable(self.refusing)
        promise = Promise()
        self._taken.append((record, promise))
        if not (self._called or self._busy):
            self._call()
        return promise

    def _call(self) -> None:
        """Begin a group once this turn of the loop is over; a moment later where that saves an fsync."""
        self._called = True
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        if len(self.book.open) < MANY:
            self._loop.call_soon(self._begin)
        else:
            self._loop.call_later(GATHER, self._begin)

    def _begin(self) -> None:
        """Hand what was taken to the writing thread."""
        self._called = False
        with self._turn:
            if self._stopping or self._busy:
                return
            group = self._printed()
            group.roll = group.roll or self._due
            self._busy, self._due = True, False
            self._queue.put(group)

    def _next(self, settled: Settled) -> None:
        """Go on after a group."""
        self._busy = False
        self._settle(settled)
        if not self._stopping:
            self._set_timer()
        if (self._taken or self._due) and not self._called:
            self._call()

    def _settle(self, settled: Settled) -> None:
        for promise, error in settled:
            try:
                promise.end(error)
            except Exception as fault:  # noqa: BLE001 - one that stumbles takes none of the others along
                asyncio.get_running_loop().call_exception_handler({"message": "after a record", "exception": fault})

    def _set_timer(self) -> None:
        """Have the segment closed in time, once there is something in it."""
        if self.failed or not self.book.finished:
            if self._timer is not None:  # it was for a segment that has been closed since
                self._timer.cancel()
                self._timer = None
        elif self._timer is None and self._loop is not None:
            wait = RETRY_SECONDS if self._stuck else max(self.close_after, self.pace.wait(time.monotonic()))
            self._timer = self._loop.call_later(wait, self._close_segment)

    def _close_segment(self) -> None:
        self._timer, self._due = None, True
        if not (self._busy or self._called):
            self._begin()

    # In whichever of the two has the book

    def _printed(self) -> Group:
        """Return what was taken as a group."""
        try:
            return self._group()
        except Exception:  # noqa: BLE001 - whatever it is, nobody may wait for ever, and nothing more may be taken
            _log.exception("the gateway's journal stumbled")
            self._give_up("the gateway's journal stumbled; start the gateway again")
            taken, self._taken = self._taken, []
            return Group(settled=[(promise, None) for _, promise in taken])

    def _group(self) -> Group:
        """Print what was taken, up to an admission for which there must be a new file first."""
        group, size = Group(), 0
        for record, promise in self._taken:
            error: RingfenceError | None = None
            try:
                if isinstance(record, Finished):
                    frame = self.book.finish(record)
                elif self._wants_new_file():
                    group.roll = True
                    break
                else:
                    self._make_room(size)
                    frame = self.book.admit(record)
            except RingfenceError as refused:
                error = refused
            else:
                size += len(frame)
                group.frames.append(frame)
            group.settled.append((promise, error))
        del self._taken[: len(group.settled)]
        self._stuck = False
        return group

    def _wants_new_file(self) -> bool:
        """Return whether the segment is full; raise `Unavailable` where the next one could not be begun just now."""
        if self.book.records < self.most:
            return False
        if self._stuck or self.failed:
            raise Unavailable("the segment is full and the next one cannot be begun; nothing more is admitted")
        return True

    def _make_room(self, size: int) -> None:
        """See to it that what is admitted now can end on this disk; `size` bytes wait to be written before it."""
        ends = MAX_FINISH * (len(self.book.open) + 1)
        self.file.reserve(size + MAX_ADMISSION + ends)

    def _give_up(self, because: str) -> None:
        self.failed, self.refusing = True, because

    # The writing thread

    def _run(self) -> None:
        while (group := self._queue.get()) is not None:
            self._commit(group)
        while self._taken:
            self._commit(self._printed())
        self._commit(Group(roll=True))

    def _commit(self, group: Group) -> None:
        """Make a group durable, and tell the loop."""
        try:
            self._write(group.frames)
            if group.roll:
                self._tell(self._settle, self._outcome(group))
                group.settled.clear()
                self._roll()
        except Exception:  # noqa: BLE001 - as in `_printed`
            _log.exception("the gateway's journal stumbled")
            self._give_up("the gateway's journal stumbled; start the gateway again")
        self._tell(self._next, self._outcome(group))

    def _outcome(self, group: Group) -> Settled:
        if self.failed:
            return [(promise, Unavailable(self.refusing)) for promise, _ in group.settled]
        return list(group.settled)

    def _tell(self, call: Callable[[Settled], None], settled: Settled) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                self._loop.call_soon_threadsafe(call, settled)

    def _write(self, frames: list[bytes]) -> None:
        if self.failed or not frames:
            return
        try:
            self.file.append(b"".join(frames))
            self.file.sync()
        except OSError as error:
            # After a failed fsync nobody knows what the disk holds, and asking again may lie.
            self._give_up(f"the gateway's journal cannot be written ({error}); repair the disk and start it again")
            _log.error("%s", self.refusing)
        else:
            with suppress(Unavailable):  # so that the loop need not; where it fails, the loop finds out in time
                self.file.reserve(SPARE + MAX_FINISH * len(self.book.open))

    def _roll(self) -> None:
        """Go on in a new file, and hand the old one over to be closed; where there is no room for it, try again."""
        self._stuck = True
        if self.failed or not self.book.finished:
            return
        book, frames = self.book.successor()
        try:
            file = FrameFile.create(after(self.file.path), frames)
        except RingfenceError as error:
            _log.warning("the next file of the journal cannot be begun and will be tried again: %s", error)
            return
        path, self._rolled[self.file.path] = self.file.path, self.book
        self.file.close()
        self.pace.spend(time.monotonic())
        ended, self.book, self.file = self.book, book, file
        self._stuck = False
        if self._closing is not None:
            self._closing.take(path, ended)


def after(path: Path) -> Path:
    """Return the name of the file that follows."""
    return path.with_name(f"{int(path.stem) + 1:08}.wal")


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
        frames = b"".join(ended.abort_open(closer.clock.now()))
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
