"""Where evidence comes from: each type that a rule asks for has exactly one producer.

A collector observes, a drill tries something out, a verb states what it did, and a form is what a person says.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ringfence.kernel.errors import InternalError
from ringfence.kernel.identifier import PredicateName
from ringfence.obligations.model import Catalog, Requirement

RECORD = "ringfence record"
COLLECTORS = (
    "access.register",
    "asset.inventory",
    "backup.integrity",
    "channel.tls",
    "clock.sync",
    "egress.verified",
    "env.separation",
    "incident.recurrence_check",
    "incident.register",
    "key.lifecycle",
    "log.chain_verified",
    "log.coverage",
    "log.heartbeat",
    "netpolicy.verified",
    "node.config",
    "node.encryption_at_rest",
    "retention.register",
)
DRILLS = ("backup.restore_drill", "tenant.isolation_test")
VERBS: Mapping[str, str] = {
    "access.review": "ringfence user review close REVIEW",
    "alert.sent": "ringfence events ingest FILE",
    "ai.classification": "ringfence scope FILE --sign",
    "dataset.provenance": "ringfence dataset seal SRC NAME --provenance FILE",
    "dataset.sealed": "ringfence dataset seal SRC NAME",
    "dataset.verified": "ringfence dataset verify NAME",
    "entity.classification": "ringfence scope FILE --sign",
    "incident.customer_notice": "ringfence incident notify INCIDENT --customer CUSTOMER",
    "incident.report": "ringfence incident notify INCIDENT",
    "incident.triage": "ringfence incident triage INCIDENT",
    "ledger.head_exported": "ringfence ledger head -o FILE",
    "measures.in_force": "ringfence approve GOV-05",
    "mgmt.approval": "ringfence resolution vote RESOLUTION agree",
    "mgmt.resolution_opened": "ringfence approve GOV-05",
    "mgmt.vote": "ringfence resolution vote RESOLUTION agree",
    "model.scan": "ringfence model scan PATH",
    "model.signed": "ringfence model sign DIR",
    "quarantine.confirmed": "ringfence node quarantine NODE",
    "redteam.run": "ringfence redteam run --endpoint URL",
    "run.manifest": "ringfence run --dataset NAME --out DIR -- CMD",
}


class Way(StrEnum):
    """How evidence comes about."""

    COLLECTOR = "collector"
    DRILL = "drill"
    VERB = "verb"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class Producer:
    """Who states an evidence type, and by which command."""

    type: PredicateName
    way: Way
    command: str


def every(forms: Collection[str]) -> list[Producer]:
    """Return all producers, by type; `forms` are the types that have a form."""
    recorded = {Way.COLLECTOR: COLLECTORS, Way.DRILL: DRILLS, Way.FORM: forms}
    found = [Producer(PredicateName(n), way, f"{RECORD} {n}") for way, names in recorded.items() for n in names]
    found += [Producer(PredicateName(name), Way.VERB, command) for name, command in VERBS.items()]
    return sorted(found, key=lambda one: one.type)


def by_type(forms: Collection[str]) -> Mapping[PredicateName, Producer]:
    """Return the one producer of each type; raise `InternalError` where a type has two."""
    found: dict[PredicateName, Producer] = {}
    for one in every(forms):
        if one.type in found:
            raise InternalError(f"{one.type} has two producers: {found[one.type].way} and {one.way}")
        found[one.type] = one
    return found


def asked(catalog: Catalog) -> Mapping[PredicateName, tuple[Requirement, ...]]:
    """Return every evidence type that a rule asks for, with the rules."""
    found: dict[PredicateName, tuple[Requirement, ...]] = {}
    for requirement in catalog.requirements.values():
        found[requirement.evidence] = (*found.get(requirement.evidence, ()), requirement)
    return dict(sorted(found.items()))


def orphans(catalog: Catalog, forms: Collection[str]) -> list[PredicateName]:
    """Return the types that a rule asks for and nobody states: their controls could never be satisfied."""
    return sorted(asked(catalog).keys() - by_type(forms).keys())


def runnable(command: str | None) -> str:
    """Return the evidence type whose collector or drill a command runs; empty where it runs none."""
    kind = (command or "").removeprefix(f"{RECORD} ")
    return kind if kind in (*COLLECTORS, *DRILLS) else ""
