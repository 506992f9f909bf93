"""The engine program and its model on their way to a node: one archive and one line go ahead of the weights."""

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources

from ringfence.compute.providers.runtime import PYTHON
from ringfence.kernel.errors import Unavailable, VerificationFailed
from ringfence.workloads.engine import frames
from ringfence.workloads.engine.frames import Answer, BadFrame, Header
from ringfence.workloads.ports import Runs


@dataclass(frozen=True, slots=True)
class Seen:
    """What a node says of an engine's sealed memory."""

    measured: str  # empty where no engine of that name has such a file
    sealed: bool
    bytes: int
    milliseconds: int  # of a processor


MODULES = ("ringfence", "ringfence.workloads", "ringfence.workloads.engine")
LOAD_WITHIN = 600.0  # seconds for a model to arrive and be loaded
END_WITHIN = 15.0
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same package gives the same archive

# Run as `python -I -c BOOT NAME`: it holds the archive in memory, and goes on with what follows it.
BOOT = """\
import os, sys
size = int(sys.stdin.buffer.readline(20))
held = os.memfd_create("engine", os.MFD_CLOEXEC)
data = sys.stdin.buffer.read(size)
os.write(held, data)
sys.path.insert(0, "/proc/self/fd/%d" % held)
from ringfence.workloads.engine.loading import main
main()
"""

# Run as `python -I -c END NAME`: every other process with that last argument is an engine of that name.
END = """\
import os, sys
for found in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{found}/cmdline", "rb") as file:
            last = file.read().split(b"\\0")[-2:-1]
        if last == [os.fsencode(sys.argv[1])] and int(found) != os.getpid():
            os.kill(int(found), 9)
    except OSError:
        pass
"""


# Run as `python -I -c RECHECK NAME RATE`: the program arrives as BOOT's does, and only looks.
RECHECK = BOOT.replace("engine.loading import", "engine.rechecking import")


def archive() -> bytes:
    """Return the engine program as a zip archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for package in MODULES:
            folder = resources.files(package)
            for name in _names(package):
                path = f"{package.replace('.', '/')}/{name}"
                file.writestr(zipfile.ZipInfo(path, EPOCH), (folder / name).read_bytes())
    return made.getvalue()


def _names(package: str) -> list[str]:
    """Return the modules of a package that go along: all of the engine's, and of those above only that they exist."""
    if package != MODULES[-1]:
        return ["__init__.py"]
    return sorted(found.name for found in resources.files(package).iterdir() if found.name.endswith(".py"))


def opening() -> bytes:
    """Return what is sent before the header of a model."""
    data = archive()
    return b"%d\n" % len(data) + data


def ship(shell: Runs, header: Header, pieces: Iterable[bytes], *, timeout: float = LOAD_WITHIN) -> Answer:
    """Send program and model to a node; return what the loader there measured and started.

    Raises:
        VerificationFailed: the loader measured other bytes than were sent, or claims to serve others.
        Unavailable: nothing was loaded.
    """
    done = shell.run(command(header.name), stdin=_sent(header, pieces), timeout=timeout)
    try:
        said = frames.answer(done.out)
    except BadFrame as error:
        last = done.err.decode("utf-8", "replace").strip().splitlines()[-1:]
        told = "".join(c for c in "".join(last) if c.isprintable())[:200]
        raise Unavailable(f"the loader on the node did not answer: {told or error}") from error
    if said.measured and said.measured != header.digest:
        raise VerificationFailed(f"the loader on the node measured {said.measured}, and not what was sent")
    if not said.loaded:
        raise Unavailable(f"the engine on the node does not start: {said.because}")
    if said.measured != header.digest or said.engine != header.engine:
        raise VerificationFailed("the loader on the node does not say what it loaded")
    return said


def command(name: str) -> list[str]:
    """Return the command of an engine; the name at its end tells it from every other process of the node."""
    return [PYTHON, "-I", "-c", BOOT, mark(name)]


def mark(name: str) -> str:
    """Return the argument by which an engine is known on its node."""
    return f"ringfence-engine={name}"


def end(shell: Runs, name: str) -> None:
    """End an engine on its node, and nothing else there: it is found by its last argument."""
    if shell.run([PYTHON, "-I", "-c", END, mark(name)], timeout=END_WITHIN).code:
        raise Unavailable(f"the engine {name} does not end: its node does not take the command")


def recheck(shell: Runs, name: str, *, rate: int, timeout: float) -> Seen:
    """Let a node hash again what an engine's sealed memory holds; return what it says.

    Raises:
        Unavailable: the node does not answer, or not in the form that it must.
    """
    command = [PYTHON, "-I", "-c", RECHECK, mark(name), str(rate)]
    done = shell.run(command, stdin=[opening()], timeout=timeout)
    try:
        found = json.loads(done.out[: frames.LONGEST])
    except (ValueError, RecursionError) as error:
        raise Unavailable("the node does not say what its engine's memory holds") from error
    match found:
        case {"measured": str() as measured, "sealed": bool() as sealed, "bytes": int() as size, **rest} if (
            (not measured or frames.DIGEST.fullmatch(measured)) and rest.keys() == {"milliseconds"} and size >= 0
        ):
            taken = rest["milliseconds"]
            return Seen(measured, sealed, size, taken if type(taken) is int and taken >= 0 else 0)
        case _:
            raise Unavailable("the node does not say what its engine's memory holds")


def _sent(header: Header, pieces: Iterable[bytes]) -> Iterator[bytes]:
    yield opening()
    yield frames.line(header)
    yield from pieces
