"""A provider whose nodes are entries of a dictionary, for tests."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from ringfence.compute.configuration import Facts
from ringfence.compute.model import (
    Endpoint,
    Isolation,
    NodeClass,
    NodeId,
    NodeLog,
    NodeSpec,
    Observed,
    Offer,
    ProbeResult,
    QuarantineKind,
)
from ringfence.compute.providers import sshd
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, NotFound, RingfenceError

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUOsLyTYEvVbWXwn8rrDFdB5nAUVmUq2D2HTjm2tULD"
OPEN = (
    ProbeResult("peer-to-node", "blocked", "open", ok=False),
    ProbeResult("forensic", "answers", "answers", ok=True),
)
CLOSED = (
    ProbeResult("peer-to-node", "blocked", "blocked", ok=True),
    ProbeResult("established", "blocked", "blocked", ok=True),
    ProbeResult("forensic", "answers", "answers", ok=True),
)


class Effects(Protocol):
    """Where every effect on the world goes through."""

    def effect(self, name: str) -> AbstractContextManager[None]: ...


@dataclass(slots=True)
class Port:
    """What the fake provider keeps of one node; `policy` is what a release has to give back."""

    spec: NodeSpec
    running: bool = True
    cut: bool = False
    policy: str = "admitted"
    kept: str = ""
    facts: Facts = field(default_factory=dict)


@dataclass
class MemoryProvider:
    """A provider whose nodes are entries of a dictionary; `broken` makes the named acts fail."""

    world: Effects
    node_class: NodeClass = NodeClass.NAMESPACE
    ports: dict[NodeId, Port] = field(default_factory=dict)
    broken: dict[str, RingfenceError] = field(default_factory=dict)
    polls: int = 1  # how often a fresh node is not ready yet
    cuts: list[NodeId] = field(default_factory=list)
    frees: list[NodeId] = field(default_factory=list)
    makes: list[NodeId] = field(default_factory=list)
    probes: tuple[ProbeResult, ...] = CLOSED
    baselines: dict[NodeId, Facts] = field(default_factory=dict)
    _asked: dict[NodeId, int] = field(default_factory=dict)

    def _may(self, act: str) -> None:
        if act in self.broken:
            raise self.broken[act]

    def offer(self) -> Offer:
        """Offer a node."""
        return Offer(self.node_class, True, "", "shared-kernel", QuarantineKind.OUTSIDE_GUEST, ("trusted code only",))  # noqa: FBT003

    def create(self, spec: NodeSpec) -> None:
        """Make an entry, once."""
        self._may("create")
        with self.world.effect("create"):
            if spec.node not in self.ports:
                self.makes.append(spec.node)
                self.ports[spec.node] = Port(spec)

    def inspect(self, node: NodeId) -> Observed:
        """Look at the entry."""
        port = self.ports.get(node)
        return Observed(port is not None and port.running, "10.0.0.2", "" if port else "no such node")

    def ready(self, node: NodeId) -> bool:
        """Answer after some polls."""
        self._asked[node] = self._asked.get(node, 0) + 1
        return self._asked[node] > self.polls

    def endpoint(self, node: NodeId, *, forensic: bool = False) -> Endpoint:
        """Return an endpoint behind a proxy."""
        if node not in self.ports:
            raise NotFound(f"no node {node}")
        return Endpoint(
            "ringfence", HOST_KEY, ("proxy", node, "forensic" if forensic else "control"), node, 22, fdpass=True
        )

    def collect(self, node: NodeId, *, seconds: float) -> Mapping[str, bytes]:  # noqa: ARG002
        """Return three items."""
        self._may("collect")
        return {"processes": b"sshd\npython\n", "sockets": b"tcp 22\n", "log-tail": b"Accepted password\n" * 3}

    def isolate(self, node: NodeId) -> Isolation:
        """Cut, once, keeping what was there."""
        self._may("isolate")
        with self.world.effect("isolate"):
            port = self._port(node)
            if not port.cut:
                self.cuts.append(node)
                port.cut, port.kept = True, port.policy
            return Isolation(QuarantineKind.OUTSIDE_GUEST, _digest(port.kept), 1500)

    def isolated(self) -> frozenset[NodeId]:
        """Return the entries that are cut."""
        return frozenset(node for node, port in self.ports.items() if port.cut)

    def probe(self, node: NodeId) -> tuple[ProbeResult, ...]:
        """Return what was prepared where the node is cut, else that it is open."""
        self._may("probe")
        return self.probes if self._port(node).cut else OPEN

    def configuration(self, node: NodeId) -> Facts:
        """Return what was prepared, else what it should be."""
        self._may("configuration")
        port = self._port(node)
        return port.facts or self.baseline(port.spec)

    def baseline(self, spec: NodeSpec) -> Facts:
        """Return what was kept, else what a node of ours is made of."""
        return self.baselines.get(spec.node, sshd.baseline(spec))

    def keep_baseline(self, node: NodeId, facts: Facts) -> None:
        """Keep it for a machine of one's own."""
        if self.node_class is not NodeClass.OWN:
            raise Conflict(f"{node} was set up by Ringfence")
        self.baselines[self._port(node).spec.node] = facts

    def restore(self, node: NodeId, before: str) -> None:
        """Free, once, where nothing has changed."""
        self._may("restore")
        with self.world.effect("restore"):
            port = self._port(node)
            if not port.cut:
                raise Conflict("the node is not cut off; there is nothing to give back")
            if _digest(port.policy) != before:
                raise Conflict("the policy of the node was changed while it was cut off")
            self.frees.append(node)
            port.cut = False

    def destroy(self, node: NodeId) -> None:
        """Leave nothing."""
        self._may("destroy")
        with self.world.effect("destroy"):
            self.ports.pop(node, None)
            self._asked.pop(node, None)

    def existing(self) -> frozenset[NodeId]:
        """Return every entry."""
        return frozenset(self.ports)

    def logs(self, node: NodeId) -> tuple[NodeLog, ...]:
        """Return one log."""
        return (NodeLog(node, "sshd", f"nodes/{node}/sshd.log"),)

    def _port(self, node: NodeId) -> Port:
        if node not in self.ports:
            raise NotFound(f"no node {node} is attached")
        return self.ports[node]


def _digest(policy: str) -> str:
    return Digest.of(policy.encode()).hex
