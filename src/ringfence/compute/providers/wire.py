"""Try the paths that begin at a virtual machine, from its end of the cable: the guest is not asked, so it cannot lie.

For that moment the emulator gives the machine's cable a third end, which we hold. What is sent there reaches the
network helper's tap as if the guest had sent it, and what the helper's end sends is seen there.
"""

import ipaddress
import select
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ringfence.compute.model import ProbeResult
from ringfence.compute.providers import frames, monitor
from ringfence.fabric.desired import CONTROL
from ringfence.kernel.errors import Unavailable

METADATA = "169.254.169.254"
SECONDS = 0.8  # for answers; the helper's own probes wait as long
ADDRESS_SECONDS = 0.5
FIRST_PORT = 49_200
SSH, HTTP = 22, 80
LONGEST_FRAME = 65_536
NOT_TRIED = "not-tried"


def completed(
    rows: Sequence[ProbeResult], control: Path, address: str, peers: Sequence[str]
) -> tuple[ProbeResult, ...]:
    """Return the helper's results; the closed paths that begin at the node, which it could not try, are tried here."""
    open_to_us = [row.path for row in rows if row.observed.startswith(NOT_TRIED) and row.expected == "blocked"]
    try:
        reached = attempts(control, address, peers, open_to_us)
    except (OSError, Unavailable) as error:
        return tuple(replace(row, observed=f"{NOT_TRIED}: {error}") if row.path in open_to_us else row for row in rows)
    return tuple(_judged(row, reached=reached[row.path]) if row.path in reached else row for row in rows)


def _judged(row: ProbeResult, *, reached: bool) -> ProbeResult:
    observed = "open" if reached else "blocked"
    return replace(row, observed=observed, ok=observed == row.expected)


def attempts(control: Path, address: str, peers: Sequence[str], wanted: Sequence[str]) -> dict[str, bool]:
    """Try the wanted paths all together; return which got an answer of any kind."""
    gateway = next(str(host) for host in _link(address).hosts() if str(host) != address)
    with monitor.tapped(control) as connection:
        hardware = _resolved(connection, address, gateway)
        paths = {name: path for name, path in _paths(address, hardware, peers).items() if name in wanted}
        for path in paths.values():
            connection.send(frames.segment(path, hardware))
        found: set[str] = set()
        for frame in _received(connection, SECONDS):
            found |= {name for name, path in paths.items() if frames.answers(frame, path)}
            if len(found) == len(paths):
                break
    return {name: name in found for name in paths}


def _paths(address: str, hardware: bytes, peers: Sequence[str]) -> dict[str, frames.Path]:
    peer = next(iter(peers), CONTROL)
    ours, theirs = frames.link_local(frames.NODE), frames.link_local(hardware)
    return {
        "node-to-peer": frames.Path(address, peer, SSH, FIRST_PORT),
        "established": frames.Path(address, peer, SSH, FIRST_PORT + 1, frames.TCP_PUSH_ACK),
        "node-to-controller": frames.Path(address, CONTROL, SSH, FIRST_PORT + 2),
        "metadata": frames.Path(address, METADATA, HTTP, FIRST_PORT + 3),
        "ipv6": frames.Path(ours, theirs, SSH, FIRST_PORT + 4),
    }


def _link(address: str) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(f"{address}/30", strict=False)


def _resolved(connection: socket.socket, address: str, gateway: str) -> bytes:
    """Return the hardware address of the helper's end of the cable."""
    connection.send(frames.who_has(address, gateway))
    for frame in _received(connection, ADDRESS_SECONDS):
        if hardware := frames.answered_by(frame, gateway):
            return hardware
    raise Unavailable("the network's end of the cable does not answer")


def _received(connection: socket.socket, seconds: float) -> Iterator[bytes]:
    """Give the frames that come within the time."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and select.select([connection], [], [], left)[0]:
        yield connection.recv(LONGEST_FRAME)
