"""The database: engine, transactions, and the turns that writers take.

SQLite in WAL mode with `synchronous=FULL`, or PostgreSQL with `synchronous_commit=on`: a commit that returned survives
the loss of power. Every write runs in `transaction`, whose writers take turns (BEGIN IMMEDIATE; an advisory lock), so
that what was read in it cannot have changed. What only appends statements runs in `appending`, where on PostgreSQL
commits may overtake each other: an issuer's sequence has a lock of its own, and the integrator asks for rows without
an index, never for rows after the last one.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, MetaData, create_engine, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from ringfence.kernel.errors import Conflict, InternalError, Unavailable
from ringfence.storage.failures import explained_driver, translated_errors

METADATA = MetaData()
BUSY_SECONDS = 15  # a commit waits this long for another process before it gives up
STANDING_SECONDS = 60  # a transaction of a process that stands still must not keep everybody else out
CONNECTIONS = 32

# Advisory locks of PostgreSQL. The pairs of numbers and the single numbers are apart there.
LOCKS = int.from_bytes(b"ring", "big")
_WRITERS, _INTEGRATORS, ON_DUTY = 1, 2, 3


class Database:
    """An open database."""

    def __init__(self, url: str) -> None:
        self.url = url
        with explained_driver():
            self._engine = create_engine(url, **_arguments(url))
        self._current: ContextVar[Connection | None] = ContextVar("ringfence_connection", default=None)
        self._session: ContextVar[Connection | None] = ContextVar("ringfence_session", default=None)
        self._appends: ContextVar[bool] = ContextVar("ringfence_appends", default=False)
        if self.is_postgresql:
            event.listen(self._engine, "connect", _check_durable)
        else:
            event.listen(self._engine, "connect", _configure_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)

    @property
    def is_postgresql(self) -> bool:
        """Return whether it is PostgreSQL, whose writers are several processes on several machines."""
        return self._engine.dialect.name == "postgresql"

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open the transaction in which a use case commits; nested use joins the one that is open."""
        if self._current.get() is not None:
            if self._appends.get():
                raise InternalError("something was to be decided in a transaction that only appends")
            yield
            return
        with self._opened() as connection:
            if self.is_postgresql and self._session.get() is None:
                connection.execute(_LOCK_FOR_TRANSACTION, {"family": LOCKS, "key": _WRITERS})
            yield

    @contextmanager
    def appending(self) -> Iterator[None]:
        """Open a transaction that appends statements and decides nothing else from what it reads."""
        if self._current.get() is not None:
            yield
            return
        mark = self._appends.set(self.is_postgresql)
        try:
            with self._opened():
                yield
        finally:
            self._appends.reset(mark)

    @contextmanager
    def _opened(self) -> Iterator[Connection]:
        with translated_errors(), self._connected() as connection, connection.begin():
            mark = self._current.set(connection)
            try:
                yield connection
            finally:
                self._current.reset(mark)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        session = self._session.get()
        if session is not None:
            yield session
            return
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def integrating(self) -> Iterator[None]:
        """Be the only integrator of a PostgreSQL database.

        Transactions of this block run in the session that holds the lock: whose session has died commits nothing.
        """
        with translated_errors(), self._engine.connect() as connection:
            arguments = {"family": LOCKS, "key": _INTEGRATORS}
            try:
                with connection.begin():
                    connection.execute(_LOCK_FOR_SESSION, arguments)
                with self._bound(connection):
                    yield
                with connection.begin():
                    connection.execute(_UNLOCK, arguments)
            except BaseException:
                with suppress(DBAPIError):
                    connection.invalidate()  # closing the session frees the lock, whatever became of it
                raise

    @contextmanager
    def _bound(self, session: Connection) -> Iterator[None]:
        mark = self._session.set(session)
        try:
            yield
        finally:
            self._session.reset(mark)

    def session(self) -> Connection:
        """Open a session that is the caller's own, for a lock that lasts as long as it does."""
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def take_turn(self, tenant: str, issuer: str) -> None:
        """Wait until no other transaction sequences statements of this issuer; until the end of this transaction."""
        if self.is_postgresql and (connection := self._current.get()) is not None:
            name = sha256(f"{tenant}\n{issuer}".encode()).digest()[:8]
            connection.execute(_LOCK_OF_ISSUER, {"key": int.from_bytes(name, "big", signed=True)})

    @contextmanager
    def attempting(self, sentence: str) -> Iterator[Connection]:
        """Give the transaction's connection for writes that must be the first of their kind.

        Where they are not, raise `Conflict` with `sentence`; what the transaction wrote before stays.
        """
        connection = self.connection()
        try:
            with connection.begin_nested() if self.is_postgresql else nullcontext():
                yield connection
        except IntegrityError as error:
            raise Conflict(sentence) from error

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
            reader = connection.execution_options(**self._reader())
            with reader.begin():
                yield reader

    def _reader(self) -> dict[str, Any]:
        if self.is_postgresql:
            return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        return {"ringfence_reading": True}

    def scrub(self) -> bool:
        """Leave no copy of deleted rows beside the tables; return whether that was possible now.

        SQLite's write-ahead log still holds the pages as they were; emptying it waits for nobody who reads or writes.
        What PostgreSQL keeps of deleted rows (dead tuples, its own log, replicas) is its administrator's to remove.
        """
        if self.is_postgresql:
            return False
        with translated_errors(), closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA busy_timeout=0")
            try:
                busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
        return not busy

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


_LOCK_FOR_TRANSACTION = text("SELECT pg_advisory_xact_lock(:family, :key)")
_LOCK_FOR_SESSION = text("SELECT pg_advisory_lock(:family, :key)")
_UNLOCK = text("SELECT pg_advisory_unlock(:family, :key)")
_LOCK_OF_ISSUER = text("SELECT pg_advisory_xact_lock(CAST(:key AS bigint))")


def _arguments(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": BUSY_SECONDS}}
    session = {
        "synchronous_commit": "on",
        "lock_timeout": f"{BUSY_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{STANDING_SECONDS}s",
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        "timezone": "UTC",
    }
    options = " ".join(f"-c {name}={value}" for name, value in session.items())
    return {
        "isolation_level": "READ COMMITTED",
        "pool_pre_ping": True,
        "pool_size": CONNECTIONS // 4,
        "max_overflow": CONNECTIONS - CONNECTIONS // 4,
        "pool_timeout": BUSY_SECONDS,
        "connect_args": {"options": options, "connect_timeout": BUSY_SECONDS, "application_name": "ringfence"},
    }


def _check_durable(connection: Any, _record: object) -> None:
    """Refuse a server that forgets what it acknowledged; a session cannot change these settings."""
    for name in ("fsync", "full_page_writes"):
        if connection.execute(f"SHOW {name}").fetchone() != ("on",):
            connection.close()
            raise Unavailable(
                f"the database server runs with {name} off and may lose what it acknowledged; switch it on"
            )
    connection.rollback()


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event below opens transactions, not the driver
    # What is deleted is overwritten with zeros (docs/specs/retention.md).
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("ringfence_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
