"""Processes that outlive us: named by pid and start time together, and ended only by both."""

import os
import select
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
AFTER_NAME = 2  # the first field of /proc/PID/stat behind the name is field 3
PARENT, STARTED = 4 - AFTER_NAME - 1, 22 - AFTER_NAME - 1
DEAD = frozenset("ZX")


@dataclass(frozen=True, slots=True)
class Process:
    """One process: a pid comes back, a pid with its start time (clock ticks since boot) does not."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Return whether this very process runs; a zombie does not."""
        fields = _stat(self.pid)
        return bool(fields) and int(fields[STARTED]) == self.started and fields[0] not in DEAD


@dataclass(frozen=True, slots=True)
class Seen:
    """A process as the kernel shows it."""

    process: Process
    parent: int
    command: str


def _stat(pid: int) -> list[str]:
    """Return the fields behind the name, which itself may hold anything."""
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def find(pid: int) -> Process | None:
    """Return the live process that has this pid now."""
    fields = _stat(pid)
    return Process(pid, int(fields[STARTED])) if fields and fields[0] not in DEAD else None


def name(pid: int) -> str:
    """Return what the kernel calls a process; empty where there is none, or only its remains."""
    try:
        return (PROC / str(pid) / "comm").read_text().strip() if find(pid) else ""
    except OSError:
        return ""


def command_line(pid: int) -> bytes:
    """Return the arguments of a process, each ended by NUL; empty where there are none to see."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""


def everyone() -> Iterator[int]:
    """Give every pid."""
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal())


def arguments(*beginnings: str) -> Iterator[tuple[int, str]]:
    """Give every argument of a process that begins so, with the pid."""
    wanted = tuple(text.encode() for text in beginnings)
    for pid in everyone():
        for part in command_line(pid).split(b"\0"):
            if part.startswith(wanted):
                yield pid, part.decode(errors="replace")


def marked(*markers: str) -> list[Process]:
    """Return the processes one of whose arguments begins with one of `markers`."""
    pids = {pid for pid, _ in arguments(*markers)}
    return [process for pid in sorted(pids) if (process := find(pid))]


def family(pid: int) -> list[Seen]:
    """Return a process and all that descends from it.

    The first process of a PID namespace inherits every orphan in it, so that its family is the whole namespace.
    """
    seen = {each: fields for each in everyone() if (fields := _stat(each))}
    members, grown = {pid} & set(seen), True
    while grown:
        more = {each for each, fields in seen.items() if int(fields[PARENT]) in members} - members
        members |= more
        grown = bool(more)
    return [_shown(each, seen[each]) for each in sorted(members)]


def _shown(pid: int, fields: list[str]) -> Seen:
    command = command_line(pid).replace(b"\0", b" ").decode(errors="replace").strip()
    return Seen(Process(pid, int(fields[STARTED])), int(fields[PARENT]), command)


def end(process: Process, *, seconds: float = 5.0) -> bool:
    """Kill exactly this process and wait for its end; return whether it is gone."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return not process.alive
    try:
        if not process.alive:  # the handle now holds the pid, so that this answer cannot become wrong
            return True
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        return bool(select.select([handle], [], [], seconds)[0])
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    finally:
        os.close(handle)
