"""`channels.Wire` over this machine: the kernel's tables of sockets, and real handshakes."""

import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from ringfence.kernel.errors import Unavailable
from ringfence.workloads.collecting.channels import Address, Handshake

SECONDS = 5.0
_LISTEN = "0A"  # TCP_LISTEN in /proc/net/tcp
_MOST = 2**22  # bytes of a table that are read


@dataclass(frozen=True, slots=True)
class MachineWire:
    """What listens on this machine, and what answers from it."""

    processes: Path = Path("/proc")
    own: int = 0  # process; 0: this one

    def listeners(self) -> list[Address]:
        """Return where this process and those below it listen."""
        family = self._family(self.own or os.getpid())
        inodes = {inode for pid in family for inode in _inodes(self.processes / str(pid) / "fd")}
        found = [pair for name in ("tcp", "tcp6") for pair in listening(_text(self.processes / "net" / name))]
        return sorted({address for inode, address in found if inode in inodes}, key=lambda one: (one.port, one.host))

    def _family(self, first: int) -> set[int]:
        """Return a process and everything that descends from it."""
        parents = {int(path.name): _parent(_text(path / "stat")) for path in self.processes.glob("[0-9]*")}
        family = {first}
        while more := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= more
        return family

    def handshake(self, address: Address) -> Handshake:
        """Try TLS of any version; a certificate that nobody vouches for is looked at all the same."""
        try:
            with socket.create_connection((_dialled(address.host), address.port), timeout=SECONDS) as connection:
                return _shaken(connection, address.host)
        except OSError as error:
            raise Unavailable(f"{address.host}:{address.port} does not answer: {error}") from error


def _shaken(connection: socket.socket, host: str) -> Handshake:
    try:
        with _any_version().wrap_socket(connection, server_hostname=host) as secured:
            certificate = secured.getpeercert(binary_form=True)
            version = secured.version() or ""
    except (ssl.SSLError, ConnectionError, TimeoutError):
        return Handshake("")  # somebody is there, and speaks something else
    ends = x509.load_der_x509_certificate(certificate).not_valid_after_utc if certificate else None
    return Handshake(version, ends)


def _any_version() -> ssl.SSLContext:
    """Return a context that takes what it is given: this is a look at the other side, and nothing is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.options &= ~(ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    return context


def listening(table: str) -> Iterator[tuple[str, Address]]:
    """Yield inode and address of every listener in a table of the kernel's."""
    for line in table.splitlines()[1:]:
        match line.split():
            case [_, local, _, state, _, _, _, _, _, inode, *_] if state == _LISTEN:
                host, _, port = local.partition(":")
                yield inode, Address(_host(host), int(port, 16))


def _host(text: str) -> str:
    """Read an address as the kernel prints it: words of four bytes in the machine's own order."""
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    found = ipaddress.ip_address(b"".join(words))
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def _dialled(host: str) -> str:
    """Return where a listener on every address is reached from here."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, never bound


def _inodes(folder: Path) -> Iterator[str]:
    try:
        links: Sequence[Path] = list(folder.iterdir())
    except OSError:  # it has ended, or is not ours to look at
        return
    for link in links:
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            yield target[8:-1]


def _parent(stat: str) -> int:
    fields = stat.rpartition(")")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST).decode("ascii", "replace")
    except OSError:
        return ""
