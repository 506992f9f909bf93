"""The composition root: settings in, wired services out; wires between capabilities are here and in `cutoff`."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from ringfence.admission import Gate, NewBooks, RootEnrolments
from ringfence.artifacts.models.service import Models
from ringfence.artifacts.service import Artifacts
from ringfence.artifacts.store import DatasetTable
from ringfence.cutoff import wires as cutoff
from ringfence.cutoff.wires import Ground
from ringfence.enrolment import service_enrolments
from ringfence.frontends.pausing import collector_paused
from ringfence.identity.model import Custody
from ringfence.identity.policy import shipped
from ringfence.identity.service import Identity
from ringfence.identity.signin.keyring import factors
from ringfence.identity.signin.wires import signing_in
from ringfence.identity.store import PeopleTable, RevocationFile
from ringfence.identity.wires import Place, access, counting
from ringfence.installation import Home, SystemClock, open_home
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import KeyId, PersonId, Tenant
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.anchoring.store import AnchorTables
from ringfence.ledger.anchoring.vouching import Vouching
from ringfence.ledger.issuers import Issuers
from ringfence.ledger.model import LoggedStatement, Standing, Trust
from ringfence.ledger.service import Ledger
from ringfence.ledger.store import CheckpointTable, SuccessionRows, decided_in, integrator
from ringfence.ledger.tiles import tiles_at
from ringfence.ledger.tiletree import TileTree
from ringfence.lineage.service import Lineages
from ringfence.obligations.blobs import effective
from ringfence.obligations.profiles.service import InForce
from ringfence.obligations.service import Status
from ringfence.reports.recompute import evidence_of, rules_of
from ringfence.reports.service import Packs
from ringfence.retention.troubles import Troubles
from ringfence.services import Services
from ringfence.settings import Settings
from ringfence.signing.opening import of_command
from ringfence.signing.ports import Signer
from ringfence.signing.roles import RoleSigner
from ringfence.soc.ports import Faults
from ringfence.storage import keyfile
from ringfence.storage.database import Database
from ringfence.storage.journal import EmergencyJournal
from ringfence.storage.migrations import upgrade
from ringfence.storage.outbox import Outbox
from ringfence.storage.tokensigner import IN_TOKEN
from ringfence.workloads.anchoring import Conflicts
from ringfence.workloads.behind import Names
from ringfence.workloads.dataset_holds import DatasetHolds, Said
from ringfence.workloads.faults import RefusedOverrides, RetentionFaults, copied_passkeys
from ringfence.workloads.gating import wires as gating
from ringfence.workloads.gating.service import Gates
from ringfence.workloads.practice.keeper import Keeper
from ringfence.workloads.receiving import receiving
from ringfence.workloads.rechecking import ChangedEngines
from ringfence.workloads.serving import serving
from ringfence.workloads.wires import deploying


@contextmanager
def open_services(
    settings: Settings, *, clock: Clock | None = None, signer: Signer | None = None
) -> Iterator[Services]:
    """Open the installation that the settings name; without a `signer`, sign in this process."""
    home = open_home(settings.home, database=settings.database_url)
    check_writable(home.path)
    time, passphrase = clock or SystemClock(), settings.passphrase()
    decided = decided_in(home.database_url, home.tenant)
    with nullcontext(signer) if signer else of_command(home.path, home.log, passphrase, time, decided) as signing:
        database = Database(home.database_url)
        try:
            upgrade(database)
            CheckpointTable(database, home.log).check()
            services = wire(home, database, signing, time, passphrase)
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


def _recording(
    home: Home, database: Database, signer: Signer, control: RoleSigner, clock: Clock, demo: set[Tenant]
) -> tuple[Gate, Outbox, Ledger, EmergencyJournal]:
    opened: list[Ledger] = []

    def issuers(tenant: Tenant) -> Issuers:
        return opened[0].issuers(tenant)

    gate = Gate(issuers)  # the outbox asks the ledger about keys, and the ledger is made of the outbox
    outbox = Outbox(database, control, gate, clock, secrets.token_bytes, home.log, demo)
    ledger = _ledger(home, database, signer, outbox, clock)
    opened.append(ledger)
    emergency = RoleSigner(signer, KeyRole.EMERGENCY)
    journal = EmergencyJournal(home.path / "journal", emergency, outbox, clock, secrets.token_bytes, home.log)
    return gate, outbox, ledger, journal


def _artifacts(
    home: Home,
    database: Database,
    outbox: Outbox,
    ledger: Ledger,
    clock: Clock,
    demo: set[Tenant],
    in_force: Callable[[Tenant, KeyId], bool],
) -> tuple[Artifacts, Models, Lineages, Gates]:
    """Join what is sealed and signed, what led to what, and what has to be met before a model is served."""
    held, said = DatasetHolds(database, outbox), Said(outbox)
    artifacts = Artifacts(ledger.publishable, DatasetTable(database), outbox, ledger, holds=held, said=said)
    intaken = gating.intakes(home, ledger, outbox)
    models = Models(ledger.publishable, ledger, outbox, ledger, in_force, intaken.check_signable)
    lineages = Lineages(ledger, demo.__contains__, Names(artifacts, models), collector_paused)
    return artifacts, models, lineages, gating.gates(intaken, outbox, lineages, clock, in_force)


def wire(home: Home, database: Database, signer: Signer, clock: Clock, passphrase: bytes | None = None) -> Services:
    """Join ports and adapters."""
    people = PeopleTable(database)
    demo = {record.tenant for record in people.tenants() if record.demo}

    def tenants() -> list[Tenant]:
        return [record.tenant for record in people.tenants()]

    control = RoleSigner(signer, KeyRole.CONTROL_PLANE)
    gate, outbox, ledger, journal = _recording(home, database, signer, control, clock, demo)
    identity = _identity(home, database, gate, outbox, journal, ledger, clock)
    in_service = partial(service_enrolments, ledger, home.tenant, clock)
    place = Place(home.tenant, home.path, database, demo, in_service, journal, NewBooks(outbox.numbers))
    rules = effective(home.path, clock.now().date())
    status = Status(ledger, rules.catalog, clock, demo.__contains__)

    def in_force(tenant: Tenant, key: KeyId) -> bool:
        return ledger.issuers(tenant).at(key, clock.now())[0] is Standing.TRUSTED

    artifacts, models, lineages, gates = _artifacts(home, database, outbox, ledger, clock, demo, in_force)
    gateway = serving(
        home, control, database, outbox, journal, ledger.check_publishable, clock, demo, gates.admit_attached
    )
    profiles = InForce(status, ledger, clock).history
    ground = Ground(home, clock, database, outbox, journal, ledger, identity, demo.__contains__, profiles)
    segments = receiving(home, ledger, outbox, clock)
    troubles = Troubles()
    of_rules, of_engines = RefusedOverrides(rules.refused, clock.now()), ChangedEngines(tenants, ledger.statements)
    of_home = (gateway.faults(segments.intake), *_of_log(database, ledger, people, home), RetentionFaults(troubles))
    every = (*of_home, of_rules, of_engines)
    cut = cutoff.wire(ground, gateway.gateway.block_key, lambda: [fault for found in every for fault in found()])
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
        models,
        status,
        _packs(status, ledger, outbox, clock),
        cut,
        demo,
        segments,
        gateway,
        deploying(home, gateway.gateway, cut.compute, tenants, clock, gates.admit),
        signing_in(
            database, people, identity.revocations, outbox, ledger, home.vault(passphrase), clock, signs=in_force
        ),
        access(identity, place),
        troubles,
        rules.refused,
        Keeper(home.path),
        lineages,
        gates,
    )


def _of_log(database: Database, ledger: Ledger, people: PeopleTable, home: Home) -> tuple[Faults, ...]:
    """Return what the log itself gives cause to look at: heads that conflict, passkeys that were copied."""
    return Conflicts(ledger, AnchorTables(database), home.tenant), copied_passkeys(database, ledger, people.tenants)


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
        enrolments=RootEnrolments(gate, home.root_public, outbox.numbers),
        custody=lambda: custody(home),
        recorder=outbox,
        emergency=journal,
        publication=ledger,
        append_enrolment=outbox.admit_from_root,
        transaction=database.transaction,
        clock=clock,
        token=lambda: secrets.token_urlsafe(32),
        services=counting(database, clock),
        factors=partial(factors, database),
        keys_of=partial(keys_of, ledger),
    )


def _packs(status: Status, ledger: Ledger, outbox: Outbox, clock: Clock) -> Packs:
    def rules(statements: Sequence[LoggedStatement], tenant: Tenant, at: datetime) -> Mapping[str, Any]:
        return rules_of(status.catalog, demo=status.is_demo(tenant))(statements, tenant, at)

    return Packs(
        log=ledger,
        rules=rules,
        trust=ledger.trusted(),
        evidence=evidence_of(status.catalog),
        recorder=outbox,
        publication=ledger,
        transaction=ledger.publishable,
        clock=clock,
    )


def _ledger(home: Home, database: Database, signer: Signer, outbox: Outbox, clock: Clock) -> Ledger:
    tiles, heads = tiles_at(home.tiles, home.path / "log"), CheckpointTable(database, home.log)
    own = Trust(home.log, home.root_public, signer.public().ledger, ())
    return Ledger(
        log=home.log,
        root_key=home.root_public,
        log_keys=own.log_keys,
        outbox=outbox,
        checkpoints=heads,
        tiles=tiles,
        tree=TileTree(tiles),
        sign=signer.head,
        exclusive=integrator(database, home.path / "log.lock"),
        transaction=database.transaction,
        clock=clock,
        check_signer=signer.check,
        kept=AnchorTables(database),
        replaced=SuccessionRows(database, home.tenant),
        vouched_before=Vouching(AnchorTables(database), heads, own).before,
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
        in_token=sum(name.endswith(IN_TOKEN) for path in home.key_files().values() for name in keyfile.names(path)),
    )
