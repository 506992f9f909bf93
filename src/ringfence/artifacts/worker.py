"""Worker processes that seal files: AES-GCM in Python holds the interpreter's lock, so that threads gain nothing.

A worker gets the open folder that is filled, the dataset key and its tasks by pipes, and answers one line per file.
It ends with its parent, whatever ends that; the lock on the folder is free once the last of them is gone.
"""

import ctypes
import json
import os
import resource
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import IO, Any

from ringfence.artifacts.blobs import Place, PlainFolder, StagedFolder
from ringfence.artifacts.journal import from_json, to_json
from ringfence.artifacts.model import KEY_SIZE, DatasetId, Finished, NewSeal, Task
from ringfence.artifacts.ports import Moved, NamedTree, Work
from ringfence.artifacts.resuming import FileSealer, alone
from ringfence.kernel.errors import (
    Conflict,
    InternalError,
    MalformedInput,
    NotFound,
    RingfenceError,
    Unavailable,
    UsageError,
    VerificationFailed,
)

MOST = 64
WORTH_IT = 64 * 2**20  # bytes from which on starting workers pays
BATCH_FILES, BATCH_BYTES = 64, 8 * 2**20
TOLD_EVERY = 32 * 2**20  # bytes
PROGRAM = (sys.executable, "-I", "-m", "ringfence.artifacts.worker")
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_ERRORS = {
    kind.slug: kind for kind in (Conflict, UsageError, MalformedInput, NotFound, Unavailable, VerificationFailed)
}


class Workers:
    """A crew of processes; small trees are sealed in this one."""

    def __init__(self, count: int, worth_it: int = WORTH_IT, program: Sequence[str] = PROGRAM) -> None:
        """Take 1 to 64 processes of a program."""
        if not 1 <= count <= MOST:
            raise UsageError(f"the number of workers is from 1 to {MOST}, not {count}")
        self._count, self._worth_it, self._program = count, worth_it, program

    def __call__(
        self, files: NamedTree, work: Work, new: NewSeal, key: bytearray, tasks: Sequence[Task], moved: Moved, /
    ) -> Iterator[tuple[Task, Finished]]:
        """Give each task with its outcome."""
        small = sum(task.size for task in tasks) < self._worth_it
        if self._count == 1 or small or not isinstance(files, PlainFolder) or not isinstance(work, StagedFolder):
            yield from alone(secrets.token_bytes)(files, work, new, key, tasks, moved)
            return
        shift = _Shift(iter(list(_batches(tasks))))
        children: list[_Child] = []
        threads: list[Thread] = []
        try:
            for _ in range(min(self._count, len(tasks))):
                children.append(_Child(self._program, work))
                threads.append(Thread(target=shift.run, args=(children[-1], files.path, new, key), daemon=True))
            for thread in threads:
                thread.start()
            yield from shift.outcomes(len(tasks), moved)
        finally:
            for child in children:
                child.kill()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()


def _batches(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    """Give small files together, and the largest first: nobody waits for one at the end."""
    batch: list[Task] = []
    for task in sorted(tasks, key=lambda task: task.size, reverse=True):
        batch.append(task)
        if len(batch) == BATCH_FILES or sum(one.size for one in batch) >= BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


class _Child:
    """One worker as its parent sees it."""

    def __init__(self, program: Sequence[str], work: StagedFolder) -> None:
        self._place = work.descriptor
        self._process = subprocess.Popen(  # noqa: S603 - this program again
            [*program, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(work.descriptor,),
            start_new_session=True,  # a Ctrl-C at the terminal is the parent's to handle
        )

    def begin(self, source: Path, new: NewSeal, key: bytearray) -> None:
        """Say what is sealed, and with which key."""
        start = {"source": str(source.absolute()), "place": self._place, "dataset": new.dataset}
        more = {"epoch": new.epoch, "chunkSize": new.chunk_size, "large": new.large}
        self._send(json.dumps(start | more).encode() + b"\n")
        self._send(key)  # by itself: joined with anything it would be copied

    def _pipe(self, pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:
            raise InternalError("a worker was started without pipes")
        return pipe

    def _send(self, data: bytes | bytearray) -> None:
        pipe = self._pipe(self._process.stdin)
        try:
            pipe.write(data)
            pipe.flush()
        except OSError as error:
            raise _gone() from error

    def ask(self, tasks: Sequence[Task]) -> None:
        """Send tasks."""
        asked = [{"path": task.path, "size": task.size, "kept": task.kept and to_json(task.kept)} for task in tasks]
        self._send(json.dumps(asked).encode() + b"\n")

    def answer(self) -> Any:
        """Return the next line."""
        line = self._pipe(self._process.stdout).readline()
        if not line.endswith(b"\n"):
            raise _gone()
        return json.loads(line)

    def kill(self) -> None:
        """End it, whatever it does; called again, do nothing."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                self._pipe(pipe).close()
            except OSError:  # what it was never sent is of no use now
                continue


def _gone() -> Unavailable:
    return Unavailable("a worker process ended by itself; seal again, perhaps with fewer --workers, and it goes on")


class _Shift:
    """What workers share: the batches that are left, and where outcomes go."""

    def __init__(self, batches: Iterator[list[Task]]) -> None:
        self._batches, self._lock = batches, Lock()
        self._outcomes: SimpleQueue[tuple[Task, Finished] | int | BaseException] = SimpleQueue()

    def run(self, child: _Child, source: Path, new: NewSeal, key: bytearray) -> None:
        """Give a worker one batch after the other."""
        try:
            child.begin(source, new, key)
            while batch := self._next():
                child.ask(batch)
                for task in batch:
                    self._hear(child, task, new.chunk_size)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self._outcomes.put(error)

    def _next(self) -> list[Task] | None:
        with self._lock:
            return next(self._batches, None)

    def _hear(self, child: _Child, task: Task, chunk_size: int) -> None:
        while True:
            match child.answer():
                case {"moved": int() as size}:
                    self._outcomes.put(size)
                case {"error": slug, "message": str() as message}:
                    raise _ERRORS.get(slug, InternalError)(message)
                case document:
                    self._outcomes.put((task, from_json(document, chunk_size)))
                    return

    def outcomes(self, count: int, moved: Moved) -> Iterator[tuple[Task, Finished]]:
        """Give `count` outcomes as they come."""
        while count:
            match self._outcomes.get():
                case int() as size:
                    moved(size)
                case BaseException() as error:
                    raise error
                case outcome:
                    count -= 1
                    yield outcome


# The worker's own side.


def main() -> None:
    """Seal what comes by standard input until that ends."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the key
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # the limit binds no program to which the kernel pipes a core
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):
        return  # the parent ended before it could take us with it
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    start = json.loads(given.readline())
    key = bytearray(given.read(KEY_SIZE))
    told = _Told(answers)
    new = NewSeal(DatasetId(start["dataset"]), start["epoch"], start["chunkSize"], start["large"])
    files, place = PlainFolder(Path(start["source"])), Place(start["place"])
    sealer = FileSealer(files, place, new, key, secrets.token_bytes, told.moved)
    for line in given:
        for asked in json.loads(line):
            told.say(_answer(sealer, asked, new.chunk_size))


def _answer(sealer: FileSealer, asked: Any, chunk_size: int) -> dict[str, Any]:
    kept = asked["kept"]
    try:
        done = sealer.do(Task(asked["path"], asked["size"], kept and from_json(kept, chunk_size)))
    except RingfenceError as error:
        return {"error": error.slug, "message": str(error)}
    return to_json(done)


class _Told:
    """What the parent is told, line by line; progress in larger steps."""

    def __init__(self, answers: IO[bytes]) -> None:
        self._answers, self._since = answers, 0

    def moved(self, size: int) -> None:
        """Count."""
        self._since += size
        if self._since >= TOLD_EVERY:
            self._tell()

    def _tell(self) -> None:
        moved, self._since = self._since, 0
        self._write({"moved": moved})

    def say(self, document: dict[str, Any]) -> None:
        """Say how a task ended."""
        if self._since:
            self._tell()
        self._write(document)

    def _write(self, document: dict[str, Any]) -> None:
        self._answers.write(json.dumps(document).encode() + b"\n")
        self._answers.flush()


if __name__ == "__main__":
    main()
