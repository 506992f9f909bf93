"""Interfaces, addresses and routes of the fabric's namespace, by `ip`, ioctl and sysctl; entering another's."""

import contextlib
import ctypes
import fcntl
import os
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ringfence.fabric import tools
from ringfence.fabric.desired import CONTROL, FORENSIC, WITNESS, Port
from ringfence.fabric.ruleset import MARK
from ringfence.kernel.errors import Conflict, NotFound, Refused, RingfenceError, Unavailable

_SYSCTL = Path("/proc/sys/net")
# Routing without a mark must fail everywhere, also where the kernel has a short cut to sockets ("early demux").
_IPV4 = {
    "ip_forward": 1,
    "ip_early_demux": 0,
    "tcp_early_demux": 0,
    "udp_early_demux": 0,
    "icmp_echo_ignore_broadcasts": 1,
}
_EACH = {
    "rp_filter": 1,  # strict, and asked with the packet's mark
    "src_valid_mark": 1,
    "arp_ignore": 1,  # a link is told its own gateway's address, never another's
    "arp_filter": 0,
    "accept_redirects": 0,
    "send_redirects": 0,
    "accept_source_route": 0,
    "proxy_arp": 0,
    "route_localnet": 0,
}
_RULES = {10: "local", 11: "main"}
_TUNSETIFF = 0x400454CA
_TAP, _NO_PI, _VNET_HDR = 0x0002, 0x1000, 0x4000
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _set(name: str, value: int) -> None:
    path = _SYSCTL / name
    try:
        path.write_text(f"{value}\n", encoding="ascii")
    except OSError as error:
        raise Unavailable(f"{path} cannot be set: {error.strerror}") from None


def prepare() -> bool:
    """Make the namespace one that forwards nothing without a mark; return whether its routing rules were others."""
    for name, value in _IPV4.items():
        _set(f"ipv4/{name}", value)
    for scope in ("all", "default"):
        for name, value in _EACH.items():
            _set(f"ipv4/conf/{scope}/{name}", value)
        if (_SYSCTL / "ipv6").is_dir():  # a kernel without IPv6 is fine
            _set(f"ipv6/conf/{scope}/disable_ipv6", 1)
    _batch(f"link set lo up\naddr replace {CONTROL}/32 dev lo\naddr replace {FORENSIC}/32 dev lo\n")
    return _routing()


def _batch(script: str) -> None:
    tools.run("ip", "-batch", "-", stdin=script)


def _routing() -> bool:
    found = re.findall(r"^(\d+):\s+(.*?)\s*$", tools.run("ip", "rule"), re.MULTILINE)
    wanted = [(str(preference), f"from all fwmark {MARK:#x} lookup {table}") for preference, table in _RULES.items()]
    if found == wanted:
        return False
    script = ["rule flush", *("rule del pref 0" for preference, _ in found if preference == "0")]  # flush leaves these
    script += [f"rule add pref {preference} fwmark {MARK:#x} lookup {table}" for preference, table in _RULES.items()]
    _batch("\n".join(script) + "\n")
    return True


def started(pid: int) -> int:
    """Return when a living process started, in ticks since boot: with the number it names one process."""
    fields: list[str] = []
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = text.rpartition(")")[2].split()
    if not fields or fields[0] in "ZX":  # dead, and perhaps not buried
        raise NotFound(f"there is no process {pid}")
    return int(fields[19])


@contextlib.contextmanager
def inside(theirs: BinaryIO | None) -> Iterator[None]:
    """Work in an open network namespace, or in a new one; sockets made there stay there."""
    with Path("/proc/thread-self/ns/net").open("rb") as home:
        if _libc.setns(theirs.fileno(), _CLONE_NEWNET) if theirs else _libc.unshare(_CLONE_NEWNET):
            raise Unavailable(f"its network cannot be entered: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            if _libc.setns(home.fileno(), _CLONE_NEWNET):
                sys.exit("the way back from a node's network is lost")  # nothing more may be done in there


def network(pid: int | str) -> BinaryIO:
    """Open the network namespace of a process; from then on it does not matter who has the process's number."""
    try:
        return Path(f"/proc/{pid}/ns/net").open("rb")
    except FileNotFoundError:
        raise NotFound(f"there is no process {pid}") from None
    except OSError as error:
        raise Refused(f"the network of process {pid} is out of reach: {error.strerror}") from None


def number(theirs: BinaryIO) -> int:
    """Return what tells one network namespace from another for as long as it exists."""
    return os.fstat(theirs.fileno()).st_ino


def verify_foreign(theirs: BinaryIO, caller: int) -> int:
    """Return its number if it is neither ours nor the caller's: that would hang the machine itself on the fabric."""
    for other in ("thread-self", caller):
        try:
            with network(other) as known:
                shared = number(known) == number(theirs)
        except (NotFound, Refused):  # what we may not look at is no child's
            continue
        if shared:
            raise Refused("the process has no network namespace of its own")
    return number(theirs)


def attach(port: Port, theirs: BinaryIO) -> None:
    """Make a pair of interfaces, one end in an open namespace, with addresses and the default route."""
    remove(port)
    prefix = 32 if port.outside else 30
    ours = f"addr add {port.gateway}/{prefix} dev {port.interface}\nlink set {port.interface} up\n"
    if port.outside:
        ours += f"route replace {port.address}/32 dev {port.interface}\n"
    inner = (
        f"link set lo up\naddr add {port.address}/{prefix} dev eth0\nlink set eth0 up\n"
        f"route replace {port.gateway} dev eth0\nroute replace default via {port.gateway} dev eth0\n"
    )
    where = f"/proc/{os.getpid()}/fd/{theirs.fileno()}"
    try:
        tools.run("ip", "link", "add", port.interface, "type", "veth", "peer", "name", "eth0", "netns", where)
    except Unavailable as error:
        if "File exists" in str(error):
            raise Conflict("there is an interface eth0 already") from None
        raise
    try:
        _batch(ours)
        with inside(theirs):
            _batch(inner)
    except Unavailable:
        remove(port)
        raise


def witness() -> BinaryIO:
    """Give the fabric somebody of its own: a namespace without a process, which lives as long as its open file."""
    with inside(None):
        made = network("thread-self")
    try:
        attach(WITNESS, made)
    except RingfenceError:
        made.close()
        raise
    return made


def attach_tap(port: Port) -> int:
    """Make a tap and return its open file; the interface lives as long as somebody holds it."""
    remove(port)
    try:
        tap = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise Unavailable(f"/dev/net/tun: {error.strerror}: the kernel has no tap devices for us") from None
    try:
        request = struct.pack("16sH22x", port.interface.encode(), _TAP | _NO_PI | _VNET_HDR)
        fcntl.ioctl(tap, _TUNSETIFF, request)
        _batch(f"addr add {port.gateway}/30 dev {port.interface}\nlink set {port.interface} up\n")
    except OSError as error:
        os.close(tap)
        raise Unavailable(f"no tap device: {error.strerror}") from None
    except Unavailable:
        os.close(tap)
        raise
    return tap


def present(port: Port) -> bool:
    """Say whether the fabric's end of a link is there."""
    return Path(f"/proc/sys/net/ipv4/conf/{port.interface}").is_dir()


def remove(port: Port) -> None:
    """Remove a link; the other end goes with it."""
    if present(port):
        try:
            tools.run("ip", "link", "del", port.interface)
        except Unavailable:
            if present(port):  # otherwise its owner was faster
                raise
