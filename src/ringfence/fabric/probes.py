"""Try every path of a node with real packets, from inside its own network namespace where that can be entered."""

import contextlib
import errno
import fcntl
import select
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ringfence.fabric import links
from ringfence.fabric.desired import CONTROL, FORENSIC, WITNESS, Desired, Port
from ringfence.fabric.model import PortState
from ringfence.fabric.ruleset import MARK
from ringfence.kernel.errors import RingfenceError, Unavailable

_TCP_REPAIR = 19
_SIOCGIFHWADDR = 0x8927
_SO_MARK = 36
_WITNESS = "witness"
_PATIENCE = 0.8
_LONG_PATIENCE = 2.6  # where an answer is expected: the first packet may be lost, and is sent again after a second
_NEVER_ASKED = 22  # a port for paths that no permit names: a refusal would show that the path is open all the same
_REFUSALS = {errno.ECONNREFUSED, errno.ECONNRESET}  # somebody was there to refuse


@dataclass(frozen=True, slots=True)
class _Try:
    path: str
    expected: str
    begun: socket.socket | str  # a connection under way, or why there is none


@contextlib.contextmanager
def _inside(where: Port | BinaryIO | None) -> Iterator[None]:
    """Work in the network of a node, in one that is open, or where we are."""
    with contextlib.ExitStack() as stack:
        if isinstance(where, Port):
            if not where.pid:
                raise Unavailable("its own network cannot be entered from outside")
            port, where = where, stack.enter_context(links.network(where.pid))
            if links.number(where) != port.network:  # it is another process, or has moved to another network
                raise Unavailable("its process is gone")
        if where:
            stack.enter_context(links.inside(where))
        yield


def marked(source: str) -> socket.socket:
    """Return a socket whose packets have a route, from one of the fabric's own addresses."""
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.setsockopt(socket.SOL_SOCKET, _SO_MARK, MARK)
    connection.bind((source, 0))
    return connection


def begin(connection: socket.socket, target: tuple[str, int] | tuple[str, int, int, int]) -> socket.socket:
    """Start to connect without waiting; refusals by the own kernel show later, as any other."""
    connection.settimeout(0)
    with contextlib.suppress(OSError):
        connection.connect(target)
    return connection


def _plain(target: tuple[str, int] | tuple[str, int, int, int]) -> socket.socket:
    family = socket.AF_INET if len(target) == 2 else socket.AF_INET6
    return begin(socket.socket(family, socket.SOCK_STREAM), target)


def _midway(connection: socket.socket, target: tuple[str, int]) -> socket.socket:
    """Make a connection that pretends to be established; a live path answers its probe by a reset."""
    connection.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
    connection.connect(target)
    connection.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 0)  # sends a probe, as in the middle of a conversation
    return connection


def _link_local(port: Port) -> str:
    """Return the address that the fabric's end would have, if it spoke IPv6."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ask:
        found = fcntl.ioctl(ask, _SIOCGIFHWADDR, struct.pack("16s24x", port.interface.encode()))
    mac = found[18:24]
    address = b"\xfe\x80" + bytes(6) + bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]
    return socket.inet_ntop(socket.AF_INET6, address)


def _attempt(path: str, expected: str, where: Port | BinaryIO | None, work: Callable[[], socket.socket]) -> _Try:
    try:
        with _inside(where):
            return _Try(path, expected, work())
    except RingfenceError as error:
        return _Try(path, expected, f"not-tried: {error}")
    except OSError as error:
        return _Try(path, expected, f"not-tried: {error.strerror}")


def _target(state: Desired, node: str) -> tuple[str, int, str]:
    """Choose whom to reach from a node: a peer that it may and that is there, else the witness."""
    for source, target, number in sorted(state.permits):
        if source == node and state.admits(target):
            return state.port(target).address, number, "open" if state.admits(node) else "blocked"
    return WITNESS.address, _NEVER_ASKED, "blocked"


def _origin(state: Desired, node: str) -> tuple[Port | None, int, str]:
    """Choose who tries to reach a node: a peer or an outside port that may, else the witness, by `None`."""
    peers = [(state.ports[source], port) for source, target, port in sorted(state.permits) if target == node]
    exposed = [number for name, number in sorted(state.exposes) if name == node]
    strangers = [port for port in state.ports.values() if port.outside and port.outside not in state.blocked]
    for port, number in [*peers, *((port, number) for number in exposed for port in strangers)]:
        if port.pid and (port.outside or port.state is PortState.ADMITTED):
            return port, number, "open" if state.admits(node) else "blocked"
    return None, _NEVER_ASKED, "blocked"


def _established(state: Desired, node: str, peer: tuple[str, int], expected: str) -> _Try:
    """Pretend to be in a connection of the node's, or, of a guest that cannot be entered, of the controller's to it."""
    port = state.port(node)
    if port.pid:
        return _attempt("established", expected, port, lambda: _midway(socket.socket(), peer))
    expected = "open" if state.admits(node) else "blocked"
    return _attempt("established", expected, None, lambda: _midway(marked(CONTROL), (port.address, _NEVER_ASKED)))


def _begin_all(state: Desired, node: str, witness: BinaryIO | None) -> tuple[list[_Try], set[str]]:
    """Begin to connect on every path; return the paths, too, on which the witness is the other end."""
    port = state.port(node)
    there, number, onward = _target(state, node)
    origin, service, inward = _origin(state, node)
    controlled = "open" if state.admits(node) else "blocked"
    tries = [
        _attempt("node-to-peer", onward, port, lambda: _plain((there, number))),
        _established(state, node, (there, number), onward),
        _attempt("node-to-controller", "blocked", port, lambda: _plain((CONTROL, _NEVER_ASKED))),
        _attempt("metadata", "blocked", port, lambda: _plain(("169.254.169.254", 80))),
        _attempt("controller-to-node", controlled, None, lambda: begin(marked(CONTROL), (port.address, 22))),
        _attempt("forensic", "answers", None, lambda: begin(marked(FORENSIC), (port.address, 22))),
        _attempt("peer-to-node", inward, origin or witness or WITNESS, lambda: _plain((port.address, service))),
        _attempt(_WITNESS, "open", None, lambda: begin(marked(CONTROL), (WITNESS.address, _NEVER_ASKED))),
    ]
    if links.present(port):
        address = _link_local(port)
        tries.append(_attempt("ipv6", "blocked", port, lambda: _plain((address, 22, 0, socket.if_nametoindex("eth0")))))
    outward = {"node-to-peer", "established"} if there == WITNESS.address and port.pid else set()
    return tries, outward | (set() if origin else {"peer-to-node"})


def _answered(connection: socket.socket) -> bool:
    error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        return error in _REFUSALS
    with contextlib.suppress(OSError):  # one that never began to connect shows no error either
        connection.getpeername()
        return True
    return False


def _patience(waiting: Iterable[_Try]) -> float:
    return _PATIENCE if all(one.expected == "blocked" for one in waiting) else _LONG_PATIENCE


def _settle(tries: list[_Try]) -> set[int]:
    """Wait, all together, and return the descriptors of the connections that got an answer of any kind."""
    poll = select.poll()
    waiting = {one.begun.fileno(): one for one in tries if isinstance(one.begun, socket.socket)}
    for number, one in waiting.items():
        poll.register(number, select.POLLIN if one.path == "established" else select.POLLOUT)
    reached: set[int] = set()
    start = time.monotonic()
    while waiting and (left := start + _patience(waiting.values()) - time.monotonic()) > 0:
        for number, _ in poll.poll(left * 1000):
            poll.unregister(number)
            connection = waiting.pop(number).begun
            if isinstance(connection, socket.socket) and _answered(connection):
                reached.add(number)
    return reached


def _observed(one: _Try, reached: set[int]) -> str:
    if isinstance(one.begun, str):
        return one.begun
    answered = one.begun.fileno() in reached
    one.begun.close()
    return ("answers" if one.path == "forensic" else "open") if answered else "blocked"


def probe(state: Desired, node: str, witness: BinaryIO | None) -> list[list[object]]:
    """Return rows of path, expected, observed, ok; a path that was not tried is never ok.

    Where nobody else can be asked, `witness` is, the open network of `links.witness`; its silence shows something only
    while the controller reaches it.
    """
    tries, relying = _begin_all(state, node, witness)
    reached = _settle(tries)
    observed = {one.path: _observed(one, reached) for one in tries}
    if observed.pop(_WITNESS) != "open":
        silent = {path for path in relying if observed[path] != "open"}
        observed |= dict.fromkeys(silent, "not-tried: the fabric's own witness does not answer")
    expected = {one.path: one.expected for one in tries}
    return [[path, expected[path], seen, seen == expected[path]] for path, seen in observed.items()]
