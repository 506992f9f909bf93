"""Join compute, soc and incidents: every wire between them is a line here."""

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ringfence.compute.blobs import EvidenceFolder, IntentFile, NodeLocks
from ringfence.compute.containment import Containing
from ringfence.compute.desk import Desk as NodeDesk
from ringfence.compute.perimeter import Blocking
from ringfence.compute.ports import Provider
from ringfence.compute.providers.authority import KeyFileAuthority
from ringfence.compute.providers.endorsement import Issuer
from ringfence.compute.providers.measured import MeasuredProvider
from ringfence.compute.providers.namespace import NamespaceProvider
from ringfence.compute.providers.own_host import OwnHostProvider
from ringfence.compute.providers.vm import VmProvider
from ringfence.compute.reconcile import Reconciler
from ringfence.compute.releasing import Releasing
from ringfence.compute.service import Compute
from ringfence.compute.store import NodeTables, StatedTable
from ringfence.cutoff import accesses, flows, organisation
from ringfence.cutoff.accesses import AccessFile, BlockKey
from ringfence.cutoff.colleagues import Colleagues, nobody_known
from ringfence.cutoff.following import Following
from ringfence.cutoff.nodes import ComputeLogs, ComputeResponder, Network
from ringfence.cutoff.observing import IncidentObserver
from ringfence.fabric.desired import CONTROL, FORENSIC
from ringfence.identity.service import Identity
from ringfence.incidents.desk import Desk as IncidentDesk
from ringfence.incidents.model import IncidentId
from ringfence.incidents.register import Register
from ringfence.incidents.service import Incidents
from ringfence.incidents.store import IncidentTable
from ringfence.incidents.watch import Watch as IncidentWatch
from ringfence.installation import Home
from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, PredicateName, Tenant
from ringfence.kernel.statement import Statement
from ringfence.ledger.service import Ledger
from ringfence.obligations.choices import Selected
from ringfence.soc import playbook
from ringfence.soc.answering import Answers
from ringfence.soc.faults import concerning, shown
from ringfence.soc.notifier import FileNotifiers
from ringfence.soc.ports import Alert, Faults
from ringfence.soc.posting import Posting
from ringfence.soc.service import Watch
from ringfence.soc.sources.auth import AuthLog
from ringfence.soc.store import AlertTable, BoundedWrites, FindingTable, ProgressTable, SettingsTable
from ringfence.soc.worker import Hands, Watching, Worker
from ringfence.storage.database import Database
from ringfence.storage.journal import EmergencyJournal
from ringfence.storage.outbox import Outbox

OWN_ADDRESSES = frozenset({CONTROL, FORENSIC})  # of the network helper: blocking them would lock us out

HOSTS = "hosts"  # below the home: machines that the user has already


@dataclass(frozen=True, slots=True)
class Ground:
    """What the three capabilities stand on."""

    home: Home
    clock: Clock
    database: Database
    outbox: Outbox
    journal: EmergencyJournal
    ledger: Ledger
    identity: Identity
    is_demo: Callable[[Tenant], bool]
    profiles: Callable[[Tenant], Sequence[Selected]]

    @property
    def transaction(self) -> Callable[[], AbstractContextManager[None]]:
        """Return how one transaction is opened."""
        return self.database.transaction


@dataclass(frozen=True, slots=True)
class CutOff:
    """What the front ends and the loops call."""

    network: Network
    compute: Compute
    watch: Watch
    posting: Posting
    incidents: Incidents
    incident_watch: IncidentWatch
    register: Register
    answers: Answers
    ground: Ground
    faults: Faults = tuple

    def not_working(self, tenant: Tenant) -> list[dict[str, str]]:
        """Return what of this installation does not work, as the status shows it to a tenant."""
        return [shown(fault) for fault in concerning(self.faults(), tenant)]

    def reconciler(self) -> Callable[[], None]:
        """Return the turn that drives nodes to where they should be; it does nothing before there was a node."""
        turn = Reconciler(self.compute)

        def take() -> None:
            if self.network.directory.exists() or (self.ground.home.path / HOSTS).exists():
                turn()

        return take

    def watching(self) -> Watching:
        """Return the watch over the nodes' logs, not started."""
        from ringfence.soc.detection import shipped
        from ringfence.soc.detection.detector import Detector

        logs = ComputeLogs(self.compute)
        worker = Worker(
            answers=self.answers,
            nodes=logs,
            flows=flows.FlowFeed(self.network.existing, logs.owners),
            progress=ProgressTable(self.ground.database),
            reading=AuthLog,
            detector=lambda: Detector(shipped.rules()),
            clock=self.ground.clock,
            protected=OWN_ADDRESSES,
            access=AccessFile(self.ground.home.path / accesses.FILE, self.ground.identity.people.tenants),
            faults=self.faults,
        )
        return Watching(worker, self.posting)

    def rest(self) -> None:
        """End the network helper where no node is left that it would serve, so that a look at a home leaves nothing."""
        if not self.compute.desk.all():
            self.network.end()

    def following(self) -> Callable[[], None]:
        """Return the turn that keeps incidents in step with nodes and clocks."""
        following = Following(self.compute, self.incident_watch, self.register)

        def take() -> None:
            for record in self.ground.identity.people.tenants():
                following.turn(record.tenant)

        return take


def wire(ground: Ground, block_key: BlockKey = accesses.no_gateway, faults: Faults = tuple) -> CutOff:
    """Join ports and adapters; `block_key` is the gateway's, `faults` is what does not work beside nodes."""
    network = Network(ground.home.path / "fabric")
    compute = _compute(ground, network)
    posting = Posting(
        mailbox=AlertTable(ground.database),
        notifiers=FileNotifiers(ground.home.path / "alerts.json", ground.clock),
        recorder=ground.outbox,
        transaction=ground.transaction,
        clock=ground.clock,
    )
    incidents = _incidents(ground)
    incident_watch = IncidentWatch(incidents, partial(_alert, posting, ground))
    sent = partial(flows.sent, network.existing)
    responder = ComputeResponder(compute, block_key)
    answers = _answers(ground, responder, posting, IncidentObserver(incident_watch, sent))
    watch = Watch(
        findings=answers.findings,
        policies=answers.policies,
        mailbox=posting.mailbox,
        playbook=answers.playbook,
        post=posting,
        recorder=ground.outbox,
        publication=ground.ledger,
        transaction=ground.ledger.publishable,
        clock=ground.clock,
        token=_token,
    )
    register = Register(incidents)
    return CutOff(network, compute, watch, posting, incidents, incident_watch, register, answers, ground, faults)


def _token() -> str:
    return secrets.token_hex(12)


def _compute(ground: Ground, network: Network) -> Compute:
    home = ground.home.path
    authority = KeyFileAuthority(home / "keys" / "ssh_ca", ground.clock)
    providers: list[Provider] = [
        NamespaceProvider(home / "nodes", network, authority),
        VmProvider(home / "nodes", network, authority),
        MeasuredProvider(home / "nodes", network, authority, Issuer.of(home, ground.clock)),
        OwnHostProvider(home / HOSTS, authority),
    ]
    intents = IntentFile(home / "journal" / "intents")
    intents.create()
    desk = NodeDesk(
        nodes=NodeTables(ground.database),
        providers={provider.node_class: provider for provider in providers},
        recorder=ground.outbox,
        transaction=ground.transaction,
        clock=ground.clock,
        random=secrets.token_bytes,
        exclusive=NodeLocks(),
    )
    stated = StatedTable(ground.database, ground.journal.waiting)
    return Compute(
        desk=desk,
        containing=Containing(desk, ground.journal, intents, EvidenceFolder(home / "evidence"), stated),
        releasing=Releasing(desk, intents, _colleagues(ground)),
        blocking=Blocking(desk, network, ground.journal),
        authority=authority,
        pause=time.sleep,
    )


def _colleagues(ground: Ground) -> Colleagues:
    return Colleagues(ground.identity, nobody_known, ground.ledger.issuers, ground.outbox.stated)


def _answers(ground: Ground, responder: ComputeResponder, posting: Posting, observers: IncidentObserver) -> Answers:
    return Answers(
        findings=FindingTable(ground.database),
        policies=SettingsTable(ground.database),
        playbook=playbook.shipped(),
        responder=responder,
        observers=observers,
        post=posting,
        recorder=ground.outbox,
        emergency=ground.journal,
        transaction=ground.transaction,
        bounded=BoundedWrites(),
        clock=ground.clock,
        token=_token,
        is_demo=ground.is_demo,
        hands=Hands(),
    )


def _incidents(ground: Ground) -> Incidents:
    def statements(tenant: Tenant, predicates: Sequence[PredicateName]) -> Sequence[Statement]:
        return [logged.envelope.statement for logged in ground.ledger.statements(tenant, predicates)]

    def name(tenant: Tenant, person: str) -> str:
        record = ground.identity.people.by_id(tenant, PersonId(person))
        return record.name if record is not None else person

    return Incidents(
        desk=IncidentDesk(
            ground.transaction, IncidentTable(ground.database), ground.outbox, ground.clock, secrets.token_bytes
        ),
        publication=ground.ledger,
        organisation=organisation.Organisation(
            ground.ledger.statements, ground.home.path / organisation.FILE, ground.profiles
        ),
        thresholds=organisation.criteria,
        names=name,
        log=statements,
        is_demo=ground.is_demo,
    )


def _alert(posting: Posting, ground: Ground, tenant: Tenant, incident: IncidentId, text: str, at: datetime) -> None:
    """Put a warning about an incident into the box of alerts."""
    subject = f"Ringfence: {incident}: {text}"[:200]
    document = {"format": "urn:ringfence:incident-warning:v1", "incident": incident, "text": text}
    # Several clocks may warn in one millisecond, and the box takes an alert that it has for a repetition.
    identifier = Digest.of(f"{at.isoformat()} {text}".encode()).value.hex()[:20]
    alert = Alert(
        f"{incident}-{identifier}",
        tenant,
        incident,
        subject,
        f"{text}\n\nringfence incident show {incident}\n",
        document,
    )
    with ground.transaction():
        posting.add(alert)
