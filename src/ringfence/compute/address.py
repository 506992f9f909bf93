"""Machines of one's own: where they are, which host key they must show, and what they have to be told; pure.

A host key is never learnt from the machine's first answer: whoever answers first could be anybody.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.compute import sshkeys
from ringfence.compute.model import NodeId
from ringfence.kernel.errors import MalformedInput

PORT = 22
LARGEST = 64 * 1024  # characters of a known_hosts file
CA_FILE, PRINCIPALS_FILE = "/etc/ssh/ringfence_ca.pub", "/etc/ssh/ringfence_principals"
_ADDRESS = re.compile(
    r"ssh://([A-Za-z0-9_][A-Za-z0-9_.-]{0,31})@(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,200})(?::([0-9]{1,5}))?"
)
HOW_TO_GET = (
    "give its host key: run `ssh-keygen -yf /etc/ssh/ssh_host_ed25519_key` as root on the machine itself, or "
    "`ssh-keyscan -t ed25519 HOST` over a path that you trust, and compare with `ssh-keygen -lf` there"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the SSH of a machine is, and who logs in."""

    user: str
    host: str
    port: int

    @property
    def known_as(self) -> tuple[str, ...]:
        """Return the names under which a known_hosts file may have it."""
        bracketed = f"[{self.host}]:{self.port}"
        return (self.host, bracketed) if self.port == PORT else (bracketed,)


def parse(text: object) -> Address:
    """Parse `ssh://user@host` or `ssh://user@host:port`."""
    found = _ADDRESS.fullmatch(text) if isinstance(text, str) and len(text) <= 256 else None
    if found is None:
        raise MalformedInput(f"{str(text)[:60]!r} is not an address such as ssh://user@host:22")
    host, port = found[2], int(found[3] or PORT)
    if host.startswith("["):
        host = _ip6(host[1:-1])
    if host.startswith("-") or not 0 < port < 65_536:
        raise MalformedInput(f"{str(text)[:60]!r} names no host, or a port that does not exist")
    return Address(found[1], host, port)


def _ip6(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError as error:
        raise MalformedInput(f"{text!r} is not an IPv6 address") from error


def host_key(line: object) -> str:
    """Return a host key without its comment; raise `MalformedInput` where it is none, with how to get one."""
    if not line:
        raise MalformedInput(f"a machine is not trusted on first use: {HOW_TO_GET}", source="host_key")
    try:
        sshkeys.fingerprint(line)
    except MalformedInput as error:
        raise MalformedInput(f"that is no Ed25519 host key; {HOW_TO_GET}", source="host_key") from error
    return " ".join(str(line).split()[:2])


def known_host(text: str, address: Address) -> str:
    """Return the Ed25519 host key that a known_hosts file has for an address."""
    if len(text) > LARGEST:
        raise MalformedInput(f"a known_hosts file of more than {LARGEST} characters")
    found = {host_key(" ".join(words[1:3])) for words in _entries(text) if _names(words[0], address)}
    if len(found) != 1:
        how_many = "several different Ed25519 host keys" if found else "no Ed25519 host key in plain text"
        raise MalformedInput(f"the file has {how_many} for {address.known_as[-1]}; {HOW_TO_GET}")
    return found.pop()


def _entries(text: str) -> Sequence[list[str]]:
    lines = (line.split() for line in text.splitlines() if not line.startswith(("#", "@", "|")))
    return [words for words in lines if len(words) >= 3 and words[1] == "ssh-ed25519"]


def _names(names: str, address: Address) -> bool:
    return bool(set(names.split(",")) & set(address.known_as))


def trust_lines(node: NodeId, user: str, ca_public: str) -> list[str]:
    """Return the commands, for root on the machine, that let our authority's certificates in for one user."""
    lines = [
        f"echo '{ca_public}' > {CA_FILE}",
        f"echo '{node}' > {PRINCIPALS_FILE}",
        "cat > /etc/ssh/sshd_config.d/ringfence.conf <<'END'",
        f"Match User {user}",
        f"    TrustedUserCAKeys {CA_FILE}",
        f"    AuthorizedPrincipalsFile {PRINCIPALS_FILE}",
        "END",
        "sshd -t && systemctl reload ssh",
    ]
    if user != "root":
        lines += [
            f"echo '{user} ALL=(root) NOPASSWD: /usr/sbin/nft' > /etc/sudoers.d/ringfence",
            f"usermod -aG adm {user}    # reads the log of sshd",
        ]
    return lines
