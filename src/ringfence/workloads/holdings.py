"""What a tenant holds, counted across capabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.artifacts.models.service import Models
from ringfence.artifacts.service import Artifacts
from ringfence.cutoff.wires import CutOff
from ringfence.gateway.service import Gateway
from ringfence.identity.tenants.console import Held
from ringfence.identity.wires import AccessNow
from ringfence.kernel.identifier import Tenant
from ringfence.ledger.service import Ledger


@dataclass(frozen=True, slots=True)
class Holdings:
    """`tenants.console.Holdings` over the services of an installation."""

    access: AccessNow
    ledger: Ledger
    artifacts: Artifacts
    models: Models
    gateway: Gateway
    cut: CutOff

    def __call__(self, tenant: Tenant) -> Sequence[Held]:
        """Return the counts of one tenant."""
        entries = self.access.entries(tenant)
        programs = sum(entry.subject.startswith("service-") for entry in entries)
        return (
            Held("people", len(entries) - programs, "/access"),
            Held("services", programs, "/access/services"),
            Held("statements", sum(self.ledger.tally(tenant).values()), "/evidence"),
            Held("datasets", len(self.artifacts.all(tenant)), "/evidence?predicate=dataset.sealed"),
            Held("models", len(self.models.all(tenant)), "/models"),
            Held("nodes", len(self.cut.compute.all(tenant)), "/nodes"),
            Held("deployments", len(self.gateway.deployments(tenant)), "/deployments"),
            Held("keys of callers", len(self.gateway.keys(tenant)), "/deployments"),
            Held("findings", self.cut.watch.findings.count(tenant), "/findings"),
            Held("incidents", len(self.cut.incidents.all(tenant)), "/incidents"),
        )
