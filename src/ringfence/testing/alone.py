"""A network of its own, for tests of what leaves it: its one way out leads back, and whatever takes it is counted.

with alone() as network:
    subprocess.run([*network.prefix, "program"])
    assert network.left() == 0
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ringfence import components

_PROBE = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'?', ('192.0.2.1', 53))"


def missing() -> str:
    """Say why no such network can be made here; empty where one can."""
    absent = [name for name in ("unshare", "nsenter", "nft", "ip") if not components.present(name)]
    if absent:
        return f"missing: {', '.join(absent)}"
    return "" if os.geteuid() == 0 else "a network of its own takes root"


@dataclass(frozen=True, slots=True)
class Alone:
    """The network."""

    pid: int  # of a process in it

    @property
    def prefix(self) -> tuple[str, ...]:
        """Return what runs a command in it."""
        return (str(components.find("nsenter").path), f"--net=/proc/{self.pid}/ns/net", "--")

    def left(self) -> int:
        """Return how many packets went elsewhere than to its own loopback."""
        found = json.loads(self.run("nft", "-j", "list", "table", "inet", "watch"))["nftables"]
        parts = [part for one in found for part in one.get("rule", {}).get("expr", ())]
        return sum(part["counter"]["packets"] for part in parts if "counter" in part)

    def probed(self) -> int:
        """Send a packet elsewhere; return how many were counted."""
        before = self.left()
        subprocess.run([*self.prefix, sys.executable, "-I", "-c", _PROBE], check=True, timeout=30)  # noqa: S603
        return self.left() - before

    def run(self, name: str, *words: str) -> str:
        """Run a program of others in it; return what it says."""
        found = components.find(name)
        done = subprocess.run(  # noqa: S603
            [*self.prefix, str(found.path), *words],
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
            env={"PATH": "/usr/bin:/bin", **found.environment},
        )
        return done.stdout


@contextmanager
def alone() -> Iterator[Alone]:
    """Make the network, and end it with the block."""
    waiting = "import sys; sys.stdout.write('.'); sys.stdout.flush(); sys.stdin.read()"
    command = [str(components.find("unshare").path), "--net", "--", sys.executable, "-I", "-c", waiting]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as holder:  # noqa: S603
        assert holder.stdout is not None
        holder.stdout.read(1)  # it is in its namespace now
        made = Alone(holder.pid)
        for words in ("link set lo up", "route add default dev lo", "-6 route add default dev lo"):
            made.run("ip", *words.split())
        made.run("nft", "add table inet watch")
        made.run("nft", "add chain inet watch out { type filter hook output priority 0 ; }")
        for rule in ("ip daddr 127.0.0.0/8 accept", "ip6 daddr ::1 accept", "counter"):
            made.run("nft", f"add rule inet watch out {rule}")
        yield made
