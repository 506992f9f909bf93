"""The life of a node: what is due, and what each outcome makes of it; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ringfence.compute import address as addresses
from ringfence.compute import statements
from ringfence.compute.model import (
    Decision,
    Node,
    NodeClass,
    NodeId,
    NodeSpec,
    NodeState,
    Offer,
    QuarantineKind,
    node_name,
)
from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.errors import Conflict, MalformedInput, Refused, Unavailable
from ringfence.kernel.identifier import PersonId, Tenant

START_LIMIT = timedelta(minutes=3)  # an emulated guest with an unlucky neighbour; beyond, it will not come
TRUST_LIMIT = timedelta(hours=24)  # on a host of one's own somebody has to install our authority
MAX_NODES = 64  # living nodes of one tenant
MEMORY_MIB = range(32, 262_145)
SMALL_MIB, RUNTIME_MIB = 256, 2048  # memory where nobody says how much; Python with a model in memory needs more
MEASURED_MIB = 512
CPU_PERCENT = range(5, 25_601)
PROCESSES = range(16, 65_537)
MAX_EXPOSED = 16


class Due(StrEnum):
    """What is to be done for a node now."""

    NOTHING = "nothing"
    CREATE = "create"
    AWAIT = "await"  # it runs, but its SSH does not answer yet
    WELCOME = "welcome"  # it answers
    GIVE_UP = "give-up"
    LOST = "lost"  # it was ready and is gone
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asks for."""

    name: str
    node_class: NodeClass
    memory_mib: int = SMALL_MIB
    cpus_percent: int = 50
    processes: int = 128
    expose: tuple[int, ...] = ()
    password: str | None = None
    training: bool = False
    address: str = ""
    host_key: str = ""
    runtime: bool = False

    def checked(self) -> "Order":
        """Return the order, or raise `MalformedInput` naming what is out of bounds."""
        node_name(self.name)
        bounds = (("memory", self.memory_mib, MEMORY_MIB), ("cpus", self.cpus_percent, CPU_PERCENT))
        for what, value, allowed in (*bounds, ("processes", self.processes, PROCESSES)):
            if value not in allowed:
                raise MalformedInput(f"{what} is {allowed.start} to {allowed.stop - 1}, not {value}")
        ports = self.expose
        if len(ports) > MAX_EXPOSED or len(set(ports)) != len(ports) or not all(0 < port < 65_536 for port in ports):
            raise MalformedInput(f"expose names at most {MAX_EXPOSED} different ports from 1 to 65535")
        if (self.node_class is NodeClass.OWN) != bool(self.address):
            raise MalformedInput("a host of one's own is added with its address, and only such a node has one")
        if self.runtime and self.node_class is not NodeClass.NAMESPACE:
            raise MalformedInput("only a namespace node can see this installation's Python")
        return self._own() if self.address else self

    def _own(self) -> "Order":
        """Return the order of a host of one's own: with the host key that it must show, and no limits of ours."""
        addresses.parse(self.address)
        key = addresses.host_key(self.host_key)
        return replace(self, host_key=key, memory_mib=0, cpus_percent=0, processes=0)


def default_memory(*, runtime: bool, node_class: NodeClass = NodeClass.NAMESPACE) -> int:
    """Return the memory of a node in MiB where nobody says how much; a measured one holds its whole image in it."""
    if node_class is NodeClass.MEASURED:
        return MEASURED_MIB
    return RUNTIME_MIB if runtime else SMALL_MIB


@dataclass(frozen=True, slots=True)
class Birth:
    """What a new node gets from outside the decision: its id, a nonce for its descriptor, by whom and when."""

    node: NodeId
    nonce: bytes
    by: PersonId
    at: datetime


def request(order: Order, offer: Offer, living: Sequence[Node], birth: Birth, tenant: Tenant) -> Decision:
    """Decide whether a node is made; one that has the name and fits the order is the answer already."""
    for node in living:
        if node.spec.name == order.name:
            return Decision(_same(node, order))
    if not offer.available:
        raise Unavailable(f"no {order.node_class} node can run here: {offer.because}")
    if len(living) >= MAX_NODES:
        raise Refused(f"{MAX_NODES} nodes run for this tenant, which is the limit; stop one first")
    node = Node(
        spec=_spec(order, birth.node, tenant),
        subject=describe(birth.node, birth.nonce),
        isolation=offer.isolation,
        kind=offer.quarantine,
        state=NodeState.REQUESTED,
        wanted=NodeState.READY,
        requested_at=birth.at,
        changed_at=birth.at,
    )
    return Decision(node, (statements.requested(node, birth.by),))


def describe(node: NodeId, nonce: bytes) -> Digest:
    """Return the digest that names a node in the log."""
    return Digest.of(dumps({"node": node, "nonce": nonce.hex()}))


def _spec(order: Order, node: NodeId, tenant: Tenant) -> NodeSpec:
    return NodeSpec(
        node=node,
        name=order.name,
        tenant=tenant,
        node_class=order.node_class,
        memory_mib=order.memory_mib,
        cpus_percent=order.cpus_percent,
        processes=order.processes,
        expose=order.expose,
        password=order.password,
        training=order.training,
        address=order.address,
        host_key=order.host_key,
        runtime=order.runtime,
    )


def _same(node: Node, order: Order) -> Node:
    if node.wanted is NodeState.STOPPED:
        raise Conflict(f"{order.name} is being stopped; try again when it is gone")
    if node.spec != _spec(order, node.id, node.tenant):
        raise Conflict(f"a node called {order.name} runs already, with other limits; choose another name")
    return node


def due(node: Node, *, running: bool, ready: bool, at: datetime) -> Due:
    """Return what is to be done for a node of which this is seen."""
    if node.ended:
        return Due.NOTHING
    if node.wanted is NodeState.STOPPED:
        return Due.DESTROY
    if node.state is NodeState.READY:
        return Due.NOTHING if running else Due.LOST
    return _coming_up(node, running=running, ready=ready, at=at)


def _coming_up(node: Node, *, running: bool, ready: bool, at: datetime) -> Due:
    if running and ready:
        return Due.WELCOME
    if at - node.requested_at >= (TRUST_LIMIT if node.spec.node_class is NodeClass.OWN else START_LIMIT):
        return Due.GIVE_UP
    return Due.AWAIT if running else Due.CREATE


def needs_a_person(node: Node, due: Due) -> bool:
    """Return whether nothing goes on before somebody has done something on a host of one's own."""
    return due is Due.AWAIT and node.spec.node_class is NodeClass.OWN


def starting(node: Node, at: datetime) -> Decision:
    """The sandbox runs."""
    if node.state is not NodeState.REQUESTED:
        return Decision(node)
    return Decision(replace(node, state=NodeState.STARTING, changed_at=at))


def started(node: Node, host_key: str, at: datetime, *, kind: QuarantineKind | None = None) -> Decision:
    """Its SSH answers with its own key; `kind` says how it can be cut off where that is not as its class promised."""
    if node.ended or node.wanted is NodeState.STOPPED:
        return Decision(node)
    sandbox = node.changed_at if node.state is NodeState.STARTING else at
    ready = replace(node, state=NodeState.READY, changed_at=at, ready_at=at, host_key=host_key, kind=kind or node.kind)
    return Decision(ready, (statements.started(ready, sandbox, at),))


def failed(node: Node, phase: str, because: str, at: datetime) -> Decision:
    """It did not come up, or it is gone."""
    if node.ended:
        return Decision(node)
    gone = replace(node, state=NodeState.FAILED, wanted=NodeState.STOPPED, changed_at=at, ended_at=at, because=because)
    return Decision(gone, (statements.failed(gone, phase),))


def stop(node: Node, at: datetime) -> Decision:
    """Somebody wants it gone."""
    if node.ended or node.wanted is NodeState.STOPPED:
        return Decision(node)
    if node.cut_off:
        raise Refused(
            f"{node.spec.name} is quarantined: stopping it would destroy evidence; two people release it first"
        )
    return Decision(replace(node, state=NodeState.STOPPING, wanted=NodeState.STOPPED, changed_at=at))


def stopped(node: Node, at: datetime) -> Decision:
    """Nothing is left of it."""
    if node.ended:
        return Decision(node)
    gone = replace(node, state=NodeState.STOPPED, changed_at=at, ended_at=at)
    return Decision(gone, (statements.stopped(node, at),))


def leaks(existing: Iterable[NodeId], known: Iterable[Node]) -> tuple[list[NodeId], list[NodeId]]:
    """Return what is left of nodes that have ended, and what nobody here ever asked for.

    What is unknown is reported and left alone: after a restored backup it may be somebody's work.
    """
    rows = {node.id: node for node in known}
    left = [node for node in existing if node in rows and rows[node].ended and not rows[node].cut_off]
    return sorted(left), sorted(node for node in existing if node not in rows)
