"""Where requests go: off this machine by TLS alone, and never with a password in the address."""

import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from ringfence.kernel.errors import MalformedInput, Refused, UsageError
from ringfence.redteam.model import Protocol


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go, and what stands before each body."""

    host: str
    port: int
    head: bytes
    tls: ssl.SSLContext | None

    @classmethod
    def of(cls, url: str, key: str = "") -> "Address":
        """Parse an address that `endpoint` has let through."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        lines = [
            f"POST {parts.path} HTTP/1.1",
            f"host: {parts.netloc}",
            "content-type: application/json",
            "accept: application/json",
            *([f"authorization: Bearer {key}"] if key else []),
        ]
        return cls(
            host=parts.hostname or "",
            port=parts.port or (443 if secure else 80),
            head="".join(f"{line}\r\n" for line in lines).encode(),
            tls=ssl.create_default_context() if secure else None,
        )


def endpoint(url: str, protocol: Protocol | None) -> tuple[str, Protocol]:
    """Return the address to post to, and its protocol.

    Takes a base such as `https://host/v1`, or the route itself.

    Raises:
        UsageError: it is no address.
        Refused: prompts and key would leave this machine in the clear.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number up to 65535
        (parts.hostname or "").encode("idna")  # and this where no resolver would take it
    except ValueError as error:
        raise UsageError(f"--endpoint is not an address: {error}") from error
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment or not url.isascii():
        raise UsageError("--endpoint is an address such as https://host/v1")
    if parts.username is not None or parts.password is not None:
        raise UsageError("--endpoint holds no password; name a file with --api-key-file")
    if parts.scheme == "http" and not _is_this_machine(host):
        raise Refused(f"{host} is not this machine: attacks, answers and key travel by https:// only")
    path = parts.path.rstrip("/")
    for known in Protocol:
        if path.endswith(_ROUTES[known]) and (
            known is not Protocol.COMPLETIONS or not path.endswith("chat/completions")
        ):
            return f"{parts.scheme}://{parts.netloc}{path}", protocol or known
    chosen = protocol or Protocol.CHAT
    return f"{parts.scheme}://{parts.netloc}{path or '/v1'}{_ROUTES[chosen]}", chosen


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


_ROUTES = {Protocol.CHAT: "/chat/completions", Protocol.COMPLETIONS: "/completions"}


def header_value(secret: str) -> str:
    """Return an API key that can stand in a header; raise `MalformedInput`."""
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise MalformedInput("the API key file does not hold one line of printable characters without blanks")
    return secret
