"""A node's place in the network, which the helper keeps; nodes of every class that run here share it."""

import sys
from collections.abc import Callable
from pathlib import Path

from ringfence.compute.model import Isolation, NodeId, NodeSpec, ProbeResult, QuarantineKind
from ringfence.compute.providers import handshake, proxy, sshd
from ringfence.fabric.client import Fabric
from ringfence.fabric.model import Attachment, PortState
from ringfence.kernel.errors import RingfenceError

SECONDS = 3.0  # for an SSH server to answer


class Network:
    """The network helper as a provider uses it; it is asked for when it is needed, and starts then."""

    def __init__(self, fabric: Callable[[], Fabric]) -> None:
        self._fabric = fabric

    def problem(self) -> str:
        """Return why there is no network; empty where there is one."""
        try:
            self._fabric()
        except RingfenceError as error:
            return str(error)
        return ""

    def prefix(self) -> tuple[str, ...]:
        """Return the command that brings a child to where it may make namespaces of its own."""
        return self._fabric().child_prefix()

    def plug(self, spec: NodeSpec, pid: int) -> str:
        """Plug the network namespace of a process in, and admit it; return its address."""
        attachment = self._fabric().attach(spec.node, pid=pid)
        self.open(spec)
        return attachment.address

    def tap(self, node: NodeId) -> tuple[Attachment, int]:
        """Make a port for a virtual machine; return it with an open file, which the caller closes."""
        return self._fabric().attach_tap(node)

    def open(self, spec: NodeSpec) -> None:
        """Admit a node and expose its ports, unless it is cut off: a new start is no release."""
        fabric = self._fabric()
        if fabric.nodes().get(spec.node) == PortState.QUARANTINED:
            return
        fabric.admit(spec.node)
        for port in spec.expose:
            fabric.expose(spec.node, port)

    def unplug(self, node: NodeId) -> None:
        """Take a node's port away."""
        self._fabric().detach(node)

    def answers(self, node: NodeId, host_key: str) -> bool:
        """Return whether the node's SSH proves that it holds this key; cut off, as the forensic channel."""
        fabric = self._fabric()
        via = "forensic" if fabric.nodes().get(node) == PortState.QUARANTINED else "control"
        try:
            with fabric.connect(node, sshd.PORT, via=via) as connection:
                connection.settimeout(SECONDS)
                handshake.verify_host(connection, host_key)
        except (RingfenceError, OSError):
            return False
        return True

    def proxy(self, node: NodeId, *, forensic: bool) -> tuple[str, ...]:
        """Return the command that hands ssh a connected socket."""
        via = "forensic" if forensic else "control"
        return (sys.executable, "-I", "-S", str(Path(proxy.__file__)), str(self._fabric().directory), node, via)

    def cut(self, node: NodeId) -> Isolation:
        """Cut a node off."""
        cut = self._fabric().quarantine(node)
        return Isolation(QuarantineKind.OUTSIDE_GUEST, cut.before, cut.micros)

    def isolated(self) -> frozenset[NodeId]:
        """Return every node that is cut off."""
        states = self._fabric().nodes()
        return frozenset(NodeId(node) for node, state in states.items() if state == PortState.QUARANTINED)

    def probe(self, node: NodeId) -> tuple[ProbeResult, ...]:
        """Try the paths to and from a node."""
        return tuple(ProbeResult(p.path, p.expected, p.observed, p.ok) for p in self._fabric().probe(node))

    def restore(self, node: NodeId, before: str) -> None:
        """Release a node; one that is not cut off has nothing to be restored."""
        self._fabric().release(node, before=before)

    def flows(self, node: NodeId, address: str) -> list[object]:
        """Return what was counted from a node and to its address."""
        return [flow for flow in self._fabric().flows() if node == flow.source_node or address == flow.target]
