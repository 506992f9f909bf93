"""The collector of `asset.inventory`: what is registered, against what runs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ringfence.compute.desk import Desk
from ringfence.compute.model import Node, NodeId, NodeState
from ringfence.gateway.model import Deployment, DeploymentState
from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.errors import RingfenceError
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft
from ringfence.workloads.collecting.observing import observation

INVENTORY = PredicateName("asset.inventory")
LISTED = 1000  # assets and strangers in the details


@dataclass(frozen=True, slots=True)
class Asset:
    """Something that is registered here; `gone` where it should run now and was not seen to."""

    kind: str  # node | deployment | model | dataset | service
    id: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Inventory:
    """Look at what a tenant has, and at what runs."""

    desk: Desk
    deployments: Callable[[Tenant], Iterable[Deployment]]
    idle: Callable[[Tenant], Iterable[Asset]]  # what does not run by itself: models, datasets, services

    def __call__(self, tenant: Tenant) -> Draft:
        """Compare rows with what the providers have."""
        everywhere = self.desk.all()
        nodes = [node for node in everywhere if node.tenant == tenant]
        ready = {node.id for node in nodes if node.state is NodeState.READY and self._runs(node)}
        assets = [Asset("node", node.id, node.state is NodeState.READY and node.id not in ready) for node in nodes]
        served = [one for one in self.deployments(tenant) if one.state is DeploymentState.SERVING]
        assets += [Asset("deployment", _named(one), bool(one.node) and one.node not in ready) for one in served]
        return draft(tenant, [*assets, *self.idle(tenant)], self._strangers({node.id for node in everywhere}))

    def _runs(self, node: Node) -> bool:
        """Tell whether a node was seen to run; where nobody could look, it was not seen."""
        try:
            return self.desk.provider(node).inspect(node.id).running
        except RingfenceError:
            return False

    def _strangers(self, known: set[NodeId]) -> list[str]:
        """Return what there is at the providers and in no row."""
        found: list[str] = []
        for provider in self.desk.providers.values():
            found += sorted(provider.existing() - known)
        return found


def _named(deployment: Deployment) -> str:
    return str(deployment.subject or deployment.name)


def draft(tenant: Tenant, assets: Sequence[Asset], strangers: Sequence[str]) -> Draft:
    """State the inventory; `strangers` run, and nobody registered them."""
    listed = sorted([one.kind, one.id] for one in assets)
    claims = {
        "assets": len(assets),
        "kinds": sorted({one.kind for one in assets}),
        "unknown": len(strangers),
        "gone": sum(one.gone for one in assets),
        "digest": str(Digest.of(dumps(listed))),
    }
    gone = sorted(one.id for one in assets if one.gone)
    details = {"assets": listed[:LISTED], "unknown": list(strangers[:LISTED]), "gone": gone[:LISTED]}
    return observation(INVENTORY, tenant, claims, details, about="assets")
