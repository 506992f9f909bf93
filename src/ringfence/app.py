"""The composition root: settings in, wired services out; wires between capabilities are here and in `cutoff`."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from ringfence.acting import Acting, acting
from ringfence.admission import Gate, RootEnrolments
from ringfence.artifacts.models.service import Models
from ringfence.artifacts.service import Artifacts
from ringfence.artifacts.store import DatasetTable
from ringfence.cutoff import wires as cutoff
from ringfence.cutoff.wires import CutOff, Ground
from ringfence.enrolment import service_claims
from ringfence.identity.model import Custody
from ringfence.identity.policy import shipped
from ringfence.identity.service import Identity
from ringfence.identity.signin.service import SignIn
from ringfence.identity.signin.wires import signing_in
from ringfence.identity.store import PeopleTable, RevocationFile
from ringfence.identity.wires import Access, Place, access, counting
from ringfence.installation import Home, SystemClock, open_home
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import KeyId, PersonId, Tenant
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.anchoring.store import AnchorTables
from ringfence.ledger.explorer.service import Explorer
from ringfence.ledger.explorer.store import IndexTables
from ringfence.ledger.issuers import Issuers
from ringfence.ledger.model import LoggedStatement, Standing, Trust
from ringfence.ledger.service import Ledger
from ringfence.ledger.store import CheckpointTable, integrator
from ringfence.ledger.tiles import tiles_at
from ringfence.ledger.tiletree import TileTree
from ringfence.obligations import catalog
from ringfence.obligations.service import Status
from ringfence.redteam.service import RedTeam
from ringfence.reports.recompute import evidence_of, rules_of
from ringfence.reports.service import Packs
from ringfence.retention.register import Register
from ringfence.retention.service import Retention
from ringfence.settings import Settings
from ringfence.signing.opening import in_process
from ringfence.signing.ports import Signer
from ringfence.signing.roles import RoleSigner
from ringfence.signing.service import Keys
from ringfence.storage import keyfile
from ringfence.storage.database import Database
from ringfence.storage.journal import EmergencyJournal
from ringfence.storage.migrations import upgrade
from ringfence.storage.outbox import Outbox
from ringfence.workloads.anchoring import Anchored, Conflicts, anchoring
from ringfence.workloads.deploying import Deploying
from ringfence.workloads.receiving import Receiving, receiving
from ringfence.workloads.retaining import retaining
from ringfence.workloads.runs.service import Runs
from ringfence.workloads.serving import Serving, serving
from ringfence.workloads.wires import deploying


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
    signer: Signer
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
    demo_tenants: AbstractSet[Tenant]
    receiving: Receiving
    serving: Serving
    deploying: Deploying
    signin: SignIn
    access: Access

    @property
    def anchored(self) -> Anchored:
        """Return who anchors the heads of the log: all of it is in the database."""
        return anchoring(self.home, self.database, self.ledger, self.outbox, self.clock)

    @property
    def explorer(self) -> Explorer:
        """Return what readers search: its index is in the database."""
        return Explorer(self.ledger, IndexTables(self.database))

    @property
    def retention(self) -> Retention:
        """Return what sweeps, holds and erases: its lists are in the database."""
        return retaining(self.home, self.database, self.identity.people, self.ledger, self.outbox, self.clock)

    @property
    def redteam(self) -> RedTeam:
        """Return the runs of the red team: the log is the only place where they are kept."""
        return RedTeam(self.ledger.publishable, self.ledger, self.outbox, self.ledger)

    @property
    def acting(self) -> Acting:
        """Return the acts that people sign in the browser: what waits for a signature is in the database."""
        takers = (self.cutoff.compute, self.cutoff.incidents, self.access.reviews)
        return acting(self.database, self.ledger, self.outbox, self.identity.policies, self.clock, takers)

    @property
    def keys(self) -> Keys:
        """Return what the log knows about signing keys."""
        return Keys(
            self.home.root_public,
            self.signer.public,
            self.ledger.statements,
            self.outbox.admit_from_root,
            self.outbox,
            self.ledger.publishable,
            self.ledger,
            self.clock,
        )

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
            "retention.register": Register(self.retention.sweeper).record,
        }
        return {name: Recorded(self.ledger, collect) for name, collect in named.items()}

    def replay_journals(self) -> int:
        """Sequence what containment wrote while the database was away; return how many statements that were."""
        tenants = [record.tenant for record in self.identity.people.tenants()]
        replayed = sum(self.journal.replay(tenant) for tenant in tenants)
        if replayed:
            for tenant in tenants:
                self.identity.settle(tenant)
                self.access.accounts.settle(tenant)
        return replayed


@contextmanager
def open_services(
    settings: Settings, *, clock: Clock | None = None, signer: Signer | None = None
) -> Iterator[Services]:
    """Open the installation that the settings name; without a `signer`, sign in this process."""
    home = open_home(settings.home, database=settings.database_url)
    check_writable(home.path)
    database = Database(home.database_url)
    try:
        upgrade(database)
        CheckpointTable(database, home.log).check()
        time = clock or SystemClock()
        passphrase = settings.passphrase()
        services = wire(home, database, signer or in_process(home.path, home.log, passphrase, time), time, passphrase)
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


def wire(home: Home, database: Database, signer: Signer, clock: Clock, passphrase: bytes | None = None) -> Services:
    """Join ports and adapters."""
    people = PeopleTable(database)
    demo = {record.tenant for record in people.tenants() if record.demo}
    opened: list[Ledger] = []

    def issuers(tenant: Tenant) -> Issuers:
        return opened[0].issuers(tenant)

    gate = Gate(issuers)  # the outbox asks the ledger about keys, and the ledger is made of the outbox
    control = RoleSigner(signer, KeyRole.CONTROL_PLANE)
    outbox = Outbox(database, control, gate, clock, secrets.token_bytes, home.log, demo)
    ledger = _ledger(home, database, signer, outbox, clock)
    opened.append(ledger)
    emergency = RoleSigner(signer, KeyRole.EMERGENCY)
    journal = EmergencyJournal(home.path / "journal", emergency, outbox, clock, secrets.token_bytes, home.log)
    identity = _identity(home, database, gate, outbox, journal, ledger, clock)
    place = Place(home.tenant, home.path, database, demo, partial(service_claims, ledger, home.tenant, clock), journal)
    status = Status(ledger, catalog.load(), clock, demo.__contains__)

    def in_force(tenant: Tenant, key: KeyId) -> bool:
        return issuers(tenant).at(key, clock.now())[0] is Standing.TRUSTED

    artifacts = Artifacts(ledger.publishable, DatasetTable(database), outbox, ledger)
    gateway = serving(home, control, database, outbox, journal, ledger.check_publishable, clock, demo)
    ground = Ground(home, clock, database, outbox, journal, ledger, identity, demo.__contains__)
    segments = receiving(home, ledger, outbox, clock)
    of_gateway, of_log = gateway.faults(segments.intake), Conflicts(ledger, AnchorTables(database), home.tenant)
    cut = cutoff.wire(ground, gateway.gateway.block_key, lambda: [*of_gateway(), *of_log()])
    return Services(
        home,
        signer,
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
        segments,
        gateway,
        deploying(home, gateway.gateway, cut.compute, lambda: [record.tenant for record in people.tenants()], clock),
        signing_in(
            database, people, identity.revocations, outbox, ledger, home.vault(passphrase), clock, signs=in_force
        ),
        access(identity, place),
    )


def _identity(
    home: Home,
    database: Database,
    gate: Gate,
    outbox: Outbox,
    journal: EmergencyJournal,
    ledger: Ledger,
    clock: Clock,
) -> Identity:
    return Identity(
        people=PeopleTable(database),
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
        services=counting(database, clock),
        keys_of=partial(keys_of, ledger),
    )


def _packs(home: Home, status: Status, ledger: Ledger, outbox: Outbox, clock: Clock) -> Packs:
    def rules(statements: Sequence[LoggedStatement], tenant: Tenant, at: datetime) -> Mapping[str, Any]:
        return rules_of(status.catalog, demo=status.is_demo(tenant))(statements, tenant, at)

    return Packs(
        log=ledger,
        rules=rules,
        trust=Trust(home.log, home.root_public, ledger.log_keys, ()),
        evidence=evidence_of(status.catalog),
        recorder=outbox,
        publication=ledger,
        transaction=ledger.publishable,
        clock=clock,
    )


def _ledger(home: Home, database: Database, signer: Signer, outbox: Outbox, clock: Clock) -> Ledger:
    tiles = tiles_at(home.tiles, home.path / "log")
    return Ledger(
        log=home.log,
        root_key=home.root_public,
        log_keys=signer.public().ledger,
        outbox=outbox,
        checkpoints=CheckpointTable(database, home.log),
        tiles=tiles,
        tree=TileTree(tiles),
        sign=signer.head,
        exclusive=integrator(database, home.path / "log.lock"),
        transaction=database.transaction,
        clock=clock,
        check_signer=signer.check,
        kept=AnchorTables(database),
    )


def keys_of(ledger: Ledger, tenant: Tenant, person: PersonId) -> list[KeyId]:
    """Return the keys of a person that are not revoked: the one in a file, older ones, passkeys that sign."""
    known = ledger.issuers(tenant).enrolments.values()
    return [one.issuer.key for one in known if one.issuer.person == person and one.issuer.revoked_at is None]


def custody(home: Home) -> Custody:
    """Return where the keys of this home lie, as their files say."""
    root = keyfile.custody(home.root_path) if home.root_path.exists() else "exported"
    operators = tuple(keyfile.custody(path) for path in sorted((home.path / "operators").glob("*.key")))
    kek = home.path / "kek.json"
    of_services = (home.service_path, home.gateway_path, home.sign_in_path)
    services = {keyfile.custody(path) for path in of_services if path.exists()}
    return Custody(
        service_keys=keyfile.PLAIN if keyfile.PLAIN in services else keyfile.PASSPHRASE,
        root_key=root,
        kek=keyfile.custody(kek) if kek.exists() else "none",
        operator_keys=operators,
        oldest_key_at=home.created_at,
    )
