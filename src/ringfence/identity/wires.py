"""Join the parts of identity beside people themselves: tenants, services, names elsewhere, imports, reviews."""

import secrets
from collections.abc import Callable, Iterator, Mapping, MutableSet
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ringfence.identity.accounts.service import ServiceAccounts
from ringfence.identity.accounts.store import AccountTable
from ringfence.identity.federation.providers import ClientFile, HttpProvider
from ringfence.identity.federation.service import Federation
from ringfence.identity.federation.store import AliasTable
from ringfence.identity.joining.service import Joining
from ringfence.identity.ports import Books
from ringfence.identity.reviews.model import Item
from ringfence.identity.reviews.service import AccessReviews
from ringfence.identity.reviews.store import ReviewTables
from ringfence.identity.service import Identity
from ringfence.identity.signin.locked import Lockouts
from ringfence.identity.signin.model import Owner
from ringfence.identity.signin.service import SignIn
from ringfence.identity.tenants.service import Tenants
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import KeyId, PersonId, Tenant
from ringfence.storage.database import Database
from ringfence.storage.journal import EmergencyJournal


@dataclass(frozen=True, slots=True)
class Access:
    """What front ends call."""

    tenants: Tenants
    accounts: ServiceAccounts
    federation: Federation
    joining: Joining
    reviews: AccessReviews


@dataclass(frozen=True, slots=True)
class Place:
    """What the installation gives."""

    first: Tenant
    home: Path
    database: Database
    demos: MutableSet[Tenant]
    service_keys: Callable[[], Mapping[KeyId, Envelope]]
    journal: EmergencyJournal
    books: Books

    def reserve(self, tenant: Tenant) -> None:
        """Reserve the disk of a tenant's emergency journal; one of an attempt that failed is as good."""
        file = self.journal.file(tenant)
        if not file.path.exists():
            file.create()


def counting(database: Database, clock: Clock) -> Callable[[Tenant], int]:
    """Return what counts a tenant's services with a key in force."""
    table = AccountTable(database)
    return lambda tenant: sum(account.in_force(clock.now()) for account in table.all(tenant))


def _draw() -> str:
    return secrets.token_hex(6)


@dataclass(frozen=True, slots=True)
class AccessNow:
    """`reviews.ports.Access` over people and services."""

    identity: Identity
    accounts: ServiceAccounts

    def entries(self, tenant: Tenant) -> list[Item]:
        """Return an entry for every person and service with access."""
        revoked = self.identity.revocations
        people = [p for p in self.identity.register(tenant) if p.removed_at is None and p.id not in revoked]
        services = self.accounts.in_force(tenant)
        return [Item(p.id, p.role.value) for p in people] + [Item(a.id, a.role.value) for a in services]

    def bar(self, subject: PersonId) -> None:
        """Let somebody in no more, durably and outside the database."""
        self.identity.revocations.revoke(subject)

    def end(self, subject: PersonId, by: Person) -> None:
        """End the access of a person or service, by the ordinary way."""
        if subject.startswith("service-"):
            self.accounts.revoke(by, subject, "access-review")
        else:
            self.identity.remove(subject, by=by, left_at=None, reason="access-review")


def _accounts(identity: Identity, place: Place) -> ServiceAccounts:
    return ServiceAccounts(
        accounts=AccountTable(place.database),
        policies=identity.policies,
        revocations=identity.revocations,
        recorder=identity.recorder,
        emergency=identity.emergency,
        publication=identity.publication,
        transaction=identity.transaction,
        clock=identity.clock,
        token=identity.token,
        draw=_draw,
    )


def access(identity: Identity, place: Place) -> Access:
    """Join ports and adapters."""
    aliases, accounts = AliasTable(place.database), _accounts(identity, place)
    client = ClientFile(place.home / "oidc.json")

    def linked(tenant: Tenant, source: str) -> dict[str, PersonId]:
        return {alias.subject: alias.person for alias in aliases.of(tenant) if alias.source == source}

    return Access(
        tenants=Tenants(
            first=place.first,
            people=identity.people,
            enrolments=identity.enrolments,
            books=place.books,
            service_keys=place.service_keys,
            reserve=place.reserve,
            append=identity.append_enrolment,
            transaction=identity.transaction,
            publication=identity.publication,
            clock=identity.clock,
            demos=place.demos,
        ),
        accounts=accounts,
        federation=Federation(
            configured=client,
            provider=HttpProvider(client),
            aliases=aliases,
            people=identity.people,
            revocations=identity.revocations,
            recorder=identity.recorder,
            publication=identity.publication,
            transaction=identity.transaction,
            clock=identity.clock,
            token=identity.token,
        ),
        joining=Joining(
            people=identity.people,
            linked=linked,
            bar=identity.revocations.revoke,
            remove=partial(_removed, identity),
            recorder=identity.recorder,
            publication=identity.publication,
            transaction=identity.transaction,
        ),
        reviews=AccessReviews(
            reviews=ReviewTables(place.database),
            access=AccessNow(identity, accounts),
            recorder=identity.recorder,
            publication=identity.publication,
            transaction=identity.transaction,
            clock=identity.clock,
            draw=_draw,
        ),
    )


def _removed(identity: Identity, person: PersonId, *, by: Person, reason: str) -> Acknowledgement:
    return identity.remove(person, by=by, left_at=None, reason=reason)


def lockouts(identity: Identity, signin: SignIn) -> Lockouts:
    """Join what states lock-outs to people and their attempts."""

    def everybody() -> Iterator[Owner]:
        for tenant in identity.people.tenants():
            for person in identity.register(tenant.tenant):
                if person.removed_at is None:
                    yield Owner(person.tenant, person.id)

    return Lockouts(everybody, signin.guard, identity.recorder, signin.publishable)
