"""`Fabric`: the network between nodes, for whoever may cut it."""

import contextlib
import errno
import json
import os
import select
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.fabric import launch, protocol
from ringfence.fabric.model import Attachment, Cut, Flow, PortState, Probe
from ringfence.fabric.protocol import Value
from ringfence.kernel.errors import InternalError, Unavailable

_PATIENCE = 30.0
_CONNECT_PATIENCE = 10.0


def _ask(directory: Path, message: bytes) -> tuple[bytes, int | None]:
    with launch.reached(directory, _PATIENCE) as helper:
        with contextlib.suppress(BrokenPipeError):  # it answers whom it does not listen to, too
            helper.send(message)
        reply, descriptors, _, _ = socket.recv_fds(helper, protocol.LONGEST_ANSWER + 1, 1, socket.MSG_CMSG_CLOEXEC)
        return reply, (descriptors[0] if descriptors else None)


def _finish(connection: socket.socket, seconds: float, whom: str) -> socket.socket:
    """Wait until a connection that the helper began is there."""
    poll = select.poll()
    poll.register(connection, select.POLLOUT)
    error = errno.ETIMEDOUT
    if poll.poll(seconds * 1000):
        error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    try:
        connection.getpeername()
    except OSError:
        connection.close()
        raise Unavailable(f"{whom} does not answer: {os.strerror(error or errno.EHOSTUNREACH)}") from None
    connection.settimeout(None)
    return connection


@dataclass(frozen=True, slots=True)
class Fabric:
    """One fabric per directory; each call finds its helper, and starts it again where it is gone."""

    directory: Path

    @classmethod
    def open(cls, directory: Path) -> "Fabric":
        """Open the fabric of a directory; starts anchor and helper where none runs.

        Raises:
            Unavailable: something that it needs is missing; it is named.
        """
        fabric = cls(directory.absolute())
        launch.claim(fabric.directory)
        fabric._call("hello")
        return fabric

    def _call(self, verb: str, **fields: Value) -> dict[str, object]:
        content, descriptor = self._call_for_file(verb, **fields)
        if descriptor is not None:
            os.close(descriptor)
        return content

    def _call_for_file(self, verb: str, **fields: Value) -> tuple[dict[str, object], int | None]:
        message = protocol.question(verb, fields)
        try:
            reply, descriptor = self._ask(message)
        except TimeoutError:
            raise Unavailable("the fabric's helper does not answer in time") from None
        except OSError as error:
            raise Unavailable(f"the fabric's helper cannot be reached: {error.strerror}") from None
        if not reply:
            raise Unavailable("the fabric's helper ended while it was asked; ask again")
        return protocol.parse_answer(reply), descriptor

    def _ask(self, message: bytes) -> tuple[bytes, int | None]:
        try:
            return _ask(self.directory, message)
        except (FileNotFoundError, ConnectionRefusedError):
            with launch.alone(self.directory):
                launch.revive(self.directory)
            return _ask(self.directory, message)

    def _need_file(self, verb: str, **fields: Value) -> tuple[dict[str, object], int]:
        content, descriptor = self._call_for_file(verb, **fields)
        if descriptor is None:
            raise InternalError("the fabric's helper passed no open file")
        return content, descriptor

    def attach(self, node: str, *, pid: int) -> Attachment:
        """Give the network namespace of a process its `eth0`; nothing passes yet."""
        return _attachment(self._call("attach", node=node, pid=pid))

    def attach_tap(self, node: str) -> tuple[Attachment, int]:
        """Make a tap for a virtual machine and return its open file, for `-netdev tap,fd=`; the caller closes it."""
        content, descriptor = self._need_file("attach-tap", node=node)
        return _attachment(content), descriptor

    def attach_outside(self, name: str, *, pid: int, address: str) -> Attachment:
        """Attach somebody who is not a node: reaches what is exposed, unless blocked."""
        return _attachment(self._call("attach-outside", node=name, pid=pid, address=address))

    def detach(self, node: str) -> None:
        """Remove a port and forget its policy; a quarantined node comes back quarantined."""
        self._call("detach", node=node)

    def admit(self, node: str) -> None:
        """Let the packets of a node pass where permits lead."""
        self._call("admit", node=node)

    def permit(self, source: str, target: str, port: int) -> None:
        """Let one node open TCP connections to a port of another, and ping it."""
        self._call("permit", source=source, target=target, port=port)

    def forbid(self, source: str, target: str, port: int) -> None:
        """Take a permit back; connections under it end with it."""
        self._call("forbid", source=source, target=target, port=port)

    def expose(self, node: str, port: int) -> None:
        """Let outside ports open TCP connections to a port of a node."""
        self._call("expose", node=node, port=port)

    def hide(self, node: str, port: int) -> None:
        """Take an exposed port back."""
        self._call("hide", node=node, port=port)

    def quarantine(self, node: str) -> Cut:
        """Cut a node off; when this returns, the kernel has it. Idempotent."""
        node, before, micros, durable = _row(self._call("quarantine", node=node), "cut")
        return Cut(node=str(node), before=str(before), micros=int(micros), durable=bool(durable))

    def release(self, node: str, *, before: str) -> None:
        """Restore exactly what `before` is the digest of.

        Raises:
            Conflict: the policy changed since, or the node is not quarantined.
        """
        self._call("release", node=node, before=before)

    def block(self, address: str, *, seconds: int | None = None) -> None:
        """Drop what comes from an address at outside ports, for a time or until unblocked."""
        self._call("block", address=address, seconds=seconds or 0)

    def unblock(self, address: str) -> None:
        """End a block."""
        self._call("unblock", address=address)

    def blocked(self) -> list[str]:
        """Return the blocked addresses."""
        return [str(address) for address in _row(self._call("blocked"), "blocked")]

    def connect(
        self, node: str, port: int = 22, *, via: str = "control", seconds: float = _CONNECT_PATIENCE
    ) -> socket.socket:
        """Connect to a node from the fabric's own address.

        Raises:
            Refused: the node is not admitted; `via="forensic"` reaches its port 22 all the same.
            Unavailable: nobody answers.
        """
        _, descriptor = self._need_file("connect", node=node, port=port, via=via)
        return _finish(socket.socket(fileno=descriptor), seconds, f"{node} port {port}")

    def probe(self, node: str) -> tuple[Probe, ...]:
        """Try the paths of a node with real packets; takes about a second."""
        rows = _row(self._call("probe", node=node), "probes")
        return tuple(Probe(path, expected, observed, ok) for path, expected, observed, ok in rows)

    def nodes(self) -> dict[str, PortState]:
        """Return where each node stands, with the quarantined ones that are not attached."""
        found = self._call("nodes").get("nodes")
        if not isinstance(found, dict):
            raise InternalError("the fabric's helper answered something else")
        return {str(node): PortState(str(state)) for node, state in found.items()}

    def flows(self) -> tuple[Flow, ...]:
        """Return the flow records of the last quarter of an hour: at most 4096 accepted and 4096 denied."""
        _, descriptor = self._need_file("flows")
        with os.fdopen(descriptor, "rb") as listing:
            listing.seek(0)
            return tuple(Flow(*row) for row in json.load(listing))

    def state_digest(self) -> str:
        """Return the digest of the whole desired state."""
        return str(self._call("digest")["digest"])

    def child_prefix(self) -> tuple[str, ...]:
        """Return the argv prefix for a process that shall get a network; () where the fabric runs as root."""
        return launch.child_prefix(self.directory)

    def close(self, *, end: bool = False) -> None:
        """End nothing; with `end`, end helper and anchor, and every link with them."""
        if end:
            with launch.alone(self.directory):
                launch.end(self.directory)


def _row(content: dict[str, object], name: str) -> list[Any]:
    found = content.get(name)
    if not isinstance(found, list):
        raise InternalError("the fabric's helper answered something else")
    return found


def _attachment(content: dict[str, object]) -> Attachment:
    return Attachment(*_row(content, "attachment"))
