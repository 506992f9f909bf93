"""The wires of key release: datasets, nodes, rules in the log, the people who ask, the agent on a node, the broker."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.artifacts.model import dataset_name
from ringfence.artifacts.service import Artifacts
from ringfence.broker.client import BrokerProcess
from ringfence.compute.model import Node, NodeState, node_id
from ringfence.compute.service import Compute
from ringfence.identity.acting.ports import Target as Taker
from ringfence.identity.service import Identity
from ringfence.installation import Home
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput, NotFound, VerificationFailed
from ringfence.kernel.identifier import PersonId, PredicateName, Tenant
from ringfence.kernel.statement import KeyRole
from ringfence.keyrelease import policy, rules
from ringfence.keyrelease.appraising import Appraising
from ringfence.keyrelease.model import Dataset, StandingRule, Target
from ringfence.keyrelease.ports import Colleagues
from ringfence.keyrelease.service import KeyRelease
from ringfence.keyrelease.store import ReleaseTables
from ringfence.ledger.model import Standing
from ringfence.ledger.service import Ledger
from ringfence.storage.database import Database
from ringfence.storage.outbox import Outbox
from ringfence.workloads.attesting import NodeAgents, shell_of

ASK, ALLOW = "release.request", "release.allow"
_ALLOW = "You say who may get the key of this dataset, and what a node has to show for it; the rule before ends."


@dataclass(frozen=True, slots=True)
class Grounds:
    """What key release stands on."""

    home: Home
    database: Database
    ledger: Ledger
    outbox: Outbox
    clock: Clock
    is_demo: Callable[[Tenant], bool]


@dataclass(frozen=True, slots=True)
class SealedDatasets:
    """`keyrelease.ports.Datasets` over the artifacts."""

    artifacts: Artifacts

    def named(self, tenant: Tenant, name: str) -> Dataset:
        """Return the newest epoch of a dataset, also where its key was erased; raise `NotFound`."""
        found = self.artifacts.datasets.by_name(tenant, dataset_name(name))
        if found is None:
            raise NotFound(f"no dataset {name} is recorded in this tenant; see `ringfence dataset list`")
        return Dataset(tenant, found.dataset, found.name, found.epoch, found.seal, kept=found.erasure is None)


@dataclass(frozen=True, slots=True)
class NodeTargets:
    """`keyrelease.ports.Nodes` over compute."""

    compute: Compute

    def named(self, tenant: Tenant, name: str) -> Target:
        """Return a node by its name; raise `NotFound`."""
        return target_of(self.compute.node(tenant, name))

    def living(self, node: str) -> bool:
        """Return whether a node has not ended; an unknown one has."""
        found = self.compute.desk.nodes.get(node_id(node))
        return found is not None and not found.ended


def target_of(node: Node) -> Target:
    """Return a node as key release sees it."""
    ready = node.state is NodeState.READY and node.wanted is NodeState.READY
    return Target(node.tenant, node.id, node.spec.name, node.subject, node.spec.node_class.value, ready, node.cut_off)


@dataclass(frozen=True, slots=True)
class RulesInTheLog:
    """`keyrelease.ports.Rules` over the ledger."""

    ledger: Ledger

    def newest(self, tenant: Tenant, dataset: str) -> StandingRule | None:
        """Return the newest rule of a dataset, where an operator's key signed it which counted then.

        The newest statement decides. One that cannot be read, or whose key is found to have ended before it, is no
        rule, and brings back no older one: it may be the one that withdrew that. One whose key was compromised since
        is no rule either, whoever vouches for its age; it is to be signed again.
        """
        for logged in reversed(self.ledger.statements(tenant, (rules.ALLOWED,))):
            issuer, statement = logged.issuer, logged.envelope.statement
            if issuer is None or issuer.role is not KeyRole.OPERATOR or statement.claims.get("dataset") != dataset:
                continue
            if logged.standing is not Standing.TRUSTED or issuer.compromised_at is not None:
                return None
            try:
                # The database is not its witness: whoever writes there has no key of a person.
                return StandingRule(rules.read(issuer.verify(logged.envelope)), logged.envelope.digest)
            except (MalformedInput, VerificationFailed):
                return None
        return None


@dataclass(frozen=True, slots=True)
class People:
    """`keyrelease.ports.Requesters` over identity."""

    identity: Identity

    def may(self, tenant: Tenant, person: PersonId) -> bool:
        """Return whether a person is here, and may ask for keys."""
        record = self.identity.people.by_id(tenant, person)
        if record is None or record.removed_at is not None or person in self.identity.revocations:
            return False
        return self.identity.policies.allows(record.actor, ASK)


def releasing(grounds: Grounds, identity: Identity, artifacts: Artifacts, compute: Compute) -> KeyRelease:
    """Join ports and adapters."""
    ledger, shipped = grounds.ledger, policy.shipped()
    colleagues = Colleagues(
        datasets=SealedDatasets(artifacts),
        nodes=NodeTargets(compute),
        rules=RulesInTheLog(ledger),
        requesters=People(identity),
        attester=NodeAgents(compute, shell_of(compute)),
        appraiser=Appraising(),
        broker=BrokerProcess(grounds.home.path, ledger),
    )
    return KeyRelease(
        transaction=ledger.publishable,
        store=ReleaseTables(grounds.database),
        recorder=grounds.outbox,
        publication=ledger,
        colleagues=colleagues,
        policy=shipped,
        policy_digest=shipped.digest,
        clock=grounds.clock,
        random=secrets.token_bytes,
        is_demo=grounds.is_demo,
    )


def targets(service: KeyRelease) -> Mapping[PredicateName, Taker]:
    """Return who takes the act by which a person says who may get a key: the references are known by then."""

    def allowed(person: Person, _: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        return {"statement": service.ruling.allow(person, envelope, opening, []).to_json()}

    return {rules.ALLOWED: Taker(ALLOW, _ALLOW, allowed, lambda _: "/releases")}
