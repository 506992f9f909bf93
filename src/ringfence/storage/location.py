"""Where a database is: an address that carries no secret and sends none in the clear.

The password of a PostgreSQL role stands in a file that libpq reads (`passfile` in the address, else `PGPASSFILE`, else
`~/.pgpass`; readable by its owner only). It never stands in an address, hence in no list of processes, file of a home
or error.
"""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import SplitResult, parse_qsl, urlsplit

from ringfence.kernel.errors import UsageError

SCHEMES = ("postgresql", "postgres")
_LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})
_VERIFIED = "verify-full"  # the one mode in which libpq compares the certificate's name with the host
# What an address may say beyond host, port, role and name. Not `options`, which could switch durability off, not
# `service` or `hostaddr`, which could lead elsewhere than the host that was checked.
_PARAMETERS = frozenset(
    {"host", "port", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding", "connect_timeout"}
)
# Variables by which libpq would go elsewhere, or do less, than the address says.
DIVERTING = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE", "PGOPTIONS", "PGSSLMODE", "PGDATABASE")

_FORM = "postgresql://ROLE@HOST:PORT/DATABASE?sslmode=verify-full, or postgresql://ROLE@/DATABASE?host=/SOCKET/FOLDER"


def checked(url: str, environment: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return an address of PostgreSQL as the driver takes it.

    Raises:
        UsageError: it is none, holds a password, or leads off this machine without a verified server.
    """
    parts = _parts(url)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := set(given) - _PARAMETERS:
        raise UsageError(f"the database's address may not say {', '.join(sorted(unknown))}; it has the form {_FORM}")
    if diverting := [name for name in DIVERTING if environment.get(name)]:
        raise UsageError(f"unset {', '.join(diverting)}: the address alone says where the database is")
    hosts = (given.get("host") or parts.hostname or "").split(",")
    if not all(map(_is_local, hosts)) and given.get("sslmode") != _VERIFIED:
        raise UsageError(
            "the database's address leads off this machine: add sslmode=verify-full (and sslrootcert=FILE where the "
            "server's certificate is of your own authority)"
        )
    return parts._replace(scheme="postgresql+psycopg").geturl()


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number up to 65535
    except ValueError as error:
        raise UsageError(f"the database's address is none: {error}; it has the form {_FORM}") from error
    if parts.scheme not in SCHEMES or not parts.path.strip("/") or parts.fragment or "%" in parts.netloc:
        raise UsageError(f"the database's address has the form {_FORM}")
    if parts.password is not None:
        raise UsageError("the database's address holds a password; put it into a file that passfile=FILE names")
    if not parts.username:
        raise UsageError(f"the database's address names no role; it has the form {_FORM}")
    return parts


def _is_local(host: str) -> bool:
    return host in _LOCAL or host.startswith("/")
