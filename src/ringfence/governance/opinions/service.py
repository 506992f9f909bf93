"""Take an auditor's opinion, and take one back."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from ringfence.governance import reading
from ringfence.governance.desk import Desk, check_same
from ringfence.governance.opinions import register, statements
from ringfence.governance.opinions.model import LONGEST, Given, Opinion, OpinionId, State
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, NotFound, Refused
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import Tenant


@dataclass(frozen=True, slots=True)
class Computed:
    """What an opinion is about: the status of a control, by which rules, resting on which entries."""

    state: str
    rules: Digest
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Opinions:
    """The use cases of opinions."""

    desk: Desk
    controls: Collection[str]
    computed: Callable[[Tenant], Mapping[str, Computed]]  # by control, now
    there: Callable[[Tenant, Collection[int]], Collection[int]]  # those of the entries that the tenant has

    def all(self, tenant: Tenant, at: datetime | None = None) -> list[Opinion]:
        """Return every opinion as of a time, the newest first."""
        found = register.fold(self.desk.said(tenant, statements.ALL, at))
        return sorted(found.values(), key=lambda one: -one.entry)

    def one(self, tenant: Tenant, name: OpinionId) -> Opinion:
        """Return one opinion; raise `NotFound`."""
        found = register.fold(self.desk.said(tenant, statements.ALL)).get(name)
        if found is None:
            raise NotFound(f"no opinion here is called {name}; see `ringfence opinion list`")
        return found

    def on(self, tenant: Tenant, control: str) -> Computed:
        """Return what an opinion on a control would be about now."""
        if control not in self.controls:
            raise NotFound(f"no control is called {control[:40]}; see `ringfence status`")
        return self.computed(tenant)[control]

    def give(self, by: Person, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Take an opinion, signed by passkey.

        Raises:
            Refused: it does not end within 366 days, or names entries that are not this tenant's.
            Conflict: the status has changed since it was looked at, or the rules have.
        """
        details = opening.details if opening else {}
        given = statements.parse_given(envelope.statement.claims, details, self.controls)
        check_same(envelope, statements.given(given), opening)
        reading.text(given.sentence, "sentence")
        reading.until(str(given.until), "until", self.desk.clock.now().date(), LONGEST)
        self._check_about(by.tenant, given)
        if given.id in {one.id for one in self.all(by.tenant)}:
            raise Conflict(f"{given.id} was given already")
        return self.desk.take_alone(by, envelope, opening)

    def withdraw(self, by: Person, name: OpinionId, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Take an opinion back; only whoever gave it can, and both stay in the log."""
        named, reason = statements.parse_withdrawn(envelope.statement.claims, opening.details if opening else {})
        check_same(envelope, statements.withdrawn(named, reason), opening)
        reading.text(reason, "reason")
        if named != name:
            raise Refused("what was signed is about another opinion")
        withdrawable(self.one(by.tenant, name), by, self.desk.clock.now())
        return self.desk.take_alone(by, envelope, opening)

    def _check_about(self, tenant: Tenant, given: Given) -> None:
        now = self.computed(tenant)[given.control]
        if (given.status, given.rules) != (now.state, now.rules):
            raise Conflict(f"{given.control} is {now.state} now, by the rules {now.rules}; look at it again")
        if missing := sorted(set(given.basis) - set(self.there(tenant, given.basis))):
            raise Refused(f"this tenant has no statement at entry {missing[0]}")


def withdrawable(found: Opinion, by: Person, at: datetime) -> None:
    """Return where a person can take an opinion back; raise where not."""
    if by.id != found.by:
        raise Refused("an opinion is taken back by whoever gave it, and by nobody else")
    if found.state(at) is State.WITHDRAWN:
        raise Conflict(f"{found.id} was withdrawn already")
