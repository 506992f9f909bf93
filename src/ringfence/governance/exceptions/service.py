"""Ask for an exception, approve another person's, end one: the status of its control stays what is computed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from ringfence.governance import reading
from ringfence.governance.desk import Desk, check_same
from ringfence.governance.exceptions import register, statements
from ringfence.governance.exceptions.model import WAITS, ControlException, ExceptionId, State
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, NotFound, Refused
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import Tenant


@dataclass(frozen=True, slots=True)
class Exceptions:
    """The use cases of exceptions."""

    desk: Desk
    controls: Collection[str]

    def all(self, tenant: Tenant, at: datetime | None = None) -> list[ControlException]:
        """Return every exception as of a time, the newest first."""
        found = register.fold(self.desk.said(tenant, statements.ALL, at))
        return sorted(found.values(), key=lambda one: -one.entries[0])

    def one(self, tenant: Tenant, name: ExceptionId) -> ControlException:
        """Return one exception; raise `NotFound`."""
        found = register.fold(self.desk.said(tenant, statements.ALL)).get(name)
        if found is None:
            raise NotFound(f"no exception here is called {name}; see `ringfence exception list`")
        return found

    def request(self, by: Person, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Take a request; nothing is excepted until another person signs.

        Raises:
            Refused: it does not end within a year.
        """
        details = opening.details if opening else {}
        wanted = statements.parse_requested(envelope.statement.claims, details, self.controls)
        check_same(envelope, statements.requested(wanted), opening)
        reading.text(wanted.reason, "reason")
        reading.until(str(wanted.until), "until", self.desk.clock.now().date())
        if wanted.id in {one.id for one in self.all(by.tenant)}:
            raise Conflict(f"{wanted.id} was asked for already")
        return self.desk.take(by, envelope, opening)

    def approve(self, by: Person, name: ExceptionId, envelope: Envelope) -> Acknowledgement:
        """Take the signature of another person, by passkey.

        Raises:
            Refused: it is whoever asked, or who owns the exception, or not independent of them.
            Conflict: it does not wait for anybody any more.
        """
        named, request = statements.parse_approved(envelope.statement.claims)
        check_same(envelope, statements.approved(named, request), None)
        if named != name:
            raise Refused("what was signed is about another exception")
        found = self.one(by.tenant, name)
        approvable(found, by, self.desk.clock.now())
        if request != found.request:
            raise Refused("what was signed is about another request")
        asked = next(one for one in self.desk.said(by.tenant, statements.ALL) if one.envelope == found.request)
        return self.desk.take_second(by, envelope, None, asked, WAITS)

    def end(self, by: Person, name: ExceptionId, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Take the end of an exception: its event stays in the log."""
        named, reason = statements.parse_ended(envelope.statement.claims, opening.details if opening else {})
        check_same(envelope, statements.ended(named, reason), opening)
        reading.text(reason, "reason")
        if named != name:
            raise Refused("what was signed is about another exception")
        found = self.one(by.tenant, name)
        if (state := found.state(self.desk.clock.now())) not in (State.WAITING, State.IN_FORCE):
            raise Conflict(f"{name} is {state.value} already")
        return self.desk.take(by, envelope, opening)


def approvable(found: ControlException, by: Person, at: datetime) -> None:
    """Return where a person can approve an exception; raise where another has to, or nobody can any more."""
    if not found.approvable_by(by.id):
        raise Refused("whoever asks for an exception, or owns it, does not approve it; another person does")
    if (state := found.state(at)) is not State.WAITING:
        raise Conflict(f"{found.id} does not wait for approval: it is {state.value}")
