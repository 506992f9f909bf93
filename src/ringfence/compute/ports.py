"""What compute needs from the world."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from ringfence.compute.configuration import Facts
from ringfence.compute.model import (
    Block,
    Endpoint,
    Intent,
    Isolation,
    Node,
    NodeClass,
    NodeId,
    NodeLog,
    NodeSpec,
    Observed,
    Offer,
    ProbeResult,
    Quarantine,
    Release,
)
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, PredicateName, Tenant
from ringfence.kernel.two_person import Half


class Provider(Protocol):
    """Runs the nodes of one class; every act may be repeated."""

    node_class: NodeClass

    def offer(self) -> Offer:
        """Say what this machine can run of the class."""
        ...

    def create(self, spec: NodeSpec) -> None:
        """Make the node that `spec.node` names, or go on making it; return when the sandbox runs.

        Raises:
            Unavailable: it cannot be made here; the message names what is missing.
        """
        ...

    def inspect(self, node: NodeId) -> Observed:
        """Return what is seen of a node; an unknown one is not running."""
        ...

    def ready(self, node: NodeId) -> bool:
        """Return whether its SSH answers with the host key that was made for it."""
        ...

    def endpoint(self, node: NodeId, *, forensic: bool = False) -> Endpoint:
        """Return how to reach its SSH; raise `NotFound` for an unknown node."""
        ...

    def collect(self, node: NodeId, *, seconds: float) -> Mapping[str, bytes]:
        """Return volatile evidence that could be had within `seconds`; what could not be had says why."""
        ...

    def isolate(self, node: NodeId) -> Isolation:
        """Cut the node off, first and whatever state it is in; again: change nothing, and say so."""
        ...

    def isolated(self) -> frozenset[NodeId]:
        """Return the nodes that are cut off there, whatever our rows say."""
        ...

    def probe(self, node: NodeId) -> tuple[ProbeResult, ...]:
        """Try every path that must be closed, and the forensic one."""
        ...

    def configuration(self, node: NodeId) -> Facts:
        """Read inside how the node is set up; what it says is its own word.

        Raises:
            RingfenceError: it does not answer, or not with facts.
        """
        ...

    def baseline(self, spec: NodeSpec) -> Facts:
        """Return what `configuration` should say; nothing where nobody has said how the node should be."""
        ...

    def keep_baseline(self, node: NodeId, facts: Facts) -> None:
        """Keep what `configuration` said as what it should say; raise `Conflict` where we set the node up ourselves."""
        ...

    def restore(self, node: NodeId, before: str) -> None:
        """Give back exactly the state `before`; raise `Conflict` where the policy changed under the cut."""
        ...

    def destroy(self, node: NodeId) -> None:
        """Leave nothing of a node: no process, no group, no file, no port."""
        ...

    def existing(self) -> frozenset[NodeId]:
        """Return every node of which there is anything here."""
        ...

    def logs(self, node: NodeId) -> tuple[NodeLog, ...]:
        """Return its logs on the host's side."""
        ...


class Authority(Protocol):
    """The certificate authority for people who log in."""

    def certificate(
        self, public_key: str, *, principal: str, seconds: int, serial: int, key_id: str = "", tunnel: bool = False
    ) -> str:
        """Certify an OpenSSH public key for `principal`, for that many seconds; `key_id` stands in the node's log.

        It allows a terminal or, with `tunnel`, the forwarding of connections.
        """
        ...

    def ca_public(self) -> str:
        """Return the authority's public key as an OpenSSH line."""
        ...


class Nodes(Protocol):
    """The rows of nodes, quarantines, releases and blocks."""

    def put(self, node: Node) -> None:
        """Write a node; raise `Conflict` where a living node of the tenant has its name."""
        ...

    def get(self, node: NodeId) -> Node | None: ...

    def all(self, tenant: Tenant | None = None, *, ended: bool = False) -> list[Node]:
        """Return the nodes that live or are cut off, of one tenant or of all; with `ended`, the others as well."""
        ...

    def put_quarantine(self, quarantine: Quarantine) -> None: ...
    def quarantine(self, node: NodeId, number: int) -> Quarantine | None: ...
    def put_release(self, release: Release) -> None: ...
    def release(self, request: Digest) -> Release | None: ...

    def releases(self, node: NodeId, quarantine: int) -> list[Release]:
        """Return what was asked for one quarantine, in order."""
        ...

    def put_block(self, block: Block) -> None: ...

    def blocks(self) -> list[Block]:
        """Return the blocks that have not ended."""
        ...


class Perimeter(Protocol):
    """The outside ports: who may come in at all."""

    def block(self, address: str, *, seconds: int | None = None) -> None: ...
    def unblock(self, address: str) -> None: ...
    def blocked(self) -> list[str]: ...


class Intents(Protocol):
    """Which nodes are to be cut off, kept outside the database on disk that is reserved.

    The wish must be durable before the act, and the act must not wait for a database that is full or locked.
    """

    def add(self, node: NodeId, intent: Intent) -> None:
        """Write the wish durably; a smaller number than the one that is there changes nothing."""
        ...

    def drop(self, node: NodeId, number: int) -> None:
        """Forget a wish of this number or of a smaller one."""
        ...

    def all(self) -> Mapping[NodeId, Intent]: ...


class Locker(Protocol):
    """Where collected evidence is kept, readable for nobody else."""

    def keep(self, node: NodeId, number: int, items: Mapping[str, bytes], salt: bytes) -> None: ...


class Exclusive(Protocol):
    """Keep two of ours from working on one node at a time."""

    def containing(self, node: NodeId) -> AbstractContextManager[None]:
        """Wait for whoever cuts the node off, or frees it, now."""
        ...

    def working(self, node: NodeId) -> AbstractContextManager[bool]:
        """Give True where nobody starts or stops the node now, else False at once."""
        ...


class Stated(Protocol):
    """What containment has stated already, in the database or in the journal."""

    def __call__(self, tenant: Tenant, predicate: PredicateName, node: NodeId, quarantine: int) -> bool:
        """Return whether it was stated of this quarantine; raise `Unavailable` where that cannot be read."""
        ...


class Colleagues(Protocol):
    """What two people are to this tenant and to each other."""

    def may_release(self, tenant: Tenant, person: PersonId) -> bool:
        """Return whether the person is here, and may release nodes."""
        ...

    def enrolled_by(self, tenant: Tenant, person: PersonId) -> PersonId | None:
        """Return who enrolled the person, where that is known."""
        ...

    def half(self, tenant: Tenant, person: PersonId, envelope: Digest) -> Half:
        """Return what the log knows of a statement that the person signed; raise `Refused` where it counts not."""
        ...

    def established(self, tenant: Tenant, at: datetime) -> int:
        """Return how many people have a credential that is old enough for an act of two."""
        ...


class Pause(Protocol):
    """Let time pass."""

    def __call__(self, seconds: float, /) -> None: ...


class Randomness(Protocol):
    """A source of unpredictable bytes."""

    def __call__(self, size: int, /) -> bytes: ...
