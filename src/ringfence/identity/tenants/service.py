"""Found a tenant: its service keys and its first owner, enrolled by the root in one transaction."""

from collections.abc import Callable, Mapping, MutableSet
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from ringfence.identity.model import PersonRecord, TenantRecord, check_name
from ringfence.identity.ports import Books, Enrolments, People
from ringfence.identity.service import enrolled
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, MalformedInput, Refused, VerificationFailed
from ringfence.kernel.evidence import Acknowledgement, Publication
from ringfence.kernel.identifier import KeyId, Tenant, key_id

MAX_TENANTS = 1000  # each has four MiB of reserved disk, and the gateway's snapshot holds the keys of all

Posted = tuple[Envelope, Opening | None]


@dataclass(frozen=True, slots=True)
class Founding:
    """What the root signed for a new tenant, and what of its first owner stays in the database."""

    tenant: Tenant
    demo: bool
    services: tuple[Posted, ...]
    owner: Posted
    owner_name: str
    token_hash: bytes
    salt: bytes = field(repr=False)  # under which the log names the tenant: whoever holds the root drew it


@dataclass(frozen=True, slots=True)
class Tenants:
    """The use cases of tenants."""

    first: Tenant
    people: People
    enrolments: Enrolments
    books: Books
    service_keys: Callable[[], Mapping[KeyId, Envelope]]  # in force now, with their enrolment
    reserve: Callable[[Tenant], None]  # the emergency journal's disk
    append: Callable[[Envelope, Opening | None], Acknowledgement]
    transaction: Callable[[], AbstractContextManager[None]]
    publication: Publication
    clock: Clock
    demos: MutableSet[Tenant]

    def seen_by(self, person: Person) -> list[TenantRecord]:
        """Return the tenants that somebody may know of: the first one's owners look after the installation."""
        return [record for record in self.people.tenants() if person.tenant in {self.first, record.tenant}]

    def to_enrol(self, person: Person) -> list[Envelope]:
        """Return what the root signs again for a new tenant: the enrolment of each service key in force."""
        self._check_looks_after(person)
        return list(self.service_keys().values())

    def found(self, founding: Founding, *, by: Person) -> Acknowledgement:
        """Add a tenant; raise where the root did not sign for exactly the keys that serve it."""
        self._check_looks_after(by)
        self._check_mark(founding)
        self._check_new(founding.tenant)  # before its book is: a name that is taken is no forgery
        for envelope, _ in (*founding.services, founding.owner):
            self.enrolments.check_enrolment(envelope)
            if envelope.statement.issuance.tenant != founding.tenant:
                raise MalformedInput("an enrolment is for another tenant", source="envelope")
            self.books.check(envelope, founding.salt)
        self._check_services(founding)
        owner = self._owner(founding)
        self.reserve(founding.tenant)
        return self._commit(founding, owner)

    def _commit(self, founding: Founding, owner: PersonRecord) -> Acknowledgement:
        marked = founding.demo and founding.tenant not in self.demos
        if marked:
            self.demos.add(founding.tenant)
        try:
            with self.transaction():
                self._check_new(founding.tenant)
                self.people.add_tenant(TenantRecord(founding.tenant, founding.demo, self.clock.now()))
                self.people.add(owner)
                self.books.begin(founding.tenant, founding.salt)
                for envelope, opening in founding.services:
                    self.append(envelope, opening)
                done = self.append(*founding.owner)
        except BaseException:
            if marked:
                self.demos.discard(founding.tenant)
            raise
        return self.publication.published(done.envelope)

    def _check_looks_after(self, person: Person) -> None:
        if person.tenant != self.first:
            raise Refused("tenants are added by an owner of the first one, who looks after this installation")

    def _check_new(self, tenant: Tenant) -> None:
        known = [record.tenant for record in self.people.tenants()]
        if tenant in known:
            raise Conflict(f"there is a tenant {tenant} already; choose another name")
        if len(known) >= MAX_TENANTS:
            raise Refused(f"an installation holds at most {MAX_TENANTS} tenants; make another one")

    def _check_mark(self, founding: Founding) -> None:
        if founding.demo == (self.first in self.demos):
            return
        here = "a demo" if self.first in self.demos else "a real installation"
        raise Refused(f"this is {here}; demo and real tenants never share a log (ringfence init makes another home)")

    def _check_services(self, founding: Founding) -> None:
        wanted = self.service_keys()
        brought = {key_id(envelope.statement.subjects[0].digest.hex): envelope for envelope, _ in founding.services}
        if len(brought) != len(founding.services) or brought.keys() != wanted.keys():
            raise VerificationFailed("the root must enrol every service key that is in force here, and no other")
        for key, envelope in brought.items():
            if not self.books.same(envelope, wanted[key]):
                raise VerificationFailed(f"the enrolment of {key[:16]}… is not what the first tenant knows of that key")

    def _owner(self, founding: Founding) -> PersonRecord:
        envelope, opening = founding.owner
        name = founding.owner_name
        person, key = enrolled(envelope)
        check_name(name)
        if opening is None or opening.details != {"name": name, "role": Role.OWNER.value}:
            raise VerificationFailed("name and role are not those that the root signed; the first person is an owner")
        return PersonRecord(person, founding.tenant, Role.OWNER, name, key, founding.token_hash, self.clock.now())
