"""Run a command on this machine: inputs in a memory file system that only the command sees."""

import fcntl
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringfence.artifacts.blobs import NewFolder
from ringfence.kernel.errors import InternalError, Unavailable
from ringfence.workloads.runs import keeper
from ringfence.workloads.runs.model import Ended, InputPlace, ended

PREFIX = "ringfence-run-"
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder with mode 0700 is made there
MEMORY_KINDS = frozenset({"tmpfs", "ramfs"})
MAX_LINE = 64 * 2**10


@dataclass(slots=True)
class Chamber:
    """A place in memory, and the one command that is run beside it."""

    place: InputPlace
    path: str
    swappable: bool
    because: str  # why it is not private, where it is not
    folder: NewFolder
    _descriptor: int
    _link: socket.socket
    _interrupted: list[int] = field(default_factory=list)

    def run(self, argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Ended:
        """Close the place for writing, run the command, and return how it ended."""
        self.close()
        self._say({"argv": list(argv), "cwd": str(cwd), "env": dict(environment)})
        answer = self._hear()
        if answer["because"]:
            raise Unavailable(f"the command cannot be started: {answer['because']}")
        code = int(answer["status"])
        return ended(code, interrupted=bool(self._interrupted))

    def interrupt(self, number: int) -> None:
        """Send a signal to the command; it is recorded as interrupted."""
        self._interrupted.append(number)
        with suppress(OSError):  # it has ended meanwhile
            self._say({"signal": number})

    def close(self) -> None:
        """Let go of the place, which cannot be gone as long as somebody holds it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _say(self, document: Mapping[str, Any]) -> None:
        self._link.sendall(json.dumps(document).encode() + b"\n")

    def _hear(self) -> dict[str, Any]:
        kept = b""
        while not kept.endswith(b"\n") and len(kept) < MAX_LINE:
            piece = self._link.recv(4096)
            if not piece:
                raise Unavailable("the process that keeps the run was killed, and the command with it")
            kept += piece
        return dict(json.loads(kept))


@contextmanager
def chamber(*, private: bool = True, quiet: bool = False) -> Iterator[Chamber]:
    """Make a place in memory for the inputs of one command; at the end it is gone, and so is all that it started.

    Args:
        private: try for a mount namespace; without, or where the kernel refuses, it is a folder below /dev/shm.
        quiet: what the command prints goes to standard error, since standard output is for a document.
    """
    sweep()
    with _mount_point(wanted=private) as target, _shared() as shared:
        ours, theirs = socket.socketpair()
        process = _keeper(theirs, target, shared, quiet=quiet)
        try:
            with ours:
                made = _made(ours)
                try:
                    yield made
                finally:
                    made.close()
        finally:
            _await(process)


@contextmanager
def _mount_point(*, wanted: bool) -> Iterator[Path | None]:
    """Give an empty folder; what is mounted on it is seen by the run alone."""
    target = Path(tempfile.mkdtemp(prefix=PREFIX)) if wanted else None
    try:
        yield target
    finally:
        if target is not None:
            with suppress(OSError):
                target.rmdir()


def _await(process: "subprocess.Popen[bytes]") -> None:
    """Wait for the keeper: our end of its socket is closed, so it kills what is left, and ends."""
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _keeper(
    theirs: socket.socket, target: Path | None, shared: Path | None, *, quiet: bool
) -> "subprocess.Popen[bytes]":
    arguments = [str(theirs.fileno()), str(target or ""), str(shared or "")]
    command = [sys.executable, "-I", "-S", str(keeper.__file__), *arguments]
    process = subprocess.Popen(  # noqa: S603 - our own
        command,
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=2 if quiet else 1,
        stderr=2,
        env={},
        start_new_session=True,  # Ctrl-C is ours to pass on
    )
    theirs.close()
    return process


def _made(link: socket.socket) -> Chamber:
    data, descriptors, _, _ = socket.recv_fds(link, 4096, 1)
    if not data or len(descriptors) != 1:
        raise InternalError("the process that keeps the run ended at once")
    made = json.loads(data)
    [descriptor] = descriptors
    if made["kind"] == InputPlace.NONE:
        os.close(descriptor)
        raise Unavailable(f"inputs are decrypted into memory only, and there is no place for them: {made['because']}")
    return Chamber(
        InputPlace(made["kind"]),
        made["path"],
        bool(made["swap"]),
        made.get("because", ""),
        NewFolder(descriptor),
        descriptor,
        link,
    )


@contextmanager
def _shared() -> Iterator[Path | None]:
    """Give a folder in shared memory, locked for as long as we live; None where that is no memory."""
    if _kind(MEMORY) not in MEMORY_KINDS:
        yield None
        return
    path, descriptor = _locked()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def _locked() -> tuple[Path, int]:
    """Make a folder and lock it; a sweep may have come between the two, then make another."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=MEMORY))
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.exists():
            return path, descriptor
        os.close(descriptor)


def _kind(path: Path) -> str:
    """Return the kind of the file system that is mounted at `path`."""
    lines = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    kinds = [words[2] for words in map(str.split, lines) if len(words) > 2 and words[1] == str(path)]
    return kinds[-1] if kinds else ""


def sweep() -> None:
    """Remove what a run left in shared memory whose processes were all killed at once: whoever lives holds a lock."""
    for path in MEMORY.glob(f"{PREFIX}*"):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            if os.fstat(descriptor).st_uid == os.geteuid() and stat.S_ISDIR(os.fstat(descriptor).st_mode):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass  # somebody lives
        finally:
            os.close(descriptor)
