"""The composition root: settings in, wired services out; wires between capabilities are here and in `cutoff`."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ringfence.artifacts.models.service import Models
from ringfence.artifacts.service import Artifacts
from ringfence.artifacts.store import DatasetTable
from ringfence.cutoff import wires as cutoff
from ringfence.cutoff.wires import CutOff, Ground
from ringfence.frontends.http import Credential
from ringfence.identity.model import Custody
from ringfence.identity.policy import shipped
from ringfence.identity.service import Identity
from ringfence.identity.store import PeopleTable, RevocationFile
from ringfence.installation import Home, SystemClock, open_home
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Refused, Unavailable
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import KeyId, Tenant
from ringfence.kernel.statement import KeyRole
from ringfence.ledger import checkpoint
from ringfence.ledger.issuers import Issuers, parse_enrolment
from ringfence.ledger.model import Checkpoint, LoggedStatement, SignedCheckpoint, Standing, Trust
from ringfence.ledger.service import Ledger
from ringfence.ledger.store import CheckpointTable, IntegratorLock
from ringfence.ledger.tiles import DirectoryTiles
from ringfence.ledger.tiletree import TileTree
from ringfence.obligations import catalog
from ringfence.obligations.service import Status
from ringfence.redteam.service import RedTeam
from ringfence.reports.recompute import rules_of
from ringfence.reports.service import Packs
from ringfence.settings import Settings
from ringfence.storage import keyfile
from ringfence.storage.database import Database
from ringfence.storage.journal import EmergencyJournal
from ringfence.storage.migrations import upgrade
from ringfence.storage.outbox import Outbox
from ringfence.storage.signer import Ed25519Signer
from ringfence.workloads.deploying import Deploying
from ringfence.workloads.receiving import Receiving, receiving
from ringfence.workloads.runs.service import Runs
from ringfence.workloads.serving import Serving, serving
from ringfence.workloads.wires import deploying

# What an operator's key may state; the rest is stated by the services themselves, or by the root.
OPERATOR_PREDICATES = frozenset(
    {
        "dataset.sealed",
        "dataset.provenance",
        "dataset.opened",
        "dataset.verified",
        "model.scan",
        "model.signed",
        "entity.classification",
        "ai.classification",
        "ledger.head_exported",
        "redteam.run",
        "report.exported",
        "run.manifest",
    }
)
# Signed acts that change state: only the service that keeps the state admits them, after its own checks.
ACTS = frozenset(
    {
        "incident.closed",
        "incident.corrected",
        "incident.customer_notice",
        "incident.opened",
        "incident.report",
        "incident.triage",
        "quarantine.release_approved",
        "quarantine.release_requested",
    }
)


@dataclass(frozen=True, slots=True)
class Gate:
    """The outbox's `Gatekeeper`: the key must be the caller's own, in force, and allowed to state this."""

    issuers: Callable[[Tenant], Issuers]

    def check(self, envelope: Envelope, *, by: Person, at: datetime) -> None:
        """Return, or raise `VerificationFailed` or `Refused`."""
        standing, issuer = self.issuers(by.tenant).at(envelope.signer, at)
        if issuer is None or standing is not Standing.TRUSTED:
            raise Refused(f"the key {envelope.signer[:16]}… is {standing}; statements by it are not taken")
        envelope.verify(issuer.public_key)
        if issuer.role is not KeyRole.OPERATOR or issuer.person != by.id:
            raise Refused("a statement is posted by the person who signed it, with that person's own token")
        if envelope.statement.predicate not in OPERATOR_PREDICATES | ACTS:
            raise Refused(f"no operator states {envelope.statement.predicate}: it is stated by what it is about")

    def check_enrolment(self, envelope: Envelope, *, root: bytes) -> None:
        """Return where the root enrols a key, or raise."""
        envelope.verify(root)
        if envelope.statement.predicate != "key.enrolled":
            raise Refused("only enrolments are posted with the root's key")
        parse_enrolment(envelope.statement)


@dataclass(frozen=True, slots=True)
class RootEnrolments:
    """`identity.ports.Enrolments`: what the root signed, and nobody else."""

    gate: Gate
    root: bytes

    def check_enrolment(self, envelope: Envelope) -> None:
        """Return, or raise `VerificationFailed` or `Refused`."""
        self.gate.check_enrolment(envelope, root=self.root)


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """`frontends.http.Door` over the identity service."""

    identity: Identity

    def authenticate(self, credential: Credential) -> Person:
        """Return the person behind a credential."""
        return self.identity.authenticate(token=credential.token, session=credential.session)

    def authorise(self, person: Person, action: str) -> None:
        """Ask the policies."""
        self.identity.authorise(person, action)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A collector's way: record, then wait until it is published."""

    ledger: Ledger
    collect: Callable[[Tenant], Acknowledgement]

    def __call__(self, tenant: Tenant) -> Acknowledgement:
        """Run the collector."""
        self.ledger.check_publishable()
        return self.ledger.published(self.collect(tenant).envelope)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that the front ends call."""

    home: Home
    clock: Clock
    database: Database
    outbox: Outbox
    journal: EmergencyJournal
    ledger: Ledger
    identity: Identity
    artifacts: Artifacts
    models: Models
    status: Status
    packs: Packs
    cutoff: CutOff
    demo_tenants: frozenset[Tenant]
    receiving: Receiving
    serving: Serving
    deploying: Deploying

    @property
    def redteam(self) -> RedTeam:
        """Return the runs of the red team: the log is the only place where they are kept."""
        return RedTeam(self.ledger.publishable, self.ledger, self.outbox, self.ledger)

    @property
    def runs(self) -> Runs:
        """Return what records the runs of commands: the log is the only place where they are kept."""
        return Runs(self.ledger.publishable, self.artifacts.datasets, self.outbox, self.ledger)

    @property
    def collectors(self) -> dict[str, Recorded]:
        """Return the evidence types that a collector of ours can state, and how."""
        named: dict[str, Callable[[Tenant], Acknowledgement]] = {
            "access.register": self.identity.record_register,
            "key.lifecycle": self.identity.record_keys,
            "log.chain_verified": self.ledger.record_chain,
            "log.heartbeat": self.ledger.record_heartbeat,
            "incident.register": self.cutoff.register.record,
        }
        return {name: Recorded(self.ledger, collect) for name, collect in named.items()}

    def replay_journals(self) -> int:
        """Sequence what containment wrote while the database was away; return how many statements that were."""
        tenants = [record.tenant for record in self.identity.people.tenants()]
        replayed = sum(self.journal.replay(tenant) for tenant in tenants)
        if replayed:
            for tenant in tenants:
                self.identity.settle(tenant)
        return replayed


@contextmanager
def open_services(settings: Settings, *, clock: Clock | None = None) -> Iterator[Services]:
    """Open the installation that the settings name."""
    home = open_home(settings.home)
    check_writable(home.path)
    database = Database(home.database_url)
    try:
        upgrade(database)
        services = wire(home, database, settings.passphrase(), clock or SystemClock())
        try:
            yield services
        finally:
            services.deploying.keeping.close()
    finally:
        database.close()


def check_writable(path: Path) -> None:
    """Raise `Unavailable` where the home cannot be written."""
    if not os.access(path, os.W_OK):
        raise Unavailable(f"{path} is read-only for this user; nothing can be recorded there")


def wire(home: Home, database: Database, passphrase: bytes | None, clock: Clock) -> Services:
    """Join ports and adapters."""
    keys = home.service_keys(passphrase)
    people = PeopleTable(database)
    demo = frozenset(record.tenant for record in people.tenants() if record.demo)
    opened: list[Ledger] = []

    def issuers(tenant: Tenant) -> Issuers:
        return opened[0].issuers(tenant)

    gate = Gate(issuers)  # the outbox asks the ledger about keys, and the ledger is made of the outbox
    control = Ed25519Signer.from_seed(keys.secret("control-plane"))
    outbox = Outbox(database, control, gate, clock, secrets.token_bytes, home.log, demo)
    ledger = _ledger(home, database, keys, outbox, clock)
    opened.append(ledger)
    emergency = Ed25519Signer.from_seed(keys.secret("emergency"))
    journal = EmergencyJournal(home.path / "journal", emergency, outbox, clock, secrets.token_bytes, home.log)
    identity = Identity(
        people=people,
        policies=shipped(),
        revocations=RevocationFile(home.path / "revoked"),
        enrolments=RootEnrolments(gate, home.root_public),
        custody=lambda: custody(home),
        recorder=outbox,
        emergency=journal,
        publication=ledger,
        append_enrolment=outbox.admit_from_root,
        transaction=database.transaction,
        clock=clock,
        token=lambda: secrets.token_urlsafe(32),
    )
    status = Status(ledger, catalog.load(), clock, demo.__contains__)

    def in_force(tenant: Tenant, key: KeyId) -> bool:
        return issuers(tenant).at(key, clock.now())[0] is Standing.TRUSTED

    artifacts = Artifacts(ledger.publishable, DatasetTable(database), outbox, ledger)
    gateway = serving(home, control, database, outbox, journal, ledger.check_publishable, clock, demo)
    ground = Ground(home, clock, database, outbox, journal, ledger, identity, demo.__contains__)
    cut = cutoff.wire(ground, block_key=gateway.gateway.block_key)
    return Services(
        home,
        clock,
        database,
        outbox,
        journal,
        ledger,
        identity,
        artifacts,
        Models(ledger.publishable, ledger, outbox, ledger, in_force),
        status,
        _packs(home, status, ledger, outbox, clock),
        cut,
        demo,
        receiving(home, ledger, outbox, clock),
        gateway,
        deploying(home, gateway.gateway, cut.compute, lambda: [record.tenant for record in people.tenants()]),
    )


def _packs(home: Home, status: Status, ledger: Ledger, outbox: Outbox, clock: Clock) -> Packs:
    def rules(statements: Sequence[LoggedStatement], tenant: Tenant, at: datetime) -> Mapping[str, Any]:
        return rules_of(status.catalog, demo=status.is_demo(tenant))(statements, tenant, at)

    return Packs(
        log=ledger,
        rules=rules,
        trust=Trust(home.log, home.root_public, ledger.log_keys, ()),
        recorder=outbox,
        publication=ledger,
        transaction=ledger.publishable,
        clock=clock,
    )


def _ledger(home: Home, database: Database, keys: keyfile.KeyFile, outbox: Outbox, clock: Clock) -> Ledger:
    ed25519 = Ed25519PrivateKey.from_private_bytes(keys.secret("ledger"))
    mldsa = MLDSA44PrivateKey.from_seed_bytes(keys.secret("ledger-ml-dsa-44"))
    log_keys = checkpoint.vkeys(
        home.log, ed25519.public_key().public_bytes_raw(), mldsa.public_key().public_bytes_raw()
    )

    def sign(head: Checkpoint, at: datetime) -> SignedCheckpoint:
        return checkpoint.sign(head, ed25519, mldsa, at)

    tiles = DirectoryTiles(home.path / "log")
    return Ledger(
        log=home.log,
        root_key=home.root_public,
        log_keys=log_keys,
        outbox=outbox,
        checkpoints=CheckpointTable(database, home.log),
        tiles=tiles,
        tree=TileTree(tiles),
        sign=sign,
        exclusive=IntegratorLock(home.path / "log.lock"),
        transaction=database.transaction,
        clock=clock,
    )


def custody(home: Home) -> Custody:
    """Return where the keys of this home lie, as their files say."""
    root = keyfile.custody(home.root_path) if home.root_path.exists() else "exported"
    operators = tuple(keyfile.custody(path) for path in sorted((home.path / "operators").glob("*.key")))
    kek = home.path / "kek.json"
    services = {
        keyfile.custody(path) for path in (home.path / "keys" / "service.json", home.gateway_path) if path.exists()
    }
    return Custody(
        service_keys=keyfile.PLAIN if keyfile.PLAIN in services else keyfile.PASSPHRASE,
        root_key=root,
        kek=keyfile.custody(kek) if kek.exists() else "none",
        operator_keys=operators,
        oldest_key_at=home.created_at,
    )
