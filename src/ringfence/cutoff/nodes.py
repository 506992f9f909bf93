"""Nodes as the watch knows them: whose log a file is, and how a node is cut off."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ringfence.compute.model import Node, NodeId, NodeState
from ringfence.compute.providers.logpipe import HEARTBEAT
from ringfence.compute.providers.sshd import PORT
from ringfence.compute.service import Compute
from ringfence.cutoff.accesses import BlockKey, no_gateway
from ringfence.fabric.client import Fabric
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.soc.action import NodeFacts
from ringfence.soc.ports import NodeLogFile


@dataclass(slots=True)
class Network:
    """The network helper of a home: started when the first node asks for it, and again by a look where it has run."""

    directory: Path
    _opened: list[Fabric] = field(default_factory=list)

    def __call__(self) -> Fabric:
        """Return it, and start it where it does not run."""
        if not self._opened:
            self._opened.append(Fabric.open(self.directory))
        return self._opened[0]  # every call through it finds its helper again

    def existing(self) -> Fabric | None:
        """Return it where this home has ever had one."""
        return self() if self.directory.exists() else None

    def end(self) -> None:
        """End the helper, if this process has asked for it; whoever asks again starts it again."""
        if self._opened:
            self._opened.pop().close(end=True)

    # `compute.ports.Perimeter`

    def block(self, address: str, *, seconds: int | None = None) -> None:
        """Drop what comes from an address at the outside ports."""
        self().block(address, seconds=seconds)

    def unblock(self, address: str) -> None:
        """Let an address in again."""
        self().unblock(address)

    def blocked(self) -> list[str]:
        """Return the addresses that are kept out."""
        fabric = self.existing()
        return fabric.blocked() if fabric is not None else []


def serves(node: Node) -> bool:
    """Tell whether a node serves somebody: it offers more than SSH."""
    return any(port != PORT for port in node.spec.expose)


@dataclass(frozen=True, slots=True)
class ComputeLogs:
    """`soc.ports.NodeLogs` over compute."""

    compute: Compute

    def logs(self) -> Sequence[tuple[Tenant, NodeLogFile]]:
        """Return every log with the facts of its node."""
        nodes = {node.id: node for node in self.compute.desk.all()}
        return list(self._found(nodes))

    def _found(self, nodes: Mapping[NodeId, Node]) -> Iterator[tuple[Tenant, NodeLogFile]]:
        for tenant, log, _ in self.compute.logs():
            if node := nodes.get(log.node):
                facts = self.facts(node)
                running = node.state is NodeState.READY
                yield tenant, NodeLogFile(facts, log.source, log.path, running, heartbeat_seconds=round(HEARTBEAT))

    def facts(self, node: Node) -> NodeFacts:
        """Return what the response may know of a node."""
        quarantine = self.compute.desk.quarantine(node) if node.cut_off else None
        return NodeFacts(
            node=node.id,
            name=node.spec.name,
            node_class=node.spec.node_class,
            training=node.spec.training,
            serves=serves(node),
            contained_since=quarantine.cut_at if quarantine else None,
        )

    def owners(self) -> Mapping[str, Tenant]:
        """Return whose each node is."""
        return {node.id: node.tenant for node in self.compute.desk.all()}


@dataclass(frozen=True, slots=True)
class ComputeResponder:
    """`soc.ports.Responder` over compute and the gateway."""

    compute: Compute
    keys: BlockKey = no_gateway

    def quarantine(self, tenant: Tenant, node: str, *, reason: str, finding: str, line_at: datetime) -> None:
        """Isolate a node; raise `Unavailable` where the probes did not confirm the cut."""
        done = self.compute.quarantine(tenant, NodeId(node), reason=reason, finding=finding, triggered_at=line_at)
        if not done.confirmed:
            raise Unavailable(f"the cut of {done.name} is not confirmed yet: {done.because}")

    def block(self, tenant: Tenant, address: str, *, seconds: int, finding: str) -> None:
        """Drop a source at the outside ports."""
        self.compute.block(tenant, address, seconds=seconds, finding=finding)

    def block_key(self, tenant: Tenant, key: str, *, because: str, finding: str) -> None:
        """Refuse an API key at the gateway."""
        self.keys(tenant, key, because=because, finding=finding)
