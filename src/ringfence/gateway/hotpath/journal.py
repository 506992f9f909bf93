"""The journal of the hot path: many requests per fsync, nothing acknowledged before it is durable.

The event loop prints what it was given as one group; one thread writes the group, syncs it, and tells the loop once.
What arrives meanwhile is the next group. Another thread closes segments. Format: docs/specs/segment.md, section 5.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from ringfence.gateway.daybook import MAX_ADMISSION, MAX_FINISH, PREFIX, Daybook, frames_of
from ringfence.gateway.hotpath.closing import Closer, ClosingThread
from ringfence.gateway.hotpath.frames import SPARE, FrameFile, after
from ringfence.gateway.hotpath.promise import Promise
from ringfence.gateway.model import RequestId
from ringfence.gateway.pace import Pace
from ringfence.gateway.records import Admitted, Finished
from ringfence.gateway.segment import MAX_RECORDS
from ringfence.kernel.errors import RingfenceError, Unavailable
from ringfence.kernel.identifier import Tenant

CLOSE_AFTER = 5.0  # seconds from the first record that ended to the closing of its segment, at the least
GATHER = 0.001  # seconds that a group waits for more, where so many requests are open that more will come
MANY = 6
LATEST = 0.005  # seconds until an admission is written for which nobody waits yet: by then most ends come with it
RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)

Settled = list[tuple[Promise, RingfenceError | None]]


@dataclass(slots=True)
class Group:
    """Records that become durable together, printed."""

    payloads: list[bytes] = field(default_factory=list)
    settled: Settled = field(default_factory=list)
    roll: bool = False  # go on in a new file afterwards


@dataclass(slots=True)
class FileJournal:
    """`gateway.ports.Journal` over files; made by `recovery.open_journal`.

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
    _wanted: bool = False  # somebody waits for what was taken
    _latest: asyncio.TimerHandle | None = None  # when a group begins for which nobody waits
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
        promise = self._take(record)
        if not (self._called or self._busy or self._latest):
            self._wait()
        return promise

    def finish(self, record: Finished) -> Promise:
        """Take the end of an admitted request; see `gateway.ports.Journal`."""
        promise = self._take(record)
        self.hurry()
        return promise

    def hurry(self) -> None:
        """Begin soon with what was taken: somebody waits for it; see `gateway.ports.Journal`."""
        self._wanted = True
        if not (self._called or self._busy):
            self._call()

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
        return promise

    def _wait(self) -> None:
        """Begin a group in a while, unless somebody waits for it earlier."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        self._latest = self._loop.call_later(LATEST, self.hurry)

    def _call(self) -> None:
        """Begin a group once this turn of the loop is over; a moment later where that saves an fsync."""
        self._called = True
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        if len(self.book.open) + len(self._taken) < MANY:
            self._loop.call_soon(self._begin)
        else:
            self._loop.call_later(GATHER, self._begin)

    def _begin(self) -> None:
        """Hand what was taken to the writing thread."""
        self._called = False
        with self._turn:
            if self._stopping or self._busy:
                return
            if self._latest is not None:
                self._latest.cancel()
                self._latest = None
            group = self._printed()
            self._wanted = bool(self._taken)  # for these, there must be a new file first
            group.roll = group.roll or self._due
            self._busy, self._due = True, False
            self._queue.put(group)

    def _next(self, settled: Settled) -> None:
        """Go on after a group."""
        self._busy = False
        self._settle(settled)
        if not self._stopping:
            self._set_timer()
        if self._called or self._stopping:
            return
        if self._wanted or self._due:
            self._call()
        elif self._taken and self._latest is None:
            self._wait()

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
                    payload = self.book.finish(record)
                elif self._wants_new_file():
                    group.roll = True
                    break
                else:
                    self._make_room(size)
                    payload = self.book.admit(record)
            except RingfenceError as refused:
                error = refused
            else:
                size += PREFIX + len(payload)
                group.payloads.append(payload)
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
            self._write(group.payloads)
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

    def _write(self, payloads: list[bytes]) -> None:
        if self.failed or not payloads:
            return
        try:
            self.file.append(frames_of(payloads))
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
