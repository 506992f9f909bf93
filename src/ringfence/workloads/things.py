"""What a tenant has, across capabilities: datasets, models, deployments and nodes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ringfence.artifacts.models.service import Models
from ringfence.artifacts.service import Artifacts
from ringfence.compute.service import Compute
from ringfence.customers.model import Thing, ThingKind
from ringfence.gateway.model import DeploymentState
from ringfence.gateway.service import Gateway
from ringfence.kernel.identifier import Tenant

_SERVED = frozenset({DeploymentState.STARTING, DeploymentState.SERVING})


@dataclass(frozen=True, slots=True)
class Belonging:
    """One of them, the page that shows it, and whether it is over."""

    thing: Thing
    link: str
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Belongings:
    """`customers.ports.Things` over the services of an installation."""

    artifacts: Artifacts
    models: Models
    compute: Compute
    gateway: Gateway

    def __call__(self, tenant: Tenant) -> Sequence[Thing]:
        """Return everything, each once; what is over was a customer's, too."""
        return tuple(dict.fromkeys(one.thing for one in self.all(tenant)))

    def all(self, tenant: Tenant) -> Iterator[Belonging]:
        """Yield everything, with its page."""
        for sealed in self.artifacts.all(tenant):
            dataset = Thing(ThingKind.DATASET, str(sealed.dataset), str(sealed.name))
            yield Belonging(dataset, f"/evidence?subject={sealed.subject.name}")
        for model in self.models.all(tenant):
            yield Belonging(Thing(ThingKind.MODEL, str(model.model), model.name or str(model.model)), "/models")
        for deployment in self.gateway.deployments(tenant):
            served = Thing(ThingKind.DEPLOYMENT, str(deployment.name), str(deployment.name))
            yield Belonging(served, "/deployments", deployment.state not in _SERVED)
        for node in self.compute.all(tenant):
            thing = Thing(ThingKind.NODE, str(node.id), node.spec.name)
            yield Belonging(thing, f"/nodes/{node.spec.name}", bool(node.ended))
