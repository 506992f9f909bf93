"""Sessions of browsers: opened at a level, raised by a new secret, ended by time, by their owner or by others."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from ringfence.identity.service import hashed
from ringfence.identity.signin import lifetimes
from ringfence.identity.signin.model import ABSOLUTE, IDLE, Owner, Session
from ringfence.identity.signin.ports import Passkeys, Register, Sessions
from ringfence.kernel.actor import Caller, Level
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import NotFound, Unauthenticated


@dataclass(frozen=True, slots=True)
class SessionDesk:
    """The use cases of sessions."""

    sessions: Sessions
    passkeys: Passkeys
    register: Register
    transaction: Callable[[], AbstractContextManager[None]]
    clock: Clock
    token: Callable[[], str]

    def open(self, owner: Owner, level: Level, *, instead_of: str = "") -> str:
        """Open a session and return its secret; the session that the browser had before ends."""
        secret, now = self.token(), self.clock.now()
        stepped_up_at = now if level is Level.PASSKEY else None
        with self.transaction():
            self.sessions.forget(opened_before=now - ABSOLUTE, seen_before=now - IDLE)
            if instead_of:
                self.sessions.drop(hashed(instead_of))
            self.sessions.add(Session(hashed(secret), owner, level, now, now, stepped_up_at))
        return secret

    def confirmed(self, secret: str, owner: Owner) -> str:
        """Raise a session, since a passkey of `owner` signed just now; return the secret that now opens it."""
        session, now = self.session(secret), self.clock.now()
        if session.owner != owner:
            raise Unauthenticated("this session is somebody else's; sign in again")
        fresh = self.token()
        raised = replace(session, secret_hash=hashed(fresh), level=Level.PASSKEY, seen_at=now, stepped_up_at=now)
        with self.transaction():
            if not self.sessions.drop(session.secret_hash):
                raise Unauthenticated("this session has ended meanwhile; sign in again")
            self.sessions.add(raised)
        return fresh

    def session(self, secret: str) -> Session:
        """Return a session that counts; raise `Unauthenticated` for every other."""
        found = self.sessions.by_hash(hashed(secret)) if secret else None
        if found is None or not lifetimes.alive(found, self.clock.now()):
            raise Unauthenticated("this session is not known here, or has ended; sign in again")
        return found

    def caller(self, secret: str, *, unattended: bool = False) -> Caller:
        """Return who is asking by a session, and how surely; what a page asks on its own keeps no session alive."""
        session, now = self.session(secret), self.clock.now()
        record = self.register.active(session.owner)
        if record is None:
            raise Unauthenticated("the access of this person has ended")
        if not unattended and now - session.seen_at >= lifetimes.TOUCH_AFTER:
            with self.transaction():
                self.sessions.touch(session.secret_hash, now)
        has_passkey = bool(self.passkeys.of(session.owner))
        return Caller(record.actor, lifetimes.assurance(session, now, has_passkey=has_passkey))

    def of(self, owner: Owner) -> list[Session]:
        """Return the sessions of a person that still count."""
        now = self.clock.now()
        return [session for session in self.sessions.of(owner) if lifetimes.alive(session, now)]

    def end(self, secret: str) -> None:
        """End a session; an unknown one is as good as ended."""
        with self.transaction():
            self.sessions.drop(hashed(secret))

    def end_one(self, owner: Owner, session: str) -> None:
        """End one of a person's sessions by its id."""
        with self.transaction():
            for found in self.sessions.of(owner):
                if found.id == session:
                    self.sessions.drop(found.secret_hash)
                    return
        raise NotFound("there is no such session of yours; it may have ended meanwhile")

    def end_all(self, owner: Owner, *, but: str = "") -> int:
        """End every session of a person, save the one whose secret is named; return how many those were."""
        with self.transaction():
            kept = self.sessions.by_hash(hashed(but)) if but else None
            ended = self.sessions.drop_all(owner)
            if kept is None or kept.owner != owner:
                return ended
            self.sessions.add(kept)
            return ended - 1
