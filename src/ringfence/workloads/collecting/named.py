"""What of a tenant has a name that a person gave it, and which runs opened which of its datasets where."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ringfence.artifacts.service import Artifacts
from ringfence.compute.desk import Desk
from ringfence.gateway.model import ApiKey, Deployment, DeploymentState
from ringfence.gateway.service import Gateway
from ringfence.kernel.clock import Clock
from ringfence.kernel.identifier import Tenant
from ringfence.ledger.model import Standing
from ringfence.ledger.service import Ledger
from ringfence.workloads.collecting.separation import DATASET, DEPLOYMENT, KEY, NODE, Opened, Thing
from ringfence.workloads.runs.manifest import MANIFEST


@dataclass(frozen=True, slots=True)
class Named:
    """The names of nodes, datasets, deployments and callers' keys."""

    desk: Desk
    gateway: Gateway
    artifacts: Artifacts
    ledger: Ledger
    clock: Clock

    def things(self, tenant: Tenant) -> Iterator[Thing]:
        """Return everything that is in use, with what it stands on or leads to."""
        nodes = self._nodes(tenant)
        yield from (Thing(NODE, node.spec.name) for node in self.desk.all(tenant) if not node.ended)
        yield from (Thing(DATASET, one.name) for one in self.artifacts.all(tenant))
        serving = [one for one in self.gateway.deployments(tenant) if one.state is DeploymentState.SERVING]
        yield from (_deployment(one, nodes) for one in serving)
        now = self.clock.now()
        for key in self.gateway.keys(tenant):
            if key.revoked_at is None and key.expires_at > now:
                yield _key(key, serving)

    def opened(self, tenant: Tenant, since: datetime) -> Iterator[Opened]:
        """Return what runs opened since then, by the names of today; a dataset without one has its id."""
        nodes = self._nodes(tenant)
        datasets = {str(one.dataset): one.name for one in self.artifacts.all(tenant)}
        for logged in self.ledger.statements(tenant, (MANIFEST,)):
            claims = logged.envelope.statement.claims
            if logged.recorded_at >= since and logged.standing is Standing.TRUSTED:
                for given in claims["inputs"]:
                    name = datasets.get(given["dataset"], given["dataset"])
                    yield Opened(name, nodes.get(claims["node"], claims["node"]))

    def _nodes(self, tenant: Tenant) -> dict[str, str]:
        return {node.id: node.spec.name for node in self.desk.nodes.all(tenant, ended=True)}


def _deployment(one: Deployment, nodes: dict[str, str]) -> Thing:
    return Thing(DEPLOYMENT, one.name, ((NODE, nodes.get(one.node, one.node)),) if one.node else ())


def _key(key: ApiKey, serving: list[Deployment]) -> Thing:
    """Return a key with what it opens; one without a list opens everything."""
    reached = key.deployments or tuple(one.name for one in serving)
    return Thing(KEY, key.name, tuple((DEPLOYMENT, name) for name in reached))
