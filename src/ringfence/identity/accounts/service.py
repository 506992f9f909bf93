"""Enrol services, know them by their keys, end them at once."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import timedelta

from ringfence.identity.accounts.model import (
    MAX_DAYS,
    MAX_SERVICES,
    PREFIX,
    USE_NOTED_EVERY,
    Account,
)
from ringfence.identity.accounts.ports import Accounts
from ringfence.identity.accounts.statements import service_enrolled, service_revoked
from ringfence.identity.model import check_name
from ringfence.identity.policy import Policies
from ringfence.identity.ports import Revocations
from ringfence.identity.service import hashed
from ringfence.kernel.actor import Person, Role, Service
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, Unauthenticated, Unavailable
from ringfence.kernel.evidence import Acknowledgement, EmergencyRecorder, Publication, Recorder, Stage
from ringfence.kernel.identifier import PersonId, Tenant


@dataclass(frozen=True, slots=True)
class Issued:
    """A service with its key, which is shown this once."""

    account: Account
    secret: str
    statement: Acknowledgement


@dataclass(frozen=True, slots=True)
class ServiceAccounts:
    """The use cases of services."""

    accounts: Accounts
    policies: Policies
    revocations: Revocations
    recorder: Recorder
    emergency: EmergencyRecorder
    publication: Publication
    transaction: Callable[[], AbstractContextManager[None]]
    clock: Clock
    token: Callable[[], str]
    draw: Callable[[], str]  # twelve hexadecimal digits

    def authenticate(self, secret: str) -> Service:
        """Return the service behind a key; raise `Unauthenticated`."""
        now = self.clock.now()
        account = self.accounts.by_secret(hashed(secret))
        if account is None or not account.in_force(now) or account.id in self.revocations:
            raise Unauthenticated("this service's key is not known here, has expired, or was revoked")
        self._note_use(account)
        return account.actor

    def enrol(self, by: Person, name: str, role: Role, scope: frozenset[str], days: int) -> Issued:
        """Make a service and its key.

        Raises:
            Refused: role or schema do not permit something in the scope to a service.
        """
        check_name(name)
        if not 1 <= days <= MAX_DAYS:
            raise MalformedInput(f"a service's key is good for 1 to {MAX_DAYS} days")
        secret, now = PREFIX + self.token(), self.clock.now()
        service = PersonId(f"service-{self.draw()}")
        account = Account(service, by.tenant, role, name, scope, hashed(secret), now, now + timedelta(days=days))
        self._check_scope(account.actor)
        with self.transaction():
            if sum(known.in_force(now) for known in self.accounts.all(by.tenant)) >= MAX_SERVICES:
                raise Refused(f"a tenant has at most {MAX_SERVICES} services; revoke some")
            self.accounts.add(account)
            done = self.recorder.record(service_enrolled(account, by), tenant=by.tenant)
        return Issued(account, secret, self.publication.published(done.envelope))

    def revoke(self, by: Person, service: PersonId, reason: str) -> Acknowledgement:
        """End a service's access, now: containment acts first, the register follows."""
        account = self.accounts.by_id(by.tenant, service)
        if account is None:
            raise NotFound(f"no service here is called {service}; see `ringfence service list`")
        now = self.clock.now()
        self.revocations.revoke(service)
        done = self.emergency.record(service_revoked(account, by, reason, now), tenant=by.tenant)
        with suppress(Unavailable):
            with self.transaction():
                self.accounts.end(account, now)
            if done.stage is not Stage.JOURNALLED:  # else it waits for the database or for its signature
                return self.publication.published(done.envelope)
        return done

    def settle(self, tenant: Tenant) -> None:
        """Bring the register into line with revocations that the database could not take at their time."""
        for account in self.accounts.all(tenant):
            if account.revoked_at is None and account.id in self.revocations:
                with self.transaction():
                    self.accounts.end(account, self.clock.now())

    def all(self, tenant: Tenant) -> list[Account]:
        """Return every service of a tenant, ended ones included."""
        return self.accounts.all(tenant)

    def in_force(self, tenant: Tenant) -> list[Account]:
        """Return the services whose keys open something now."""
        now = self.clock.now()
        return [a for a in self.accounts.all(tenant) if a.in_force(now) and a.id not in self.revocations]

    def _check_scope(self, service: Service) -> None:
        for action in sorted(service.scope):
            if not self.policies.allows(service, action):
                raise Refused(f"the role {service.role} does not permit {action} to a service; choose another scope")

    def _note_use(self, account: Account) -> None:
        now = self.clock.now()
        if account.last_used_at is not None and now - account.last_used_at < USE_NOTED_EVERY:
            return
        with suppress(Unavailable), self.transaction():  # who may come in must not depend on whether it is noted
            self.accounts.note_use(account, now)
