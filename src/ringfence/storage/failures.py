"""What the database raises, in our family and in sentences that a person can act on."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ringfence.kernel.errors import InternalError, MalformedInput, RingfenceError, Unavailable

_BUSY = "the database is locked by another process; end that process or try again"
_FULL = "the disk is full; nothing was written; free some space and try again"
_DAMAGED = "the database file is damaged; restore it from a backup"
_EMPTY = "the database has no tables of Ringfence; run `ringfence init` first"
_BROKEN = "the disk reported an error; nothing was written; check the disk that holds the database"
_AWAY = "the database server ended the connection; nothing is known to be written: look, and try again"

# SQLite says it in English.
_SAID = (
    ("database is locked", _BUSY),
    ("readonly database", "the database is read-only; check who owns the home directory and its permissions"),
    ("unable to open", "the database cannot be opened; check that the home directory exists and is writable"),
    ("disk is full", _FULL),
    ("disk I/O error", _BROKEN),
    ("not a database", "the database file is damaged or is not a database of Ringfence; restore it from a backup"),
    ("malformed", _DAMAGED),
    ("no such table", _EMPTY),
)
# PostgreSQL by SQLSTATE; the longest beginning that is listed counts.
_STATES = {
    "08": "the database server cannot be reached; start it, or check the address of the database",
    "22021": "text that is to be kept may not hold such characters; leave them out",
    "22P05": "text that is to be kept may not hold such characters; leave them out",
    "25006": "the database server takes no writes: it is a standby, or was set read-only",
    "25P03": "the database server ended a transaction that stood still; try again",
    "28": "the database server refuses this role or its password; check the address and the password file",
    "3D000": "there is no database of that name; create it, or check the address of the database",
    "40": "another writer was faster; nothing was written; try again",
    "42501": "the database server refuses this role the tables; let it own the database",
    "42P01": _EMPTY,
    "53100": "the disk of the database server is full; nothing was written; free some space and try again",
    "53": "the database server is out of memory or connections; nothing was written; try again",
    "55P03": _BUSY,
    "57": _AWAY,
    "58": _BROKEN,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}
_TEXT = ("22021", "22P05")  # the request is at fault, not the database


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn what the database raises into our family, with what a person can do about it."""
    try:
        yield
    except RingfenceError:
        raise
    except DBAPIError as error:
        raise _translate(error) from error
    except PoolTimeout as error:
        raise Unavailable("too many commands wait for the database; try again") from error


@contextmanager
def explained_driver() -> Iterator[None]:
    """Say which extra is missing where the driver of PostgreSQL is."""
    try:
        yield
    except (ModuleNotFoundError, NoSuchModuleError, ImportError) as error:
        sentence = "the driver of PostgreSQL is not installed; install the extra: pip install 'ringfence[postgresql]'"
        raise Unavailable(sentence) from error


def _translate(error: DBAPIError) -> RingfenceError:
    if (state := getattr(error.orig, "sqlstate", None)) is not None:
        return _by_state(str(state), error)
    text = str(error.orig)
    for sign, sentence in _SAID:
        if sign in text:
            return Unavailable(sentence)
    if "NUL (0x00)" in text:
        return MalformedInput(_STATES["22021"])
    if type(error.orig).__module__.startswith("psycopg") and type(error.orig).__name__ == "OperationalError":
        return Unavailable(_AWAY if error.connection_invalidated else _unreached(text))
    if isinstance(error, DatabaseError):
        return InternalError(f"the database refused a statement of ours: {text}")
    return InternalError(f"the database driver failed: {text}")


def _by_state(state: str, error: DBAPIError) -> RingfenceError:
    for length in (5, 2):
        if sentence := _STATES.get(state[:length]):
            return MalformedInput(sentence) if state in _TEXT else Unavailable(sentence)
    said = getattr(getattr(error.orig, "diag", None), "message_primary", None) or type(error.orig).__name__
    return InternalError(f"the database refused a statement of ours ({state}): {said}")


def _unreached(text: str) -> str:
    """Return the sentence for a connection that never was; libpq gives no state then."""
    for sign, state in (("password", "28"), ("authentication", "28"), ("does not exist", "3D000")):
        if sign in text:
            return _STATES[state]
    if "certificate" in text or "SSL" in text:
        return "the database server's certificate is not the one that is expected; check sslrootcert and its host name"
    return _STATES["08"]
