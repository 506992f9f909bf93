"""The node's end of a run: inputs into memory, the command, its outputs back; then everything is removed.

Sent as text to a Python on the node, `python -I -c TEXT`, at the end of an SSH session; standard library only. It reads
a plan (one line of JSON) and a tar stream, and then listens: `i` interrupts the command, the end of the stream kills
it. It answers in frames: one letter, four bytes of length, that many bytes.

    p  what the probe printed        o, e  what the command printed
    t  a piece of the tar stream of the outputs      s  how it ended, as JSON; the last frame
"""

# ruff: noqa: PTH103, PTH118, PTH120, PTH123, S603 -- it is sent over for every run; pathlib would add to its start

from __future__ import annotations  # for Python 3.8

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import select
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

MEMORY = "/dev/shm"  # noqa: S108 -- a folder with mode 0700 is made there
MEMORY_KINDS = ("tmpfs", "ramfs")
PREFIX = "ringfence-node-"
PR_SET_PDEATHSIG = 1
PIECE = 2**16
GRACE = 5.0  # seconds between the polite and the other signal
writing = threading.Lock()
libc = ctypes.CDLL(None)


def frame(kind: bytes, data: bytes) -> None:
    """Send one frame."""
    with writing:
        sys.stdout.buffer.write(kind + struct.pack(">I", len(data)) + data)
        sys.stdout.buffer.flush()


def in_memory(path: str) -> bool:
    """Return whether a folder is the root of a memory file system."""
    with open("/proc/mounts", encoding="utf-8", errors="replace") as file:
        kinds = [line.split()[2] for line in file if line.split()[1] == path]
    return bool(kinds) and kinds[-1] in MEMORY_KINDS


def swap_is_on() -> bool:
    """Return whether memory may be written to a disk."""
    try:
        with open("/proc/swaps", encoding="utf-8") as file:
            return len(file.readlines()) > 1
    except OSError:
        return True


def unpack(stream: BinaryIO, folder: str) -> None:
    """Write the files of a tar stream, which our own side made."""
    with tarfile.open(fileobj=stream, mode="r|", bufsize=512) as archive:  # by blocks: what follows is not its own
        for member in archive:
            source = archive.extractfile(member)
            if source is None:
                sys.exit("the stream holds something that is not a file")
            path = os.path.join(folder, member.name)
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, member.mode & 0o700)
            with os.fdopen(descriptor, "wb") as sink:
                shutil.copyfileobj(source, sink, PIECE)


def files_below(folder: str) -> Iterator[tuple[str, str, bool]]:
    """Give each path below a folder, and whether it is a plain file; a folder that cannot be read is none."""
    unread: list[OSError] = []
    for where, folders, names in os.walk(folder, onerror=unread.append):
        for name in sorted(folders):
            if os.path.islink(os.path.join(where, name)):  # noqa: PTH114
                yield os.path.join(where, name), "", False
        for name in sorted(names):
            path = os.path.join(where, name)
            plain = os.path.isfile(path) and not os.path.islink(path)  # noqa: PTH113, PTH114
            yield path, os.path.relpath(path, folder), plain
    for error in unread:
        yield str(error.filename), "", False


class Frames:
    """What tarfile writes to: each piece becomes a frame."""

    def write(self, data: bytes) -> int:
        """Send a piece."""
        frame(b"t", bytes(data))
        return len(data)


def send_back(folder: str, most: int) -> int:
    """Send the plain files of a folder; return how many paths were left out."""
    skipped = sent = 0
    with tarfile.open(fileobj=Frames(), mode="w|", format=tarfile.USTAR_FORMAT) as archive:  # type: ignore[call-overload]
        for path, name, plain in files_below(folder):
            if not plain or sent >= most or not add(archive, path, name):
                skipped += 1
            else:
                sent += 1
    return skipped


def add(archive: tarfile.TarFile, path: str, name: str) -> bool:
    """Send one file; return False where ustar cannot name it or it cannot be read."""
    info = tarfile.TarInfo(name)
    try:
        info.tobuf(tarfile.USTAR_FORMAT)
        file = open(path, "rb")  # noqa: SIM115 -- closed below
    except (OSError, ValueError):
        return False
    with file:
        info.size = os.fstat(file.fileno()).st_size
        archive.addfile(info, file)
    return True


def relay(pipe: BinaryIO, kind: bytes) -> threading.Thread:
    """Send what the command prints."""

    def pass_on() -> None:
        while data := os.read(pipe.fileno(), PIECE):
            frame(kind, data)

    thread = threading.Thread(target=pass_on, daemon=True)
    thread.start()
    return thread


def signalled(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to the command and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def listen(process: subprocess.Popen[bytes], heard: dict[str, bool], control: int) -> None:
    """Obey until the command has ended."""
    while process.poll() is None:
        if not select.select([control], [], [], 0.1)[0]:
            continue
        said = os.read(control, 1)
        if said not in {b"i", b""}:
            continue  # the last block of the tar stream
        heard["interrupted"] = True
        signalled(process, signal.SIGTERM if said else signal.SIGKILL)
        if said:
            timer = threading.Timer(GRACE, signalled, (process, signal.SIGKILL))
            timer.daemon = True
            timer.start()
        else:
            heard["gone"] = True
            return


def limited() -> None:
    """Forbid core files, which would be the inputs on a disk, and end with us, whatever ends us."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def claimed(memory: str) -> tuple[str, int]:
    """Make a folder, locked for as long as we live; a sweep may have come between the two, then make another."""
    while True:
        folder = tempfile.mkdtemp(prefix=PREFIX, dir=memory)
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.exists(folder):  # noqa: PTH110
                return folder, lock
            os.close(lock)


def sweep(memory: str) -> None:
    """Remove the inputs of runs whose agent was killed: whoever lives holds a lock."""
    for name in os.listdir(memory):  # noqa: PTH208
        path = os.path.join(memory, name)
        if not name.startswith(PREFIX):
            continue
        with contextlib.suppress(OSError):  # somebody lives, or it is another's
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(lock).st_uid == os.geteuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)


def run(plan: dict[str, Any], folder: str) -> dict[str, Any]:
    """Run the command; return how it ended."""
    places = {name: os.path.join(folder, below) for name, below in plan["places"].items()}
    path = os.path.dirname(sys.executable) + ":" + os.environ.get("PATH", os.defpath)
    environment = {"PATH": path, "HOME": os.path.join(folder, "home"), **plan["environment"], **places}
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            plan["argv"], cwd=os.path.join(folder, "code", plan["cwd"]), env=environment, stdin=subprocess.DEVNULL,
            stdout=pipe, stderr=pipe, start_new_session=True, preexec_fn=limited,  # noqa: PLW1509
        )  # fmt: skip
    except (OSError, ValueError) as error:
        frame(b"e", f"ringfence: the command cannot be started: {error}\n".encode())
        return {"code": 127, "interrupted": False}
    assert process.stdout is not None  # noqa: S101 -- for the type checker
    assert process.stderr is not None  # noqa: S101
    threads = [relay(process.stdout, b"o"), relay(process.stderr, b"e")]  # type: ignore[arg-type]
    heard = {"interrupted": False, "gone": False}
    listen(process, heard, sys.stdin.fileno())
    code = process.wait()
    signalled(process, signal.SIGKILL)  # what it left running holds the inputs
    for thread in threads:
        thread.join(GRACE)
    return {"code": code, "interrupted": heard["interrupted"], "gone": heard["gone"]}


def main() -> None:
    """Do one run."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))  # by way of what removes the inputs
    # Unbuffered: what follows the tar stream is for `listen`, and a buffer would have taken it.
    stream = open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115
    plan = json.loads(line(stream.read))
    if not in_memory(MEMORY):
        frame(b"s", json.dumps({"refused": f"{MEMORY} is no memory file system"}).encode())
        return
    sweep(MEMORY)
    folder, _ = claimed(MEMORY)
    try:
        last = done(plan, stream, folder)
    except (OSError, tarfile.TarError, subprocess.SubprocessError) as error:
        last = {"refused": str(error)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    frame(b"s", json.dumps(last).encode())


def done(plan: dict[str, Any], stream: Any, folder: str) -> dict[str, Any]:
    """Take everything in, run, and send back; return how it ended."""
    for name in ("inputs", "outputs", "code", "home"):
        os.mkdir(os.path.join(folder, name), 0o700)  # noqa: PTH102
    unpack(Whole(stream), folder)  # type: ignore[arg-type]
    probe = subprocess.run([sys.executable, "-I", "-c", plan["probe"]], capture_output=True, check=False, timeout=60)
    frame(b"p", probe.stdout)
    ended = run(plan, folder)
    if not ended.pop("gone", False):
        ended["skipped"] = send_back(os.path.join(folder, "outputs"), plan["most"])
    return {**ended, "swap": swap_is_on()}


class Whole:
    """A stream whose reads are whole, as tarfile wants them."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def read(self, size: int) -> bytes:
        """Read that much, or up to the end."""
        found = bytearray()
        while len(found) < size and (piece := self.stream.read(size - len(found))):
            found += piece
        return bytes(found)


def line(read: Callable[[int], bytes]) -> bytes:
    """Read up to the first line feed."""
    found = bytearray()
    while (byte := read(1)) not in {b"", b"\n"}:
        found += byte
    return bytes(found)


if __name__ == "__main__":
    main()
