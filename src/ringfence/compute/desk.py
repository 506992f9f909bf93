"""What the use cases of compute share: ports, rows, and a memory of them for when the database is away."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime

from ringfence.compute.model import Decision, Node, NodeClass, NodeId, Quarantine
from ringfence.compute.ports import Exclusive, Nodes, Provider, Randomness
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import NotFound, Unavailable
from ringfence.kernel.evidence import Recorder
from ringfence.kernel.identifier import Tenant


@dataclass(frozen=True, slots=True)
class Desk:
    """Rows, providers and recorder, with the two ways in which a row changes."""

    nodes: Nodes
    providers: Mapping[NodeClass, Provider]
    recorder: Recorder
    transaction: Callable[[], AbstractContextManager[None]]
    clock: Clock
    random: Randomness
    exclusive: Exclusive
    _nodes: dict[NodeId, Node] = field(default_factory=dict)
    _quarantines: dict[NodeId, Quarantine] = field(default_factory=dict)

    def now(self) -> datetime:
        """Return the time."""
        return self.clock.now()

    def provider(self, node: Node) -> Provider:
        """Return who runs a node; raise `Unavailable` where the class has no provider here."""
        return self.provider_of(node.spec.node_class)

    def provider_of(self, node_class: NodeClass) -> Provider:
        """Return who runs nodes of a class."""
        found = self.providers.get(node_class)
        if found is None:
            raise Unavailable(f"nodes of class {node_class} cannot run here; see `ringfence node offers`")
        return found

    def all(self, tenant: Tenant | None = None) -> list[Node]:
        """Return the nodes that live or are cut off; from memory where the database cannot be read."""
        try:
            found = self.nodes.all(tenant)
        except Unavailable:
            kept = [node for node in self._nodes.values() if node.cut_off or not node.ended]
            return [node for node in kept if tenant in {None, node.tenant}]
        self._nodes.update({node.id: node for node in found})
        return found

    def fetch(self, node: NodeId) -> Node:
        """Return a node by its id; from memory where the database cannot be read."""
        try:
            found = self.nodes.get(node)
        except Unavailable:
            found = self._nodes.get(node)
            if found is None:
                raise
        if found is None:
            raise NotFound(f"no node {node} is known here")
        self._nodes[node] = found
        return found

    def named(self, tenant: Tenant, name: str) -> Node:
        """Return the node that has a name now, or the one that had it last; raise `NotFound`."""
        live = [node for node in self.all(tenant) if node.spec.name == name and not node.ended]
        if live:
            return live[0]
        past = [node for node in self.nodes.all(tenant, ended=True) if node.spec.name == name]
        if not past:
            raise NotFound(f"no node is called {name!r}; see `ringfence node list`")
        return max(past, key=lambda node: node.requested_at)

    def quarantine(self, node: Node) -> Quarantine | None:
        """Return the newest quarantine of a node."""
        try:
            return self.nodes.quarantine(node.id, node.quarantine) if node.quarantine else None
        except Unavailable:
            return self.remembered(node.id, node.quarantine)

    def change(self, node: NodeId, decide: Callable[[Node], Decision]) -> Node:
        """Decide on the newest row in the transaction that writes it, and record what is stated about it."""
        with self.transaction():
            found = self.nodes.get(node)
            if found is None:
                raise NotFound(f"no node {node} is known here")
            decision = decide(found)
            if decision.node != found:
                self.nodes.put(decision.node)
            for draft in decision.drafts:
                self.recorder.record(draft, tenant=found.tenant)
        self._nodes[node] = decision.node
        return decision.node

    def remember(self, node: Node, quarantine: Quarantine) -> None:
        """Keep in memory what containment decided, whatever becomes of the database."""
        self._nodes[node.id] = node
        self._quarantines[node.id] = quarantine

    def remembered(self, node: NodeId, number: int) -> Quarantine | None:
        """Return a quarantine that the database may not have taken yet."""
        kept = self._quarantines.get(node)
        return kept if kept is not None and kept.number == number else None

    def contain(self, node: Node, quarantine: Quarantine) -> None:
        """Write what containment decided into the newest row; its life goes on beside it."""
        found = self.nodes.get(node.id) or node
        self.nodes.put(replace(found, containment=node.containment, quarantine=node.quarantine))
        self.nodes.put_quarantine(quarantine)
