"""The collectors of `netpolicy.verified` and `egress.verified`: real packets, against what should get through.

The network helper computes for every path of a node whether it should be open, and tries it. On a machine of one's own
there is no policy of ours while it is not cut off: its paths are not judged, and only its ways out are tried.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringfence.compute.desk import Desk
from ringfence.compute.model import Node, NodeClass, NodeState, ProbeResult
from ringfence.kernel.errors import RingfenceError
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft
from ringfence.workloads.collecting.observing import observation

NETPOLICY = PredicateName("netpolicy.verified")
EGRESS = PredicateName("egress.verified")
BLOCKED = "blocked"
OUTSIDE = {  # paths to an address that is nobody's in the fabric
    NodeClass.NAMESPACE: frozenset({"metadata"}),
    NodeClass.VM: frozenset({"metadata"}),
    NodeClass.MEASURED: frozenset({"metadata"}),
    NodeClass.OWN: frozenset({"metadata", "node-to-world", "ipv6"}),
}


@dataclass(frozen=True, slots=True)
class Probed:
    """What was tried of one node; nothing where nobody could try."""

    node: str
    node_class: NodeClass
    results: tuple[ProbeResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Probing:
    """Try the paths of every node of a tenant that is ready."""

    desk: Desk

    def netpolicy(self, tenant: Tenant) -> Draft:
        """Compare what passes with what should."""
        return netpolicy(tenant, self._probed(tenant))

    def egress(self, tenant: Tenant) -> Draft:
        """Try to get out of each node."""
        return egress(tenant, self._probed(tenant))

    def _probed(self, tenant: Tenant) -> list[Probed]:
        return [self._one(node) for node in self.desk.all(tenant) if node.state is NodeState.READY]

    def _one(self, node: Node) -> Probed:
        try:
            results = self.desk.provider(node).probe(node.id)
        except RingfenceError:
            results = ()
        return Probed(node.id, node.spec.node_class, results)


def netpolicy(tenant: Tenant, probed: Sequence[Probed]) -> Draft:
    """State what was refused that should be, and what was not."""
    judged = [(one.node, each) for one in probed if one.node_class is not NodeClass.OWN for each in one.results]
    closed = [(node, each) for node, each in judged if each.expected == BLOCKED and each.tried]
    through = [(node, each.path) for node, each in closed if each.observed != BLOCKED]
    claims = {
        "nodes": len(probed),
        "denied": len(closed) - len(through),
        "admitted": len(through),
        "unprobed": sum(not each.tried for _, each in judged) + sum(_silent(one) for one in probed),
    }
    return observation(NETPOLICY, tenant, claims, _listed(through), about="network")


def egress(tenant: Tenant, probed: Sequence[Probed]) -> Draft:
    """State which ways out are open."""
    ways = [(one.node, each) for one in probed for each in one.results if each.path in OUTSIDE[one.node_class]]
    tried = [(node, each) for node, each in ways if each.tried]
    out = [(node, each.path) for node, each in tried if each.observed != BLOCKED]
    reached = {node for node, _ in ways}
    claims = {
        "nodes": len(probed),
        "allowed": len(out),
        "refused": len(tried) - len(out),
        "unprobed": len(ways) - len(tried) + sum(one.node not in reached for one in probed),
    }
    return observation(EGRESS, tenant, claims, _listed(out), about="egress")


def _silent(one: Probed) -> bool:
    """Tell whether nothing of a node could be judged."""
    return one.node_class is NodeClass.OWN or not one.results


def _listed(through: Iterable[tuple[str, str]]) -> dict[str, list[list[str]]]:
    found = sorted([node, path] for node, path in through)
    return {"open": found} if found else {}
