"""Volatile evidence of a node, read from the host's side: what a reboot or an intruder's clean-up would take away.

The kernel says it, not the node; but names and arguments of processes are the node's own words. Each item is bounded, a
deadline is looked at between items, and what could not be had says so in its place.
"""

import os
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ringfence.compute.providers.processes import PROC, Seen, family
from ringfence.kernel.errors import RingfenceError

LARGEST = 256 * 1024  # bytes of one item
LOG_TAIL = 64 * 1024
STATES = {1: "established", 2: "syn-sent", 3: "syn-received", 4: "fin-wait-1", 5: "fin-wait-2", 6: "time-wait",
          7: "closed", 8: "close-wait", 9: "last-ack", 10: "listening", 11: "closing"}  # fmt: skip
Item = Callable[[], str]


def gather(items: Mapping[str, Item], *, seconds: float) -> dict[str, bytes]:
    """Take the items in their order, as long as there is time."""
    deadline = time.monotonic() + seconds
    return {name: _one(item, deadline) for name, item in items.items()}


def _one(item: Item, deadline: float) -> bytes:
    if time.monotonic() >= deadline:
        return b"not taken: the time was up"
    try:
        data = item().encode(errors="replace")
    except (OSError, RingfenceError, ValueError, struct.error) as error:
        return f"not taken: {error}".encode()
    return data if len(data) <= LARGEST else data[:LARGEST] + b"\n[cut]"


def processes(first: int) -> str:
    """List everything in the PID namespace of a node."""
    ticks = os.sysconf("SC_CLK_TCK")
    booted = _booted()
    return "pid ppid started command\n" + "\n".join(_row(seen, booted, ticks) for seen in family(first))


def _row(seen: Seen, booted: int, ticks: int) -> str:
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(booted + seen.process.started // ticks))
    command = seen.command.encode("unicode_escape").decode()
    return f"{seen.process.pid} {seen.parent} {started} {command[:1024]}"


def _booted() -> int:
    lines = (PROC / "stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("btime"))


def sockets(first: int) -> str:
    """List the sockets in the network namespace of a node, with their peers."""
    rows = ["protocol local peer state"]
    for protocol in ("tcp", "udp"):
        for line in (PROC / str(first) / "net" / protocol).read_text().splitlines()[1:]:
            fields = line.split()
            state = STATES.get(int(fields[3], 16), fields[3])
            rows.append(f"{protocol} {_address(fields[1])} {_address(fields[2])} {state}")
    return "\n".join(rows)


def _address(text: str) -> str:
    """Read an address as the kernel prints it: 32 bits in its own order, and the port."""
    address, port = text.split(":")
    return f"{socket.inet_ntoa(struct.pack('=I', int(address, 16)))}:{int(port, 16)}"


def mounts(first: int) -> str:
    """List what a node sees mounted."""
    return (PROC / str(first) / "mountinfo").read_text()


def log_tail(log: Path) -> str:
    """Return the end of a log on the host's side, and of the older file that it was before."""
    data = b"".join(_tail(path) for path in (log.with_name(f"{log.name}.1"), log) if path.exists())
    return data[-LOG_TAIL:].decode(errors="replace")


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_TAIL))
        return file.read(LOG_TAIL)


def flows(rows: Iterable[object]) -> str:
    """List what the network helper counted."""
    return "\n".join(str(row) for row in rows)
