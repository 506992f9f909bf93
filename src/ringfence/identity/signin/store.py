"""Sessions, questions to authenticators and failed attempts, in the database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from ringfence.identity.signin.model import MAX_CEREMONIES, Attempts, Ceremony, Kind, Owner, Session
from ringfence.kernel.actor import Level
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.storage.database import METADATA, Database

SESSIONS = Table(
    "identity_sessions",
    METADATA,
    Column("secret_hash", LargeBinary(32), primary_key=True),
    Column("tenant", String(32), nullable=False),
    Column("person", String(32), nullable=False),
    Column("level", String(16), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("stepped_up_at", BigInteger),
    Index("identity_sessions_of", "tenant", "person"),
)
CEREMONIES = Table(
    "identity_ceremonies",
    METADATA,
    Column("kind", String(16), primary_key=True),
    Column("binding", LargeBinary(32), primary_key=True),
    Column("message", LargeBinary(128), nullable=False),
    Column("until", BigInteger, nullable=False),
)
ATTEMPTS = Table(
    "identity_attempts",
    METADATA,
    Column("subject", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)


def _is(owner: Owner) -> Any:
    return (SESSIONS.c.tenant == owner.tenant) & (SESSIONS.c.person == owner.person)


@dataclass(frozen=True, slots=True)
class SessionTable:
    """`Sessions` in the database."""

    database: Database

    def add(self, session: Session) -> None:
        """Keep a session."""
        stepped = session.stepped_up_at
        values = {
            "secret_hash": session.secret_hash,
            "tenant": session.owner.tenant,
            "person": session.owner.person,
            "level": session.level.value,
            "opened_at": to_millis(session.opened_at),
            "seen_at": to_millis(session.seen_at),
            "stepped_up_at": None if stepped is None else to_millis(stepped),
        }
        self.database.connection().execute(insert(SESSIONS), [values])

    def by_hash(self, secret_hash: bytes) -> Session | None:
        """Return a session, ended or not."""
        with self.database.reading() as connection:
            row = connection.execute(select(SESSIONS).where(SESSIONS.c.secret_hash == secret_hash)).first()
        return None if row is None else _session(row)

    def of(self, owner: Owner) -> list[Session]:
        """Return the sessions of a person, newest first."""
        query = select(SESSIONS).where(_is(owner)).order_by(SESSIONS.c.opened_at.desc())
        with self.database.reading() as connection:
            return [_session(row) for row in connection.execute(query)]

    def touch(self, secret_hash: bytes, at: datetime) -> None:
        """Keep when a session was seen."""
        change = update(SESSIONS).where(SESSIONS.c.secret_hash == secret_hash).values(seen_at=to_millis(at))
        self.database.connection().execute(change)

    def drop(self, secret_hash: bytes) -> bool:
        """Forget a session."""
        change = delete(SESSIONS).where(SESSIONS.c.secret_hash == secret_hash)
        return self.database.connection().execute(change).rowcount == 1

    def drop_all(self, owner: Owner) -> int:
        """Forget every session of a person; return how many those were."""
        return self.database.connection().execute(delete(SESSIONS).where(_is(owner))).rowcount

    def forget(self, *, opened_before: datetime, seen_before: datetime) -> None:
        """Forget every session that has ended."""
        old = (SESSIONS.c.opened_at <= to_millis(opened_before)) | (SESSIONS.c.seen_at <= to_millis(seen_before))
        self.database.connection().execute(delete(SESSIONS).where(old))


@dataclass(frozen=True, slots=True)
class CeremonyTable:
    """`Ceremonies` in the database."""

    database: Database
    most: int = MAX_CEREMONIES

    def put(self, ceremony: Ceremony, *, now: datetime) -> None:
        """Keep a question in the place of the browser's last of its kind; drop what ended, and what is too many."""
        connection = self.database.connection()
        connection.execute(delete(CEREMONIES).where(CEREMONIES.c.until <= to_millis(now)))
        connection.execute(delete(CEREMONIES).where(self._same(ceremony.kind, ceremony.binding)))
        beyond = (connection.execute(select(func.count()).select_from(CEREMONIES)).scalar() or 0) - self.most + 1
        if beyond > 0:
            oldest = select(CEREMONIES.c.binding).order_by(CEREMONIES.c.until).limit(beyond)
            connection.execute(delete(CEREMONIES).where(CEREMONIES.c.binding.in_(oldest)))
        values = {
            "kind": ceremony.kind.value,
            "binding": ceremony.binding,
            "message": ceremony.message,
            "until": to_millis(ceremony.until),
        }
        connection.execute(insert(CEREMONIES), [values])

    def take(self, kind: Kind, binding: bytes) -> Ceremony | None:
        """Return a question and forget it: nothing is answered twice."""
        connection = self.database.connection()
        row = connection.execute(select(CEREMONIES).where(self._same(kind, binding))).first()
        gone = connection.execute(delete(CEREMONIES).where(self._same(kind, binding))).rowcount
        if row is None or gone != 1:
            return None
        return Ceremony(kind, binding, row.message, from_millis(row.until))

    def _same(self, kind: Kind, binding: bytes) -> Any:
        return (CEREMONIES.c.kind == kind.value) & (CEREMONIES.c.binding == binding)


@dataclass(frozen=True, slots=True)
class AttemptTable:
    """`AttemptBook` in the database."""

    database: Database

    def read(self, subject: bytes) -> Attempts | None:
        """Return the attempts of one person or place."""
        with self.database.reading() as connection:
            row = connection.execute(select(ATTEMPTS).where(ATTEMPTS.c.subject == subject)).first()
        return None if row is None else Attempts(subject, row.failures, from_millis(row.last_at))

    def beyond(self, failures: int) -> list[Attempts]:
        """Return the attempts of everybody, and every place, with at least so many failures."""
        with self.database.reading() as connection:
            rows = connection.execute(select(ATTEMPTS).where(ATTEMPTS.c.failures >= failures)).all()
        return [Attempts(row.subject, row.failures, from_millis(row.last_at)) for row in rows]

    def write(self, attempts: Attempts) -> None:
        """Keep the attempts of one person or place."""
        self.clear(attempts.subject)
        values = {
            "subject": attempts.subject,
            "failures": attempts.failures,
            "last_at": to_millis(attempts.last_at),
        }
        self.database.connection().execute(insert(ATTEMPTS), [values])

    def clear(self, subject: bytes) -> None:
        """Forget the attempts of one person or place."""
        self.database.connection().execute(delete(ATTEMPTS).where(ATTEMPTS.c.subject == subject))

    def forget(self, before: datetime) -> None:
        """Forget attempts of long ago."""
        self.database.connection().execute(delete(ATTEMPTS).where(ATTEMPTS.c.last_at <= to_millis(before)))


def _session(row: Any) -> Session:
    return Session(
        row.secret_hash,
        Owner(Tenant(row.tenant), PersonId(row.person)),
        Level(row.level),
        from_millis(row.opened_at),
        from_millis(row.seen_at),
        None if row.stepped_up_at is None else from_millis(row.stepped_up_at),
    )
