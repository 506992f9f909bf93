"""Start and end the two processes of a fabric: as root in a network namespace, else in a user namespace too."""

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ringfence import components
from ringfence.fabric import anchor
from ringfence.fabric.links import started
from ringfence.kernel.errors import NotFound, Refused, RingfenceError, Unavailable, by_slug

HELPER = "helper.json"
PROGRAMS = ("nft", "ip", "nsenter", "unshare")
_PATIENCE = 20
_DYING = 5.0
_BETWEEN = 0.05


def claim(directory: Path) -> None:
    """Make the directory, or check that it is ours alone."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()  # a link may lead elsewhere the next moment
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise Refused(f"{directory} must belong to you, with mode 0700")


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Let one process at a time start or end things."""
    lock = os.open(directory / "starting", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def living(directory: Path, name: str) -> int | None:
    """Return the number of a recorded process that still is the same process."""
    try:
        read = json.loads((directory / name).read_text(encoding="ascii"))
        pid, start = int(read["pid"]), int(read["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    with contextlib.suppress(NotFound):
        if started(pid) == start:
            return pid
    return None


def _run(prefix: list[str], module: str, directory: Path) -> None:
    """Run one of our programs until it has gone into the background; what it says before is the error."""
    keep = {"RINGFENCE_TOOLS": str(Path(named).absolute())} if (named := os.environ.get("RINGFENCE_TOOLS")) else {}
    command = [*prefix, sys.executable, "-I", "-m", module, str(directory)]
    try:
        done = subprocess.run(  # noqa: S603 -- absolute paths, no shell
            command, capture_output=True, text=True, env=keep, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"the fabric's helper did not start: {error}") from None
    if done.returncode:
        said = " ".join(done.stderr.split())[-500:]
        slug, _, message = said.partition(": ")
        known = by_slug(slug)
        if known.slug != slug:
            raise Unavailable(f"the fabric's helper did not start: {said}")
        raise known(message)


def revive(directory: Path) -> None:
    """Start what does not run; of a helper that is just dying, wait for the end."""
    end = time.monotonic() + _DYING
    while launched := living(directory, HELPER):
        if _listens(directory) or time.monotonic() > end:
            return
        with contextlib.suppress(ProcessLookupError):
            watch = os.pidfd_open(launched)
            select.select([watch], [], [], _BETWEEN)
            os.close(watch)
    start(directory)


def _listens(directory: Path) -> bool:
    try:
        with reached(directory, _BETWEEN):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def reached(directory: Path, seconds: float) -> Iterator[socket.socket]:
    """Connect to the helper; its directory's path may be longer than a socket's name can be."""
    within = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as helper:
            helper.settimeout(seconds)
            helper.connect(f"/proc/self/fd/{within}/socket")
            yield helper
    finally:
        os.close(within)


def start(directory: Path) -> None:
    """Start the anchor where none lives, and a helper that joins its namespaces."""
    for name in PROGRAMS:
        components.find(name)
    if living(directory, anchor.RECORD) is None:
        unshare = str(components.find("unshare").path)
        try:
            _run([unshare, "--net", "--"], "ringfence.fabric.anchor", directory)
        except RingfenceError:  # no root, or a root without the right to
            _run([unshare, "--user", "--map-root-user", "--net", "--"], "ringfence.fabric.anchor", directory)
    keeper = living(directory, anchor.RECORD)
    if keeper is None:
        raise Unavailable("the fabric's anchor did not stay")
    _run(into(keeper, network=True), "ringfence.fabric", directory)


def into(pid: int, *, network: bool) -> list[str]:
    """Return the command prefix that joins the namespaces of the anchor."""
    prefix = [str(components.find("nsenter").path), *([f"--net=/proc/{pid}/ns/net"] if network else [])]
    if Path(f"/proc/{pid}/ns/user").stat().st_ino != Path("/proc/self/ns/user").stat().st_ino:
        prefix += [f"--user=/proc/{pid}/ns/user", "--preserve-credentials"]
    return [*prefix, "--"] if len(prefix) > 1 else []


def child_prefix(directory: Path) -> tuple[str, ...]:
    """Return the command prefix that puts a child where the helper may give it a network."""
    keeper = living(directory, anchor.RECORD)
    if keeper is None:
        raise Unavailable("the fabric's anchor is gone")
    return tuple(into(keeper, network=False))


def end(directory: Path) -> None:
    """End helper and anchor: everything they kept is gone, which means cut."""
    for name in (HELPER, anchor.RECORD):
        pid = living(directory, name)
        if pid is None:
            continue
        with contextlib.suppress(ProcessLookupError):
            watch = os.pidfd_open(pid)
            try:
                if living(directory, name) == pid:
                    signal.pidfd_send_signal(watch, signal.SIGKILL)
                    select.select([watch], [], [], _PATIENCE)
            finally:
                os.close(watch)
