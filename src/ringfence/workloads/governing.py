"""The wires of resolutions: who the management body is, what is in force, and what the log holds."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ringfence.cutoff.colleagues import Colleagues, nobody_known
from ringfence.governance.oversight.service import Oversight
from ringfence.governance.resolutions.model import Head, MeasureSet, Member
from ringfence.governance.resolutions.service import Governing
from ringfence.governance.resolutions.statements import MEASURED
from ringfence.governance.resolutions.store import ResolutionTables
from ringfence.governance.signed import Log, Said, counting
from ringfence.identity.service import Identity
from ringfence.kernel.actor import Role
from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import NotFound
from ringfence.kernel.identifier import PersonId, PredicateName, Tenant
from ringfence.kernel.two_person import Half
from ringfence.ledger.custody import HEAD_EXPORTED, exported_heads
from ringfence.ledger.exhibit import Proof, row
from ringfence.ledger.model import Standing
from ringfence.ledger.service import Ledger
from ringfence.obligations.service import Status
from ringfence.storage.database import Database
from ringfence.storage.outbox import Outbox

POLICY = PredicateName("policy.version_signed")
SELECTED = PredicateName("profile.selected")
TRIAGE = PredicateName("incident.triage")
TRAINED = "gov-06.training"
_DIGITS = 6  # bytes of the random part of an id


@dataclass(frozen=True, slots=True)
class ManagementBody:
    """`governance.resolutions.ports.Body`: the people of the role management."""

    identity: Identity
    colleagues: Colleagues

    def members(self, tenant: Tenant) -> Mapping[PersonId, Member]:
        """Return everybody of the role management who is here now."""
        here = self.identity.people.all(tenant)
        return {
            one.id: Member(one.id, one.name, one.enrolled_at)
            for one in here
            if one.role is Role.MANAGEMENT and one.removed_at is None and one.id not in self.identity.revocations
        }

    def half(self, tenant: Tenant, person: PersonId, envelope: Digest) -> Half:
        """Return what the log knows of a statement that the person signed; raise `Refused` where it counts not."""
        return self.colleagues.half(tenant, person, envelope)


@dataclass(frozen=True, slots=True)
class InForce:
    """`governance.resolutions.ports.Matters` over the rules and the log."""

    rules: Callable[[], Digest]  # with the overrides of the team
    log: Log

    def measures(self, tenant: Tenant) -> MeasureSet:
        """Return the rules, the profile that is selected, and the newest signed version of each policy."""
        named: dict[str, str] = {}
        for said in counting(self.log.statements(tenant, (POLICY, SELECTED))):
            named |= _named(said)
        return MeasureSet(self.rules(), tuple(f"{name} {version}" for name, version in sorted(named.items())))

    def significant_incidents(self, tenant: Tenant, since: datetime | None) -> int:
        """Count the incidents that somebody found significant since a time."""
        return len(
            {
                logged.envelope.statement.claims.get("incident")
                for logged in self.log.statements(tenant, (TRIAGE,))
                if logged.standing == Standing.TRUSTED
                and logged.envelope.statement.claims.get("significant") is True
                and (since is None or logged.recorded_at >= since)
            }
        )


def _named(said: Said) -> dict[str, str]:
    claims = said.claims
    if said.predicate == SELECTED:
        return {"profile": str(claims.get("profile"))}
    return {str(claims.get("policy")): str(claims.get("version"))}


@dataclass(frozen=True, slots=True)
class OfControls:
    """`governance.resolutions.ports.Controls` over the computed status."""

    status: Status

    def __call__(self, tenant: Tenant, control: str) -> Mapping[str, Any]:
        """Return what a control asks and where it stands now; raise `NotFound`."""
        found = self.status.catalog.control(control)
        board = self.status.board(tenant)
        state = next(one.verdict.state.value for one in board.controls if one.control.id == control)
        return {"title": found.title, "requirement": found.requirement, "state": state}


@dataclass(frozen=True, slots=True)
class InTheLog:
    """`governance.resolutions.ports.Stated` over ledger and outbox."""

    ledger: Ledger
    outbox: Outbox

    def head(self) -> Head:
        """Return the newest published head."""
        head = self.ledger.published_head().checkpoint
        return Head(head.size, head.root.hex())

    def is_head(self, head: Head) -> bool:
        """Tell whether this was published as a head of the log."""
        try:
            return self.ledger.checkpoint(head.size).checkpoint.root.hex() == head.root
        except NotFound:
            return False

    def measured(self, tenant: Tenant) -> Mapping[str, Any]:
        """Return the claims of the newest statement of the measures in force; empty where there is none."""
        newest = self.ledger.page(tenant, limit=1, predicates=(MEASURED,))
        return newest[0].envelope.statement.claims if newest else {}

    def envelope(self, digest: Digest) -> Envelope | None:
        """Return a statement, integrated or not."""
        return self.outbox.stated(digest)

    def digests(self, tenant: Tenant, entries: Sequence[int]) -> list[Digest]:
        """Return the statements of a tenant at these entries; raise `NotFound` where one is not there."""
        found = {logged.entry: logged.envelope.digest for logged in self.ledger.named(tenant, entries)}
        missing = [entry for entry in entries if entry not in found]
        if missing:
            raise NotFound(f"entry {missing[0]} of the log is no statement of this tenant; see `ringfence ledger list`")
        return [found[entry] for entry in entries]

    def entries(self, tenant: Tenant, digests: Iterable[Digest]) -> Mapping[Digest, int]:
        """Return where statements of a tenant stand in the log, those that have a place."""
        places = {digest: entry for digest in set(digests) if (entry := self.ledger.entry_of(digest)) is not None}
        own = {logged.entry for logged in self.ledger.named(tenant, list(places.values()))}
        return {digest: entry for digest, entry in places.items() if entry in own}

    def details(self, tenant: Tenant, digests: Iterable[Digest]) -> Mapping[Digest, Mapping[str, Any]]:
        """Return the side records of statements that are there still."""
        places = self.entries(tenant, digests)
        return {
            logged.envelope.digest: logged.opening.details
            for logged in self.ledger.named(tenant, list(places.values()))
            if logged.opening is not None
        }


def governing(
    database: Database, ledger: Ledger, outbox: Outbox, identity: Identity, status: Status, clock: Clock
) -> Governing:
    """Join ports and adapters."""
    colleagues = Colleagues(identity, nobody_known, ledger.issuers, outbox.stated)
    return Governing(
        resolutions=ResolutionTables(database, outbox.stated),
        body=ManagementBody(identity, colleagues),
        matters=InForce(lambda: status.catalog.digest, ledger),
        controls=OfControls(status),
        stated=InTheLog(ledger, outbox),
        recorder=outbox,
        publication=ledger,
        publishable=ledger.publishable,
        clock=clock,
        draw=lambda: secrets.token_hex(_DIGITS),
    )


def overseeing(ledger: Ledger, governing: Governing, status: Status) -> Oversight:
    """Join what reads the oversight log and the table of training."""
    return Oversight(ledger, governing.body, lambda: status.catalog.requirements[TRAINED].freshness)


@dataclass(frozen=True, slots=True)
class ProofChips:
    """`governance.ports.Proofs` over the ledger."""

    ledger: Ledger

    def __call__(self, tenant: Tenant, statement: Digest) -> Proof | None:
        """Return what a proof chip shows; None before the statement has a place in the log."""
        entry = self.ledger.entry_of(statement)
        found = [] if entry is None else self.ledger.named(tenant, (entry,))
        if not found:
            return None
        return row(found[0], exported_heads(self.ledger.statements(tenant, (HEAD_EXPORTED,)))).proof
