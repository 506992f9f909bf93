"""Statements with details, and a source in memory that a test can watch or break."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.retention.model import ClassName, Item, Tally
from ringfence.retention.ports import Wanted
from ringfence.services import Services
from ringfence.testing.home import TENANT

PERSONAL = "Ada Lovelace of 203.0.113.7"


def told(
    services: Services,
    predicate: str = "lab.observed",
    *,
    subject: str = "system/lab",
    tenant: Tenant = TENANT,
    claims: Mapping[str, Any] | None = None,
    **details: Any,
) -> Digest:
    """State something with details; return the digest of its envelope."""
    subjects = (Subject(subject, Digest.of(subject.encode())),)
    named = {"who": PERSONAL} | details
    draft = Draft(PredicateName(predicate), subjects, dict(claims or {"system": "lab"}), Strength.OBSERVED, named)
    with services.database.transaction():
        done = services.outbox.record(draft, tenant=tenant)
    services.ledger.integrate()
    return done.envelope


def details_of(services: Services, envelope: Digest, tenant: Tenant = TENANT) -> dict[str, Any] | None:
    """Return the details of a statement, or None where they are gone."""
    for logged in services.ledger.statements(tenant):
        if logged.envelope.digest == envelope:
            return None if logged.opening is None else logged.opening.details
    message = "the log has no such statement"
    raise AssertionError(message)


def commitment_of(services: Services, envelope: Digest, tenant: Tenant = TENANT) -> Digest:
    """Return the commitment of a statement."""
    found = next(one for one in services.ledger.statements(tenant) if one.envelope.digest == envelope)
    assert found.envelope.statement.details is not None
    return found.envelope.statement.details


def stated(services: Services, predicate: str, tenant: Tenant = TENANT) -> list[Mapping[str, Any]]:
    """Return the claims of every statement of a type."""
    found = services.ledger.statements(tenant, (PredicateName(predicate),))
    return [one.envelope.statement.claims for one in found]


@dataclass
class MemorySource:
    """`Source` over a dictionary."""

    items: dict[str, Item] = field(default_factory=dict)
    name: str = "memory"
    before_destroying: Callable[[], None] = lambda: None
    broken: dict[str, str] = field(default_factory=dict)  # keys that cannot be destroyed, and why
    refused: tuple[Tenant, ...] = ()  # tenants of whom nothing can be read
    destroyed: list[str] = field(default_factory=list)

    def put(self, key: str, kind: str, since: datetime, **known: Any) -> Item:
        """Keep an item."""
        self.items[key] = Item(ClassName(kind), self.name, key, since, known.pop("predicate", "lab"), **known)
        return self.items[key]

    def tally(self, tenant: Tenant) -> Mapping[ClassName, Tally]:
        """Return how many there are."""
        del tenant
        kinds = {item.kind for item in self.items.values()}
        return {kind: Tally(sum(item.kind == kind for item in self.items.values())) for kind in kinds}

    def older(self, tenant: Tenant, kind: ClassName, before: datetime, *, skip: int, limit: int) -> Sequence[Item]:
        """Return items of a class, the oldest first."""
        if tenant in self.refused:
            raise Unavailable("the folder cannot be read")
        found = [item for item in self.items.values() if item.kind == kind and item.since <= before]
        return sorted(found, key=lambda item: (item.since, item.key))[skip : skip + limit]

    def load(self, tenant: Tenant, keys: Sequence[str]) -> Sequence[Item]:
        """Return those that are still here."""
        del tenant
        return [self.items[key] for key in keys if key in self.items]

    def about(self, tenant: Tenant, wanted: Wanted, limit: int) -> Sequence[Item]:
        """Return those that somebody is named in."""
        del tenant
        names = wanted.names | {wanted.subject}
        return [item for item in self.items.values() if not names.isdisjoint(item.names)][:limit]

    def destroy(self, tenant: Tenant, items: Sequence[Item]) -> None:
        """Forget items."""
        del tenant
        if items:
            self.before_destroying()
        for item in items:
            if item.key in self.broken:
                raise Unavailable(self.broken[item.key])
            if self.items.pop(item.key, None):
                self.destroyed.append(item.key)
