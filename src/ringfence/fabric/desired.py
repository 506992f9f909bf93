"""What the network should be: a state and a verb make a new state, or an error. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ringfence.fabric.model import PortState
from ringfence.kernel.errors import Conflict, NotFound, Refused, Unavailable

PREFIX = "10.203"
CONTROL = f"{PREFIX}.255.1"  # connections of the controller come from here
FORENSIC = f"{PREFIX}.255.2"  # and the ones that still work while a node is cut off from here
MOST_PORTS = 512
MOST_RULES = 4096


@dataclass(frozen=True, slots=True)
class Port:
    """One link of the fabric. `admitted` is kept through a quarantine: it is what a release restores.

    `pid` is a process of the network namespace at the other end, `network` the number of that namespace.
    """

    slot: int
    outside: str = ""
    attached: bool = True
    admitted: bool = False
    quarantined: bool = False
    pid: int = 0
    network: int = 0

    @property
    def interface(self) -> str:
        """Return the name of the fabric's end."""
        return f"n{self.slot}"

    def _at(self, host: int) -> str:
        return f"{PREFIX}.{self.slot // 64}.{self.slot % 64 * 4 + host}"

    @property
    def gateway(self) -> str:
        """Return the fabric's address on this link."""
        return self._at(1)

    @property
    def address(self) -> str:
        """Return the only source address that this link may use."""
        return self.outside or self._at(2)

    @property
    def state(self) -> PortState:
        """Return where the node stands; a quarantine outranks all."""
        if self.quarantined:
            return PortState.QUARANTINED
        return PortState.ADMITTED if self.admitted and self.attached else PortState.ATTACHED


WITNESS = Port(slot=MOST_PORTS, admitted=True)  # the helper's own; no permit names it, and no verb


@dataclass(frozen=True, slots=True)
class Desired:
    """The whole network. `blocked` maps an address to the second of the clock at which it ends; 0 is never."""

    ports: Mapping[str, Port] = field(default_factory=lambda: MappingProxyType({}))
    permits: frozenset[tuple[str, str, int]] = frozenset()
    exposes: frozenset[tuple[str, int]] = frozenset()
    blocked: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def port(self, node: str) -> Port:
        """Return the port of a node."""
        if node not in self.ports or self.ports[node].outside:
            raise NotFound(f"no node {node} is attached to the fabric")
        return self.ports[node]

    def admits(self, node: str) -> bool:
        """Say whether packets of a node pass at all."""
        port = self.ports.get(node)
        return port is not None and port.attached and not port.outside and port.state is PortState.ADMITTED


def _with(state: Desired, name: str, port: Port) -> Desired:
    return replace(state, ports=MappingProxyType({**state.ports, name: port}))


def _room(size: int, most: int, what: str) -> None:
    if size >= most:
        raise Unavailable(f"the fabric holds {most} {what} at most; remove some first")


def attach(state: Desired, name: str, *, pid: int = 0, network: int = 0, outside: str = "") -> Desired:
    """Attach a port, admitted nowhere; one that is quarantined stays so."""
    if outside.startswith(f"{PREFIX}."):
        raise Refused(f"{outside} is inside the fabric: nobody outside has it")
    old = state.ports.get(name)
    if old is None:
        _room(len(state.ports), MOST_PORTS, "ports")
        taken = {port.slot for port in state.ports.values()}
        old = Port(slot=next(slot for slot in range(MOST_PORTS) if slot not in taken), outside=outside)
    if any(port.address == outside and other != name for other, port in state.ports.items()):
        raise Conflict(f"{outside} is attached already")
    if old.outside != outside:
        raise Conflict(f"{name} is attached as another kind of port")
    admitted = old.admitted and old.quarantined
    return _with(state, name, replace(old, attached=True, admitted=admitted, pid=pid, network=network))


def detach(state: Desired, name: str) -> Desired:
    """Forget a port with its policy; of a quarantined one, remember everything but the link."""
    port = state.ports.get(name)
    if port is None:
        return state
    if port.quarantined:
        return _with(state, name, replace(port, attached=False, pid=0, network=0))
    return replace(
        state,
        ports=MappingProxyType({other: kept for other, kept in state.ports.items() if other != name}),
        permits=frozenset(permit for permit in state.permits if name not in permit[:2]),
        exposes=frozenset(expose for expose in state.exposes if name != expose[0]),
    )


def admit(state: Desired, node: str) -> Desired:
    """Let a node's packets pass where permits lead."""
    port = state.port(node)
    if port.quarantined:
        raise Refused(f"{node} is quarantined; two people release it first")
    return _with(state, node, replace(port, admitted=True))


def permit(state: Desired, source: str, target: str, port: int) -> Desired:
    """Let one node open connections to a port of another."""
    for end in (source, target):
        state.port(end)
    new = state.permits | {(source, target, port)}
    _room(len(new) - 1, MOST_RULES, "permits")
    return replace(state, permits=new)


def forbid(state: Desired, source: str, target: str, port: int) -> Desired:
    """Take a permit back."""
    return replace(state, permits=state.permits - {(source, target, port)})


def expose(state: Desired, node: str, port: int) -> Desired:
    """Let outside ports open connections to a port of a node."""
    state.port(node)
    new = state.exposes | {(node, port)}
    _room(len(new) - 1, MOST_RULES, "exposed ports")
    return replace(state, exposes=new)


def hide(state: Desired, node: str, port: int) -> Desired:
    """Take an exposed port back."""
    return replace(state, exposes=state.exposes - {(node, port)})


def quarantine(state: Desired, node: str) -> Desired:
    """Cut a node off; everything else about it stays as it was, for the release."""
    return _with(state, node, replace(state.port(node), quarantined=True))


def release(state: Desired, node: str, before: str) -> Desired:
    """Restore what was before the cut.

    Raises:
        Conflict: the node's policy is not what was approved; quarantine it again to see what a release would restore.
    """
    port = state.port(node)
    if not port.quarantined:
        raise Conflict(f"{node} is not quarantined")
    if pre_state(state, node) != before:
        raise Conflict(f"the policy of {node} changed since the cut; quarantine it again and approve what is now")
    state = _with(state, node, replace(port, quarantined=False))
    return state if port.attached else detach(state, node)


def block(state: Desired, address: str, until: int) -> Desired:
    """Drop what comes from an address at outside ports; when full, the block that would end first makes room."""
    if address.startswith(f"{PREFIX}."):
        raise Refused(f"{address} is inside the fabric: cut the node off instead")
    kept = dict(state.blocked)
    if address not in kept and len(kept) >= MOST_RULES:
        kept.pop(min(kept, key=lambda known: kept[known] or float("inf")))
    return replace(state, blocked=MappingProxyType({**kept, address: until}))


def unblock(state: Desired, address: str) -> Desired:
    """End a block."""
    return replace(state, blocked=MappingProxyType({a: until for a, until in state.blocked.items() if a != address}))


def expired(state: Desired, now: int) -> Desired:
    """End the blocks whose time is over."""
    kept = {address: until for address, until in state.blocked.items() if not 0 < until <= now}
    return state if len(kept) == len(state.blocked) else replace(state, blocked=MappingProxyType(kept))


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def pre_state(state: Desired, node: str) -> str:
    """Return the digest of what a release of the node restores; by names, so that it survives a relaunch."""
    policy = {
        "node": node,
        "admitted": state.port(node).admitted,
        "permits": sorted(permit for permit in state.permits if node in permit[:2]),
        "exposes": sorted(expose for expose in state.exposes if node == expose[0]),
    }
    return hashlib.sha256(_canonical(policy)).hexdigest()


def digest(state: Desired) -> str:
    """Return the digest of the whole state."""
    return hashlib.sha256(dump(state)).hexdigest()


def dump(state: Desired) -> bytes:
    """Serialise, always the same way."""
    ports = {
        name: [p.slot, p.outside, p.attached, p.admitted, p.quarantined, p.pid, p.network]
        for name, p in state.ports.items()
    }
    return _canonical(
        {
            "format": "urn:ringfence:fabric:v1",
            "ports": ports,
            "permits": sorted(state.permits),
            "exposes": sorted(state.exposes),
            "blocked": dict(state.blocked),
        }
    )


def load(text: bytes) -> Desired:
    """Read what `dump` wrote; its checksum was checked before."""
    read = json.loads(text)
    return Desired(
        ports=MappingProxyType({name: Port(*values) for name, values in read["ports"].items()}),
        permits=frozenset((source, target, port) for source, target, port in read["permits"]),
        exposes=frozenset((node, port) for node, port in read["exposes"]),
        blocked=MappingProxyType(read["blocked"]),
    )
