"""The console's address, which passkeys are bound to. Pure."""

import ipaddress
import re

from ringfence.identity.signin.model import Site
from ringfence.kernel.errors import UsageError

DEFAULT = "http://localhost:8400"
_ORIGIN = re.compile(r"(https?)://([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::([1-9][0-9]{0,4}))?")


def of(origin: str) -> Site:
    """Return what passkeys of the console at `origin` are bound to: this very address, and its host.

    Raises:
        UsageError: browsers make no passkeys for such an address.
    """
    found = _ORIGIN.fullmatch(origin)
    if found is None or (found[3] and int(found[3]) > 65_535):
        raise UsageError(f"{origin[:80]!r} is not the console's address as a browser shows it: https://HOST[:PORT]")
    scheme, host, _port = found.groups()
    if scheme == "http" and host != "localhost" and not host.endswith(".localhost"):
        raise UsageError("browsers make passkeys for https:// addresses, and for http://localhost")
    if _is_number(host):
        raise UsageError("browsers make no passkeys for numbers: name the console's host")
    return Site(host, origin)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.rpartition(".")[2].isdigit()
    return True
