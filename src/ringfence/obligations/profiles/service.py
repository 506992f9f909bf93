"""Compare profiles, show what another one would change, and take the signature that puts it in force."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, NotFound
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft
from ringfence.obligations import profile
from ringfence.obligations.choices import NO_PROFILE, NONE, Profile, Selected
from ringfence.obligations.ports import Statements
from ringfence.obligations.profile import SELECTED
from ringfence.obligations.profiles import statement
from ringfence.obligations.profiles.difference import Side, difference, digest_of
from ringfence.obligations.profiles.ports import Kept
from ringfence.obligations.records import Records
from ringfence.obligations.service import Status


@dataclass(frozen=True, slots=True)
class Choice:
    """A profile, what would change, and what is signed to put it in force."""

    profile: Profile
    difference: Mapping[str, Any]
    draft: Draft


@dataclass(frozen=True, slots=True)
class InForce:
    """The profile that a tenant has signed, as other parts ask for it: the newest statement decides."""

    status: Status
    log: Statements
    clock: Clock

    def selected(self, tenant: Tenant) -> Selected | None:
        """Return the profile in force."""
        return profile.in_force(self.status.catalog, self._records(tenant), self.clock.now())

    def history(self, tenant: Tenant) -> tuple[Selected, ...]:
        """Return every profile that was put in force, the oldest first: a clock that runs keeps that of its start."""
        return profile.history(self.status.catalog, self._records(tenant), self.clock.now())

    def retention(self, tenant: Tenant) -> Mapping[str, int]:
        """Return the days for which the profile keeps each class that it speaks of."""
        found = self.selected(tenant)
        return kept_by(found.profile if found else NONE)

    def _records(self, tenant: Tenant) -> Records:
        return Records.of(tenant, self.log.statements(tenant, (SELECTED,)), demo=self.status.is_demo(tenant))


@dataclass(frozen=True, slots=True)
class Profiles:
    """The use cases of profiles."""

    status: Status
    kept: Kept
    recorder: Recorder
    publication: Publication
    publishable: Callable[[], AbstractContextManager[None]]

    def every(self) -> list[Profile]:
        """Return the shipped profiles."""
        return list(self.status.catalog.profiles.values())

    def one(self, name: str) -> Profile:
        """Return a profile by its name; `none` is one."""
        found = profile.named(self.status.catalog, name)
        if found is None:
            known = ", ".join([*self.status.catalog.profiles, NO_PROFILE])
            raise NotFound(f"there is no profile {name[:40]!r}; there are {known}")
        return found

    def in_force(self, tenant: Tenant) -> Selected | None:
        """Return the profile in force."""
        return self.status.board(tenant).profile

    def choice(self, tenant: Tenant, name: str) -> Choice:
        """Return what would change with a profile, and what is signed; raise `Conflict` where it is in force."""
        wanted, board = self.one(name), self.status.board(tenant)
        selected = board.profile
        current = selected.profile if selected else NONE
        if wanted.id == current.id and not (selected and selected.outdated):
            raise Conflict(f"the profile {wanted.id} is in force already; nothing would change")
        then = Side(wanted, self.status.tried(tenant, wanted), self._periods(wanted))
        found = difference(Side(current, board, self._periods(current)), then)
        return Choice(wanted, found, statement.draft(current, wanted, digest_of(found)))

    def take(self, person: Person, name: str, envelope: Envelope) -> Acknowledgement:
        """Put a profile in force by a person's signature over the difference as it is now.

        Raises:
            Conflict: what would change is not what was shown any more.
        """
        found = self.choice(person.tenant, name)
        before = self.one(str(found.difference["from"]))
        statement.check(envelope.statement, before, found.profile, digest_of(found.difference))
        with self.publishable():
            done = self.recorder.admit(envelope, None, by=person)
        return self.publication.published(done.envelope)

    def _periods(self, wanted: Profile) -> Mapping[str, int]:
        return self.kept.periods(kept_by(wanted))


def kept_by(wanted: Profile) -> Mapping[str, int]:
    """Return the days for which a profile keeps each class that it speaks of."""
    return {name: period.days for name, period in wanted.retention.items()}
