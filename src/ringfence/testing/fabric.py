"""A lab for the fabric: real network namespaces as nodes, each with an agent that is root in it."""

import contextlib
import ipaddress
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ringfence import components
from ringfence.fabric import anchor, launch
from ringfence.fabric.client import Fabric
from ringfence.fabric.model import Attachment
from ringfence.kernel.errors import RingfenceError


def missing() -> str:
    """Say why there can be no fabric here; empty if there can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are Linux"
    try:
        for name in launch.PROGRAMS:
            components.find(name)
        path = components.find("unshare").path
    except RingfenceError as error:
        return str(error)
    for flags in (["--net"], ["--user", "--map-root-user", "--net"]):
        if subprocess.run([path, *flags, "true"], capture_output=True, check=False).returncode == 0:  # noqa: S603
            return ""
    return "this machine gives us neither network nor user namespaces"


class Node:
    """A network namespace with somebody in it."""

    def __init__(self, fabric: Fabric, pid: int = 0) -> None:
        prefix = fabric.child_prefix()
        deeper = ["--user", "--map-root-user"] if prefix else []
        where = [str(components.find("unshare").path), *deeper, "--net"]
        if pid:
            where = [str(components.find("nsenter").path), f"--net=/proc/{pid}/ns/net"]
        command = [*prefix, *where, "--", sys.executable, "-I", "-m", "ringfence.testing.node_agent"]
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"
        )
        self.attachment = Attachment("", "", "", "", 0)
        self.ask("frames")  # it is there

    @property
    def pid(self) -> int:
        """Return the process whose network it is."""
        return self._process.pid

    @property
    def address(self) -> str:
        """Return its address on the fabric."""
        return self.attachment.address

    def ask(self, do: str, **arguments: object) -> dict[str, Any]:
        """Let the agent do something and return what came of it."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("pipes were asked for")
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def reaches(self, other: "Node", port: int = 9000) -> bool:
        """Say whether a new connection to another node works."""
        return bool(self.ask("reach", target=other.address, port=port)["open"])

    def end(self) -> None:
        """End it, and its network with it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class Lab:
    """A fabric of its own, and nodes that are gone when it is closed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.fabric = Fabric.open(directory)
        self.nodes: dict[str, Node] = {}

    def node(self, name: str, *, serve: tuple[int, ...] = (22, 9000), admit: bool = True) -> Node:
        """Start a node that echoes on some ports."""
        node = self.nodes[name] = Node(self.fabric)
        node.attachment = self.fabric.attach(name, pid=node.pid)
        if admit:
            self.fabric.admit(name)
        for port in serve:
            node.ask("serve", port=port)
        return node

    def intruder(self, name: str, pid: int, address: str) -> Node:
        """Start somebody in the network of a process that is attached already, with every right over it."""
        node = self.nodes[name] = Node(self.fabric, pid)
        gateway = str(ipaddress.IPv4Address(address) - 1)
        node.attachment = Attachment(name, "", address, gateway, 30)
        return node

    def outside(self, name: str, address: str) -> Node:
        """Start somebody who is not a node."""
        node = self.nodes[name] = Node(self.fabric)
        node.attachment = self.fabric.attach_outside(name, pid=node.pid, address=address)
        return node

    def inside(self, program: str, *arguments: str) -> str:
        """Run a program in the fabric's own namespace, as the root of this machine could."""
        found = components.find(program)
        return self._inside([str(found.path), *arguments], found.environment)

    def inside_python(self, code: str, *arguments: str) -> str:
        """Run some Python in the fabric's own namespace."""
        return self._inside([sys.executable, "-I", "-c", code, *arguments], {})

    def _inside(self, command: list[str], environment: Mapping[str, str]) -> str:
        pid = launch.living(self.directory, anchor.RECORD)
        if pid is None:
            raise AssertionError("the anchor is gone")
        prefix = launch.into(pid, network=True)
        return subprocess.run(  # noqa: S603
            [*prefix, *command], capture_output=True, text=True, check=True, env=environment
        ).stdout

    def kill(self, name: str = launch.HELPER) -> None:
        """Kill the helper, or the anchor, as a crash would."""
        pid = launch.living(self.directory, name)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        while launch.living(self.directory, name) is not None:
            time.sleep(0.005)

    def close(self) -> None:
        """End everything that was started."""
        for node in self.nodes.values():
            node.end()
        self.fabric.close(end=True)


@contextlib.contextmanager
def lab(directory: Path) -> Iterator[Lab]:
    """Make a lab and leave nothing of it."""
    made = Lab(directory)
    try:
        yield made
    finally:
        made.close()
