"""What an outsider is sent to ask for: one thing of each kind that a tenant has, by its real name."""

from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.frontends.live import STREAM
from ringfence.kernel.identifier import Tenant
from ringfence.workloads.collecting.wires import Parts

API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Question:
    """A route of one surface; `secret` is what only the tenant itself may find there, empty where any answer is."""

    surface: str  # api | search | export | ledger | events
    path: str
    secret: str = ""


def treasures(parts: Parts, tenant: Tenant) -> Iterator[Question]:
    """Yield the questions: lists that must not show it, and addresses that must not be found."""
    yield from _of_log(parts, tenant)
    yield from _of_people(parts, tenant)
    yield from _of_nodes(parts, tenant)
    for dataset in parts.artifacts.all(tenant)[:1]:
        yield Question("api", f"{API}/datasets", str(dataset.dataset))
    for deployment in list(parts.serving.gateway.deployments(tenant))[:1]:
        yield Question("api", f"{API}/deployments", str(deployment.name))
        yield Question("api", f"{API}/deployments/{deployment.name}")
    for key in list(parts.serving.gateway.keys(tenant))[:1]:
        yield Question("api", f"{API}/api-keys", str(key.id))


def _of_log(parts: Parts, tenant: Tenant) -> Iterator[Question]:
    for logged in parts.ledger.page(tenant, limit=1):
        digest, key = logged.envelope.digest.hex, logged.envelope.signer
        yield Question("ledger", f"{API}/ledger/proofs/{logged.entry}")
        yield Question("ledger", f"{API}/ledger/sources", key)
        yield Question("search", f"{API}/ledger/statements", digest)
        yield Question("search", f"/evidence/{logged.entry}")
        yield Question("events", f"{STREAM}?after={logged.entry - 1}", f"id: {logged.entry}\n")
        yield Question("export", f"{API}/ledger/statements.csv", digest)


def _of_people(parts: Parts, tenant: Tenant) -> Iterator[Question]:
    for person in parts.identity.register(tenant)[:1]:
        yield Question("api", f"{API}/people", person.id)


def _of_nodes(parts: Parts, tenant: Tenant) -> Iterator[Question]:
    for node in parts.cutoff.compute.desk.all(tenant)[:1]:
        yield Question("api", f"{API}/nodes", node.id)
        yield Question("api", f"{API}/nodes/{node.spec.name}", node.id)
    for raised, _ in parts.cutoff.watch.page(tenant, limit=1):
        yield Question("api", f"{API}/findings", raised.reference)
        yield Question("api", f"{API}/findings/{raised.reference}", raised.reference)
    for shown in parts.cutoff.incidents.all(tenant)[:1]:
        yield Question("api", f"{API}/incidents", shown.incident.id)
        yield Question("api", f"{API}/incidents/{shown.incident.id}", shown.incident.id)
