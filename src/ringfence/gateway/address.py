"""Where an engine listens: the addresses to which the gateway forwards; pure."""

import ipaddress
import re
from dataclasses import dataclass

from ringfence.gateway.model import Protocol
from ringfence.kernel.errors import MalformedInput, Refused

LONGEST = 512
PREFIX = {Protocol.OPENAI: "/v1", Protocol.INFERENCE_V2: "/v2"}
_URL = re.compile(
    r"(https?)://(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(?::([0-9]{1,5}))?"
    r"((?:/[A-Za-z0-9._~-]+)*)/?"
)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """An engine's address, taken apart."""

    scheme: str
    host: str  # without the brackets of an IPv6 address
    port: int
    path: str  # a prefix, without the slash at its end

    @property
    def loopback(self) -> bool:
        """Tell whether it is on this machine, whatever a resolver says."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def url(self) -> str:
        """Print the one form in which an address is kept."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def parse(text: object, protocol: Protocol) -> Address:
    """Return an engine's address; one without a path gets the protocol's own prefix.

    Raises:
        MalformedInput: not an address, or one with a user, a query or a fragment.
        Refused: it would send prompts over a network in the clear.
    """
    found = _URL.fullmatch(text) if isinstance(text, str) and len(text) <= LONGEST else None
    if found is None:
        raise MalformedInput(f"{str(text)[:80]!r} is not an engine's address such as http://127.0.0.1:8000/v1")
    scheme, host = found[1], found[2].lower()
    port = int(found[3] or _PORTS[scheme])
    if not 0 < port < 65_536 or ".." in found[4].split("/") or "." in found[4].split("/"):
        raise MalformedInput(f"{str(text)[:80]!r} has a port or a path that no engine has")
    if host.startswith("["):
        host = _ip6(host[1:-1])
    address = Address(scheme, host, port, found[4] or PREFIX[protocol])
    if scheme == "http" and not address.loopback:
        raise Refused(f"http:// is for this machine only: prompts do not travel in the clear; use https://{host}")
    return address


def _ip6(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError as error:
        raise MalformedInput(f"{text!r} is not an IPv6 address") from error
