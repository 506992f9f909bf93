"""The services of an open installation: everything that front ends and loops call."""

import secrets
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ringfence.acting import Acting, acting
from ringfence.artifacts.models.service import Models
from ringfence.artifacts.service import Artifacts
from ringfence.customers.service import Customers
from ringfence.cutoff.wires import CutOff
from ringfence.exports.annexiv.service import TechnicalDocumentation
from ringfence.exports.service import Exports
from ringfence.governance.oversight.service import Oversight
from ringfence.governance.resolutions.service import Governing
from ringfence.governance.service import Judgements
from ringfence.identity.service import Identity
from ringfence.identity.signin.locked import Lockouts
from ringfence.identity.signin.service import SignIn
from ringfence.identity.wires import Access, AccessNow, lockouts
from ringfence.installation import Home
from ringfence.kernel.clock import Clock
from ringfence.kernel.identifier import Tenant
from ringfence.keyrelease.service import KeyRelease
from ringfence.ledger.anchoring.store import AnchorTables
from ringfence.ledger.anchoring.vouching import Vouching
from ringfence.ledger.explorer.service import Explorer
from ringfence.ledger.explorer.store import IndexTables
from ringfence.ledger.service import Ledger
from ringfence.lineage.service import Lineages
from ringfence.obligations import catalog
from ringfence.obligations.comparing.service import Comparing
from ringfence.obligations.overriding.service import Overriding
from ringfence.obligations.policies.service import Policies
from ringfence.obligations.profiles.service import InForce, Profiles
from ringfence.obligations.scoping.service import Scopes
from ringfence.obligations.service import Status
from ringfence.redteam.service import RedTeam
from ringfence.reports.service import Packs
from ringfence.retention.service import Retention
from ringfence.retention.troubles import Troubles
from ringfence.signing.ports import Signer
from ringfence.signing.service import Keys
from ringfence.storage.database import Database
from ringfence.storage.journal import EmergencyJournal
from ringfence.storage.outbox import Outbox
from ringfence.workloads import rulebooks, scoping
from ringfence.workloads.anchoring import Anchored, anchoring
from ringfence.workloads.backups.service import Backups
from ringfence.workloads.behind import Behind
from ringfence.workloads.collecting.observing import Recorded
from ringfence.workloads.collecting.wires import collectors
from ringfence.workloads.console import signing
from ringfence.workloads.deploying import Deploying
from ringfence.workloads.gating.service import Gates
from ringfence.workloads.gating.wires import targets as gate_targets
from ringfence.workloads.governing import governing, overseeing
from ringfence.workloads.handing import handing
from ringfence.workloads.holdings import Holdings
from ringfence.workloads.judging import ASSESSMENT, judgements, targets
from ringfence.workloads.mlflow.service import ForeignRuns
from ringfence.workloads.practice.keeper import Keeper
from ringfence.workloads.receiving import Receiving
from ringfence.workloads.rechecking import Rechecking
from ringfence.workloads.releasing import Grounds, releasing
from ringfence.workloads.releasing import targets as release_targets
from ringfence.workloads.retaining import KeptFor, retaining
from ringfence.workloads.runs.service import Runs
from ringfence.workloads.serving import Serving
from ringfence.workloads.things import Belongings


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that front ends and loops call."""

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
    troubles: Troubles
    refused_overrides: str  # why no file of overrides counts; empty where all do
    practice: Keeper
    lineage: Lineages
    gates: Gates

    @property
    def behind(self) -> Behind:
        """Return what leads from an answer to the data behind it."""
        return Behind(self.receiving.receipts, self.packs.trust, self.lineage)

    @property
    def exports(self) -> Exports:
        """Return what writes the status in the formats of other tools."""
        register = self.judgements.risks
        return Exports(self.status.catalog, self.status, self.ledger, self.home.log, self.clock, register)

    @property
    def technical(self) -> TechnicalDocumentation:
        """Return what makes technical documentation of AI systems."""
        log, outbox = self.ledger, self.outbox
        is_demo = self.demo_tenants.__contains__
        return TechnicalDocumentation(
            self.status.catalog, log, outbox, log, log.publishable, self.home.log, self.clock, is_demo
        )

    @property
    def customers(self) -> Customers:
        """Return the register of customers: the log is the only place where it is kept."""
        ledger, outbox = self.ledger, self.outbox
        return Customers(
            log=ledger,
            boards=self.status,
            catalog=self.status.catalog,
            things=self.belongings,
            packs=self.packs,
            recorder=outbox,
            publication=ledger,
            transaction=ledger.publishable,
            draw=lambda: secrets.token_hex(6),
            profile=self.profile.selected,
            clock=self.clock,
            clocks=self.cutoff.incidents,
            waiting=outbox.waiting,
        )

    @property
    def belongings(self) -> Belongings:
        """Return what knows what a tenant has."""
        return Belongings(self.artifacts, self.models, self.cutoff.compute, self.serving.gateway)

    @property
    def policies(self) -> Policies:
        """Return which policies are in force, and which of their sentences still hold."""
        is_demo = self.demo_tenants.__contains__
        return Policies(self.status.catalog, self.status, self.ledger, is_demo, self.clock)

    @property
    def anchored(self) -> Anchored:
        """Return who anchors the heads of the log: all of it is in the database."""
        return anchoring(self.home, self.database, self.ledger, self.outbox, self.clock)

    @property
    def governing(self) -> Governing:
        """Return the resolutions of the management body: which votes stand is in the database."""
        identity, status = self.identity, self.status
        return governing(self.database, self.ledger, self.outbox, identity, status, self.clock)

    @property
    def overseeing(self) -> Oversight:
        """Return what reads the oversight log and the table of training from the log."""
        return overseeing(self.ledger, self.governing, self.status)

    @property
    def explorer(self) -> Explorer:
        """Return what readers search: its index is in the database."""
        return Explorer(self.ledger, IndexTables(self.database))

    @property
    def retention(self) -> Retention:
        """Return what sweeps, holds and erases: its lists are in the database."""
        people, troubles, defaults = self.identity.people, self.troubles, self.profile.retention
        return retaining(self.home, self.database, people, self.ledger, self.outbox, self.clock, troubles, defaults)

    @property
    def profile(self) -> InForce:
        """Return the profile that each tenant has put in force."""
        return InForce(self.status, self.ledger, self.clock)

    @property
    def profiles(self) -> Profiles:
        """Return what compares profiles, and puts one in force."""
        kept, ledger = KeptFor(self.home.path), self.ledger
        return Profiles(self.status, kept, self.outbox, ledger, ledger.publishable)

    @property
    def keyrelease(self) -> KeyRelease:
        """Return what releases keys to nodes: challenges, leases and devices are in the database."""
        return releasing(
            Grounds(self.home, self.database, self.ledger, self.outbox, self.clock, self.demo_tenants.__contains__),
            self.identity,
            self.artifacts,
            self.cutoff.compute,
        )

    @property
    def overriding(self) -> Overriding:
        """Return what says what the team's overrides came to."""
        status, ledger = self.status, self.ledger
        return Overriding(
            status, catalog.load(), self.refused_overrides, self.outbox, ledger, ledger.publishable, self.clock
        )

    @property
    def comparing(self) -> Comparing:
        """Return what holds the rules that count against others."""
        return rulebooks.comparing(self.status, self.ledger, self.clock)

    @property
    def redteam(self) -> RedTeam:
        """Return the runs of the red team: the log is the only place where they are kept."""
        return RedTeam(self.ledger.publishable, self.ledger, self.outbox, self.ledger)

    @property
    def acting(self) -> Acting:
        """Return the acts that people sign in the browser: what waits for a signature is in the database."""
        takers = (
            self.cutoff.compute,
            self.cutoff.incidents,
            self.access.reviews,
            self.governing,
            self.overriding,
            self.profiles,
        )
        here = signing.targets(self.packs, self.artifacts, self.outbox)
        others = {**targets(self.judgements), **here, **scoping.targets(self.scopes), **gate_targets(self.gates)}
        others = handing(self.customers, {**others, **release_targets(self.keyrelease)})
        registers, policies = {ASSESSMENT: self.judgements.risks.counted}, self.identity.policies
        return acting(self.database, self.ledger, self.outbox, policies, self.clock, takers, others, registers)

    @property
    def scopes(self) -> Scopes:
        """Return what signs a scope: the log is the only place where it is kept."""
        return scoping.scopes(self.home.path, self.ledger, self.outbox, self.clock)

    @property
    def judgements(self) -> Judgements:
        """Return the risks, exceptions and opinions: the log is the only place where they are kept."""
        return judgements(self.status, self.ledger, self.outbox, self.identity)

    @property
    def holdings(self) -> Holdings:
        """Return what counts what a tenant holds."""
        now = AccessNow(self.identity, self.access.accounts)
        return Holdings(now, self.ledger, self.artifacts, self.models, self.serving.gateway, self.cutoff)

    @property
    def lockouts(self) -> Lockouts:
        """Return what states whom somebody guesses at."""
        return lockouts(self.identity, self.signin)

    @property
    def keys(self) -> Keys:
        """Return what the log knows about signing keys."""
        # Not the log's own, which remembers: what is asked here is about times that are no key's end yet.
        vouching = Vouching(AnchorTables(self.database), self.ledger.checkpoints, self.ledger.trusted())
        return Keys(
            self.home.root_public,
            self.signer.public,
            self.ledger.statements,
            self.outbox.admit_from_root,
            self.outbox,
            self.ledger.publishable,
            self.ledger,
            self.clock,
            vouching.before,
        )

    @property
    def foreign_runs(self) -> ForeignRuns:
        """Return what records the runs that another system saw."""
        return ForeignRuns(self.ledger.publishable, self.outbox, self.ledger)

    @property
    def runs(self) -> Runs:
        """Return what records the runs of commands: the log is the only place where they are kept."""
        return Runs(self.ledger.publishable, self.artifacts.datasets, self.outbox, self.ledger)

    @property
    def backups(self) -> Backups:
        """Return what records backups of datasets and models: the log is the only place where they are kept."""
        return Backups(self.ledger, self.outbox, self.ledger, self.ledger.publishable)

    @property
    def rechecking(self) -> Rechecking:
        """Return what looks again at the bytes that engines have; keep it, since it remembers when it looked."""
        return Rechecking(self.deploying.keeping, self.ledger, self.outbox, self.ledger.publishable, self.clock)

    @property
    def collectors(self) -> dict[str, Recorded]:
        """Return the evidence types that a collector of ours can state, and how."""
        return collectors(self)

    def settle(self, tenant: Tenant) -> None:
        """Finish what ends somebody's access and was cut off."""
        self.identity.settle(tenant)
        self.access.accounts.settle(tenant)

    def replay_journals(self) -> int:
        """Sequence what containment wrote while the database was away; return how many statements that were."""
        tenants = [record.tenant for record in self.identity.people.tenants()]
        replayed = sum(self.journal.replay(tenant) for tenant in tenants)
        if replayed:
            self.ledger.integrate()  # so that it is known which keys are revoked already
            for tenant in tenants:
                self.settle(tenant)
        return replayed
