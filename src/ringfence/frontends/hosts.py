"""Refuse requests under a name that is not ours: a page elsewhere whose name was turned to this machine reads nothing.

That is DNS rebinding. A browser takes such a page and our answers for one origin, and what listens on loopback would
answer to whatever page the person at this machine has open.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from ringfence.frontends.http import refusal
from ringfence.kernel.errors import Misdirected, UsageError

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_HOST = re.compile(rf"({_NAME.pattern}\.?|\[[0-9a-f:.]{{2,45}}\])(?::[0-9]{{1,5}})?")
_REFUSED = Misdirected(
    "nothing is served here under that name; ask for the console's own address, or name the host in RINGFENCE_HOSTS"
)


def parse_names(text: str) -> tuple[str, ...]:
    """Return host names or addresses, given with commas between them; raise `UsageError`."""
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    for name in names:
        if not _NAME.fullmatch(name) and not _is_address(name):
            raise UsageError(f"RINGFENCE_HOSTS names hosts, with commas between them and without ports; not {name!r}")
    return names


def names_us(header: str, names: Iterable[str]) -> bool:
    """Tell whether a Host header is loopback, or one of our names."""
    found = _HOST.fullmatch(header.strip().lower())
    if found is None:
        return False
    host = found[1].strip("[]").removesuffix(".")
    return host == "localhost" or host.endswith(".localhost") or _is_loopback(host) or host in set(names)


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """ASGI middleware that answers 421 to requests over TCP under a name that is not ours."""

    app: ASGIApp
    names: tuple[str, ...]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at the name before anything else."""
        if scope["type"] not in {"http", "websocket"} or _is_local_socket(scope):
            await self.app(scope, receive, send)
            return
        given = list(_given(scope))
        if len(given) == 1 and names_us(given[0], self.names):
            await self.app(scope, receive, send)
            return
        await refusal(_REFUSED)(scope, receive, send)


def _given(scope: Scope) -> Iterator[str]:
    return (value.decode("latin-1") for name, value in scope["headers"] if name == b"host")


def _is_local_socket(scope: Scope) -> bool:
    """Tell whether it came by the socket in the home, which has no port; no browser reaches that."""
    server = scope.get("server")
    return server is not None and server[1] is None


def _is_loopback(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
