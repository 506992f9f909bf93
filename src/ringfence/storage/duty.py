"""Who runs an installation on PostgreSQL: one `ringfence up`; every other one stands by until that has ended.

The lock is a session's. The server frees it the moment that the session ends, however its process ended.
"""

import os
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from ringfence.kernel.errors import Unavailable
from ringfence.storage.database import LOCKS, ON_DUTY, Database
from ringfence.storage.failures import translated_errors

_RUNS, _WAITS = "ringfence up ", "ringfence standby "
_LONGEST = 63  # bytes of a session's name; PostgreSQL cuts off the rest


@dataclass(slots=True)
class Duty:
    """The place of the one that runs, as one process sees it."""

    database: Database
    place: str  # what others are told about us
    _session: Connection | None = None
    _lock: Lock = field(default_factory=Lock)

    def take(self) -> bool:
        """Return whether we run the installation: from now on, or since before."""
        with self._lock, translated_errors():
            try:
                return self._taken(self._opened())
            except DBAPIError:
                self._dropped()
                raise

    def leave(self) -> None:
        """Let another one run it."""
        with self._lock:
            if self._session is not None:
                with suppress(DBAPIError):  # at once: the server notices the end of a session a moment later
                    self._session.execute(_LEAVE)
            self._dropped()

    def _opened(self) -> Connection:
        if self._session is None:
            self._session = self.database.session()
            self._name(self._session, _WAITS)
        return self._session

    def _taken(self, session: Connection) -> bool:
        if session.execute(_HELD, _KEYS).scalar():
            return True
        if not session.execute(_TAKE, _KEYS).scalar():
            return False
        self._name(session, _RUNS)
        return True

    def _name(self, session: Connection, how: str) -> None:
        name = (how + self.place).encode("ascii", "replace")[:_LONGEST].decode()
        session.execute(text("SELECT set_config('application_name', :name, false)"), {"name": name})

    def _dropped(self) -> None:
        if self._session is not None:
            with suppress(DBAPIError):
                self._session.invalidate()  # not given back to the pool: the lock is the session's
                self._session.close()
            self._session = None


def place_of(home: Path) -> str:
    """Return what names this machine and a home on it, short enough for PostgreSQL to keep."""
    return f"{socket.gethostname()[:16]}:{os.fspath(home)[-28:]}"


def on_duty(database: Database) -> str:
    """Return where the `ringfence up` is that runs the installation; nothing where none does."""
    with database.reading() as connection:
        found = connection.execute(_WHO, _KEYS).scalar()
    return str(found).removeprefix(_RUNS).removeprefix(_WAITS) if found else ""


def standing_by(database: Database) -> list[str]:
    """Return where others stand by."""
    with database.reading() as connection:
        found = connection.execute(_NAMED, {"like": f"{_WAITS}%"}).scalars()
        return sorted(str(name).removeprefix(_WAITS) for name in found)


def check_alone(database: Database) -> None:
    """Raise `Unavailable` where a `ringfence up` runs the installation: what it holds open cannot be done beside it."""
    if database.is_postgresql and (where := on_duty(database)):
        raise Unavailable(
            f"`ringfence up` runs this installation at {where}: ask it there, or in a moment if it starts"
        )


_KEYS = {"family": LOCKS, "key": ON_DUTY}
_TAKE = text("SELECT pg_try_advisory_lock(:family, :key)")
_LEAVE = text("SELECT pg_advisory_unlock_all()")
_LOCKED = (
    "locktype = 'advisory' AND granted AND classid = :family AND objid = :key AND objsubid = 2 "
    "AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_HELD = text(f"SELECT 1 FROM pg_locks WHERE {_LOCKED} AND pid = pg_backend_pid()")  # noqa: S608 - our own words
_WHO = text(f"SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE {_LOCKED}")  # noqa: S608
_NAMED = text(
    "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE :like"
)
