"""The database: engine, transaction, and the translation of its errors into ours.

SQLite in WAL mode with `synchronous=FULL`: a commit that returned survives the loss of power. Every write runs in
`transaction`, which takes the write lock at once (BEGIN IMMEDIATE), so that what was read in it cannot have changed.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, MetaData, create_engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError

from ringfence.kernel.errors import InternalError, RingfenceError, Unavailable

METADATA = MetaData()
BUSY_SECONDS = 15  # a commit waits this long for another process before it gives up


class Database:
    """An open database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = create_engine(url, connect_args=_connect_args(url))
        self._current: ContextVar[Connection | None] = ContextVar("ringfence_connection", default=None)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _configure_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open the transaction in which a use case commits; nested use joins the one that is open."""
        if self._current.get() is not None:
            yield
            return
        with translated_errors(), self._engine.connect() as connection, connection.begin():
            mark = self._current.set(connection)
            try:
                yield
            finally:
                self._current.reset(mark)

    def connection(self) -> Connection:
        """Return the connection of the open transaction; writing outside one is an error of ours."""
        connection = self._current.get()
        if connection is None:
            raise InternalError("a store was written to outside a transaction")
        return connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for reading: the open transaction's, or a snapshot of its own."""
        current = self._current.get()
        if current is not None:
            yield current
            return
        with translated_errors(), self._engine.connect() as connection:
            reader = connection.execution_options(ringfence_reading=True)
            with reader.begin():
                yield reader

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def _connect_args(url: str) -> dict[str, Any]:
    return {"timeout": BUSY_SECONDS} if url.startswith("sqlite") else {}


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event below opens transactions, not the driver
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("ringfence_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn what the database raises into our family, with what a person can do about it."""
    try:
        yield
    except RingfenceError:
        raise
    except DBAPIError as error:
        raise _translate(error) from error


_CAUSES = (
    ("database is locked", "the database is locked by another process; end that process or try again"),
    ("readonly database", "the database is read-only; check who owns the home directory and its permissions"),
    ("unable to open", "the database cannot be opened; check that the home directory exists and is writable"),
    ("disk is full", "the disk is full; nothing was written; free some space and try again"),
    ("disk I/O error", "the disk reported an error; nothing was written; check the disk that holds the home directory"),
    ("not a database", "the database file is damaged or is not a database of Ringfence; restore it from a backup"),
    ("malformed", "the database file is damaged; restore it from a backup"),
    ("no such table", "the database has no tables of Ringfence; run `ringfence init` first"),
)


def _translate(error: DBAPIError) -> RingfenceError:
    text = str(error.orig)
    for sign, sentence in _CAUSES:
        if sign in text:
            return Unavailable(sentence)
    if isinstance(error, DatabaseError):
        return InternalError(f"the database refused a statement of ours: {text}")
    return InternalError(f"the database driver failed: {text}")
