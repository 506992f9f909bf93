"""The collector of `node.config`: how every node is set up, against how it should be.

What a node says of itself is its own word: whoever is root there can make it say anything. For nodes that Ringfence
made, how they should be follows from what they were made of; for machines of one's own, from what a person accepted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ringfence.compute.baselines import Compared
from ringfence.compute.configuration import BLOCKED, Fact, digest
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft
from ringfence.workloads.collecting.observing import observation

CONFIG = PredicateName("node.config")


@dataclass(frozen=True, slots=True)
class Configurations:
    """Read the nodes of a tenant."""

    compared: Callable[[Tenant], Sequence[Compared]]

    def __call__(self, tenant: Tenant) -> Draft:
        """Log in to each of them."""
        return draft(tenant, self.compared(tenant))


def draft(tenant: Tenant, nodes: Sequence[Compared]) -> Draft:
    """State how many nodes differ from their baselines, and of how many that cannot be said."""
    claims = {
        "nodes": len(nodes),
        "drifted": sum(bool(one.drifted) for one in nodes),
        "unknown": sum(bool(one.unknown) for one in nodes),
        "removableBlocked": sum(one.found.get(Fact.REMOVABLE) == BLOCKED for one in nodes),
        "baseline": str(digest({one.node: one.baseline for one in nodes})),
    }
    details = {
        "drifted": {one.node: one.drifted for one in nodes if one.drifted},
        "unknown": {one.node: one.because or ", ".join(one.unknown) for one in nodes if one.unknown},
    }
    return observation(CONFIG, tenant, claims, details, about="configurations")
