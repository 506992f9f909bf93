"""Propose what a directory's file means for our register, and do what a person confirmed."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from ringfence.identity.joining.proposal import Proposal, propose
from ringfence.identity.joining.scim import parse
from ringfence.identity.joining.statements import imported, role_changed
from ringfence.identity.ports import People
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, NotFound, Refused
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import PersonId, Tenant


class Linked(Protocol):
    """Whom of ours a source means."""

    def __call__(self, tenant: Tenant, source: str) -> dict[str, PersonId]:
        """Return the person behind each id of the source."""
        ...


class Removing(Protocol):
    """End a person's access, by the ordinary way."""

    def __call__(self, person: PersonId, *, by: Person, reason: str) -> Acknowledgement:
        """Remove a person."""
        ...


@dataclass(frozen=True, slots=True)
class Joining:
    """The use cases of imports and of changed roles."""

    people: People
    linked: Linked
    bar: Callable[[PersonId], None]  # let somebody in no more, durably and outside the database
    remove: Removing
    recorder: Recorder
    publication: Publication
    transaction: Callable[[], AbstractContextManager[None]]

    def proposal(self, tenant: Tenant, source: str, data: bytes) -> Proposal:
        """Return what a file proposes; nothing changes."""
        return propose(parse(data, source="file"), self.people.all(tenant), self.linked(tenant, source))

    def apply(
        self,
        by: Person,
        source: str,
        data: bytes,
        confirmed: Digest,
        *,
        many: bool,
        only: Collection[PersonId] | None = None,
    ) -> Acknowledgement:
        """Do what was confirmed, or what of it concerns `only` these: leavers lose their access, movers get their role.

        All of it is one transaction. Leavers are let in no more before it is committed; whatever kills us afterwards,
        the next start ends their access in the register and revokes their keys.

        Raises:
            Conflict: the file or the register is not what was confirmed any more.
            Refused: it would remove its confirmer, or most people without `many`.
        """
        with self.transaction():
            proposal = self._confirmed(by, source, data, confirmed, only, many=many)
            for move in proposal.moves:
                self._change_role(by, move.person, move.after)
            done = self.recorder.record(imported(proposal, Digest.of(data), source, by), tenant=by.tenant)
            for person in proposal.leavers:
                self.bar(person)
        for person in proposal.leavers:
            self.remove(person, by=by, reason="left")
        return self.publication.published(done.envelope)

    def _confirmed(
        self,
        by: Person,
        source: str,
        data: bytes,
        confirmed: Digest,
        only: Collection[PersonId] | None,
        *,
        many: bool,
    ) -> Proposal:
        proposal = self.proposal(by.tenant, source, data)
        if proposal.digest != confirmed:
            raise Conflict("the proposal is another one by now; look at it again and confirm that")
        if only is not None:
            proposal = proposal.only(only)
        if by.id in proposal.leavers or any(move.person == by.id for move in proposal.moves):
            raise Refused("the file changes your own access; somebody else has to confirm it")
        if proposal.surprising and not many:
            raise Refused(f"{len(proposal.leavers)} of {proposal.linked} people would lose their access; is it so?")
        return proposal

    def change_role(self, by: Person, person: PersonId, role: Role) -> Acknowledgement:
        """Give a person another role; owners are made by the root alone."""
        with self.transaction():
            done = self._change_role(by, person, role)
        return self.publication.published(done.envelope)

    def _change_role(self, by: Person, person: PersonId, role: Role) -> Acknowledgement:
        if role is Role.OWNER:
            raise Refused("only the root makes owners: enrol the person anew with `ringfence user add`")
        if person == by.id:
            raise Refused("nobody changes their own role; ask another owner")
        record = self.people.by_id(by.tenant, person)
        if record is None or record.removed_at is not None:
            raise NotFound(f"nobody here is called {person}; see `ringfence user list`")
        self.people.replace(replace(record, role=role))
        return self.recorder.record(role_changed(person, record.role, role, by), tenant=by.tenant)
