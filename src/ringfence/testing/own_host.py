"""A machine of one's own, for tests: a real sshd and real nftables in namespaces that the test made.

    with own_host.lab(tmp_path) as made:          # the calling thread is in a network namespace of its own meanwhile
        made.trust(authority.ca_public(), node)   # what `node add` prints, as root there
        spec(node_class=NodeClass.OWN, address=made.address, host_key=made.host_key)

The machine is at 10.77.0.2 and fd00:77::2; we are at 10.77.0.1, and, as anybody else, at 10.77.0.9. Needs root.
"""

import contextlib
import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ringfence import components
from ringfence.compute.providers import launch, sshd
from ringfence.testing import fabric

CLONE_NEWNET = 0x40000000
GUEST, CONTROLLER, OTHER = "10.77.0.2", "10.77.0.1", "10.77.0.9"
GUEST6, CONTROLLER6 = "fd00:77::2", "fd00:77::1"
ECHO = 9000
HOSTS = ("127.0.0.1", "::1", GUEST, GUEST6)  # whom a test may connect to, in its own network
_AGENT = "ringfence.testing.own_host_guest"


def missing() -> str:
    """Say why there can be no such machine here; empty if there can."""
    lacking = [name for name in ("sshd", "ssh", "nft", "ip", "unshare") if not components.present(name)]
    if lacking:
        return f"missing: {', '.join(lacking)} (`make setup` installs them)"
    if os.geteuid() != 0:
        return "a machine with a root of its own needs root here"
    return fabric.missing()


def run(program: str, *arguments: str) -> str:
    """Run a program of others to its good end."""
    found = components.find(program)
    done = subprocess.run(  # noqa: S603
        [str(found.path), *arguments], capture_output=True, text=True, check=True, env=dict(found.environment)
    )
    return done.stdout


class Machine:
    """The machine, and what a test does to it as root there."""

    def __init__(self, place: Path, *, user: str) -> None:
        self.key = sshd.new_host_key()
        self.user = user
        unshare, server, nft = (components.find(name) for name in ("unshare", "sshd", "nft"))
        plan = {
            "sshd": str(server.path), "libraries": dict(server.environment), "nft": str(nft.path),
            "host_key": self.key.private, "user": user, "python": sys.executable, "echo": ECHO,
        }  # fmt: skip
        command = [str(unshare.path), "--net", "--mount", "--pid", "--fork", "--kill-child", "--"]
        agent = [sys.executable, "-I", "-m", _AGENT]
        with (place / "machine.err").open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603
                [*command, *agent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd="/"
            )
        self._ask({"do": "hello"})
        self._wire()
        self._ask({"do": "begin", **plan})

    def _wire(self) -> None:
        run("ip", "link", "add", "machine", "type", "veth", "peer", "name", "eth0", "netns", str(self._process.pid))
        for address in (f"{CONTROLLER}/24", f"{OTHER}/24"):
            run("ip", "address", "add", address, "dev", "machine")
        run("ip", "-6", "address", "add", f"{CONTROLLER6}/64", "dev", "machine", "nodad")
        run("ip", "link", "set", "machine", "up")
        self.inside("ip", "address", "add", f"{GUEST}/24", "dev", "eth0")
        self.inside("ip", "-6", "address", "add", f"{GUEST6}/64", "dev", "eth0", "nodad")
        self.inside("ip", "link", "set", "lo", "up")
        self.inside("ip", "link", "set", "eth0", "up")
        self.inside("ip", "route", "add", "default", "via", CONTROLLER)
        self.inside("ip", "-6", "route", "add", "default", "via", CONTROLLER6)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("pipes were asked for")
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert isinstance(answer, dict)
        return answer

    @property
    def address(self) -> str:
        """Return where it is."""
        return f"ssh://{self.user}@{GUEST}"

    @property
    def host_key(self) -> str:
        """Return its host key."""
        return self.key.public

    def trust(self, ca_public: str, principal: str) -> None:
        """Install an authority."""
        self._ask({"do": "trust", "ca": ca_public, "principal": principal})

    def inside(self, program: str, *arguments: str, said: str = "") -> str:
        """Run a program there as its root."""
        found = components.find(program)
        answer = self._ask(
            {"do": "run", "argv": [str(found.path), *arguments], "env": dict(found.environment), "said": said}
        )
        assert answer["code"] == 0, answer
        return str(answer["out"])

    def nft(self, rules: str) -> None:
        """Load rules there, as its root does."""
        self.inside("nft", "-f", "-", said=rules)

    def rules(self) -> str:
        """Return its whole ruleset, with counters."""
        return self.inside("nft", "list", "ruleset")

    def reaches(self, address: str, port: int, *, source_port: int = 0) -> bool:
        """Say whether its root can open a connection."""
        return bool(self._ask({"do": "reach", "to": [address, port], "source_port": source_port})["open"])

    def heard(self) -> int:
        """Return how often its echo service was told something."""
        return int(self._ask({"do": "heard"})["times"])

    def end(self) -> None:
        """End it, and everything in it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def echoes(connection: socket.socket, text: bytes = b"there?") -> bool:
    """Say whether a connection to its echo service lives."""
    connection.settimeout(0.7)
    try:
        connection.sendall(text)
        return connection.recv(100) == text
    except OSError:
        return False


def connected(*, source: str, port: int = ECHO) -> socket.socket:
    """Open a connection to it from one of our addresses."""
    return socket.create_connection((GUEST, port), timeout=0.7, source_address=(source, 0))


@contextlib.contextmanager
def own_network() -> Iterator[None]:
    """Give the calling thread, and the processes that it starts, an empty network; take it away again."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    libc = ctypes.CDLL(None, use_errno=True)
    launch.checked(libc.unshare(CLONE_NEWNET), "unshare")
    try:
        run("ip", "link", "set", "lo", "up")
        yield
    finally:
        launch.checked(libc.setns(home, CLONE_NEWNET), "setns")
        os.close(home)


@contextlib.contextmanager
def lab(place: Path, *, user: str = "root") -> Iterator[Machine]:
    """Make a machine, and leave nothing of it."""
    with own_network():
        made = Machine(place, user=user)
        try:
            yield made
        finally:
            made.end()
