"""Everything about ways in, on one desk: passkeys, codes, sessions, and the reset by somebody else."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ringfence.identity.service import hashed
from ringfence.identity.signin.codes import CodeDesk
from ringfence.identity.signin.guard import Guard
from ringfence.identity.signin.model import FRESH, Owner
from ringfence.identity.signin.passkeys import PasskeyDesk
from ringfence.identity.signin.ports import Passes, Register
from ringfence.identity.signin.sessions import SessionDesk
from ringfence.kernel.actor import Assurance, Caller, Level, Person
from ringfence.kernel.errors import NotFound, Refused

_CONFIRMATION = "confirm"


@dataclass(frozen=True, slots=True)
class SignIn:
    """The desks, wired."""

    sessions: SessionDesk
    passkeys: PasskeyDesk
    codes: CodeDesk
    guard: Guard
    register: Register
    passes: Passes
    publishable: Callable[[], AbstractContextManager[None]]

    def by_token(self, person: Person, confirmation: str) -> Caller:
        """Return how surely a bearer token says who is asking, with what the console gave its holder for a terminal."""
        owner = owner_of(person)
        confirmed = bool(confirmation) and self._confirms(owner, confirmation)
        has_passkey = bool(self.passkeys.passkeys.of(owner))
        return Caller(person, Assurance(Level.TOKEN, confirmed, has_passkey))

    def _confirms(self, owner: Owner, confirmation: str) -> bool:
        record = self.passes.by_pass(_CONFIRMATION, hashed(confirmation), self.sessions.clock.now())
        return record is not None and (record.tenant, record.id) == (owner.tenant, owner.person)

    def confirm_terminal(self, owner: Owner) -> str:
        """Return a code that confirms dangerous acts of this person's token for some minutes."""
        record = self.register.active(owner)
        if record is None:
            raise NotFound(f"nobody here is called {owner.person}")
        code = self.sessions.token()
        with self.sessions.transaction():
            self.passes.add_pass(_CONFIRMATION, hashed(code), record, self.sessions.clock.now() + FRESH)
        return code

    def end_terminals(self, owner: Owner) -> None:
        """Let no code for a terminal confirm anything more for a person."""
        with self.sessions.transaction():
            self.passes.drop_passes(owner.tenant, owner.person, kind=_CONFIRMATION)

    def end_all(self, owner: Owner, *, but: str = "") -> None:
        """End a person's sessions, save the one whose secret is named, and their links and codes for a terminal."""
        with self.sessions.transaction():
            self.sessions.end_all(owner, but=but)
            self.passes.drop_passes(owner.tenant, owner.person)

    def reset(self, owner: Owner, *, by: Person) -> int:
        """Forget every way in of a person who lost them all, and end the sessions; return how many passkeys that were.

        Afterwards the person begins again with a one-time link, as after the enrolment.
        """
        if owner.person == by.id:
            raise Refused("nobody resets their own ways in; ask another owner, or use a recovery code")
        if self.register.active(owner) is None:
            raise NotFound(f"nobody here is called {owner.person}; see `ringfence user list`")
        with self.publishable():
            count = self.passkeys.remove_all(owner, by=by.id)
            self.codes.forget_all(owner, by=by.id)
            self.end_all(owner)
        return count


def owner_of(person: Person) -> Owner:
    """Return a person as the owner of ways in."""
    return Owner(person.tenant, person.id)
