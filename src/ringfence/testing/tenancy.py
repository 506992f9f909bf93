"""A second tenant of an installation, with one person per role, founded and enrolled as the product does it.

other = second(services, home)                     # the tenant `other`
with other.http(services, Role.ENGINEER) as http:  # its engineer asks
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI

from ringfence.enrolment import Known, NewPerson, enrolled_again, operator_enrolled
from ringfence.frontends.client import InProcessTransport
from ringfence.identity.service import hashed
from ringfence.identity.tenants.service import Founding
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft
from ringfence.ledger.books import pinned
from ringfence.ledger.entry import tenant_tag
from ringfence.server import create_app
from ringfence.services import Services
from ringfence.storage import keyfile
from ringfence.testing.home import ADDRESS, LabHome, signed

OTHER = Tenant("other")


@dataclass(frozen=True, slots=True)
class LabTenant:
    """A tenant, and the keys of everybody in it."""

    tenant: Tenant
    people: Mapping[Role, NewPerson]

    def actor(self, role: Role = Role.OWNER) -> Person:
        """Return the person of a role."""
        return Person(self.people[role].id, self.tenant, role)

    @contextmanager
    def http(
        self, services: Services, role: Role = Role.OWNER, *, app: FastAPI | None = None
    ) -> Iterator[httpx.Client]:
        """Give a client of the whole app (or of `app`) in this process, with the token of a role."""
        headers = {"authorization": f"Bearer {self.people[role].token}"}
        with start_blocking_portal() as portal:
            transport = InProcessTransport(app or create_app(services), portal)
            with httpx.Client(base_url=ADDRESS, transport=transport, headers=headers) as client:
                yield client


def root_of(home: LabHome) -> NewPerson:
    """Return somebody who signs with the root key."""
    seed = keyfile.load(home.path / "keys" / "root.json", None).secret("root")
    return replace(home.people[Role.OWNER], seed=seed)


def founding(services: Services, home: LabHome, tenant: Tenant, owner: NewPerson, *, demo: bool = False) -> Founding:
    """Return what the root signs for a new tenant."""
    root, now = root_of(home), services.clock.now()
    known = Known(root.signer.public_key, services.home.log, services.home.tenant, now)
    again = enrolled_again(services.access.tenants.to_enrol(home.actor()), known)
    tag = tenant_tag(salt := b"s" * 32, tenant)
    drafts = [pinned(each, tag) for each in (*again, operator_enrolled(owner, "file-plain", now))]

    def by_root(number: int, draft: Draft) -> tuple[Envelope, Opening | None]:
        return signed(services, root, draft, tenant=tenant, sequence=number, demo=demo)

    *served, first = [by_root(number, draft) for number, draft in enumerate(drafts, start=1)]
    return Founding(tenant, demo, tuple(served), first, owner.name, hashed(owner.token), salt)


def second(services: Services, home: LabHome, tenant: Tenant = OTHER) -> LabTenant:
    """Found a tenant with one person per role."""
    people = {role: NewPerson.make(f"B {role.value}", role) for role in Role}
    services.access.tenants.found(founding(services, home, tenant, people[Role.OWNER]), by=home.actor())
    root = root_of(home)
    for role, person in people.items():
        if role is Role.OWNER:
            continue
        wanted = operator_enrolled(person, "file-plain", services.clock.now())
        envelope, opening = signed(services, root, wanted, tenant=tenant)
        services.identity.enrol(envelope, opening, name=person.name, role=role, token_hash=hashed(person.token))
    return LabTenant(tenant, people)
