"""Nodes, where they run, what was observed of them, and what a cut-off has come to."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.kernel.statement import Draft

NodeId = NewType("NodeId", str)  # `n-` and 8 hexadecimal digits; also the node's name in the network

_NODE = re.compile(r"n-[0-9a-f]{8}")
_NAME = re.compile(r"[a-z](-?[a-z0-9]){0,31}")


def node_id(text: object) -> NodeId:
    """Parse a node's opaque id."""
    if not isinstance(text, str) or not _NODE.fullmatch(text):
        raise MalformedInput(f"{str(text)[:40]!r} is not a node id such as n-0123abcd")
    return NodeId(text)


def node_name(text: object) -> str:
    """Parse the name that people give a node."""
    if not isinstance(text, str) or len(text) > 32 or not _NAME.fullmatch(text):
        raise MalformedInput(
            f"{str(text)[:40]!r} is not a node's name: a letter, then letters, digits and single hyphens, at most 32"
        )
    return text


class NodeClass(StrEnum):
    """What a node is made of."""

    NAMESPACE = "namespace"
    VM = "vm"
    MEASURED = "measured-vm"  # a virtual machine that can show what it was started with
    OWN = "own"


class NodeState(StrEnum):
    """Where a node is in its life."""

    REQUESTED = "requested"
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class Containment(StrEnum):
    """Whether a node is cut off; everything but `NONE` means that it is, or is about to be, or not yet free."""

    NONE = "none"
    ENTERING = "entering"
    QUARANTINED = "quarantined"
    RELEASING = "releasing"


class QuarantineKind(StrEnum):
    """Where the cut is made: root inside the node cannot undo one that is made outside of it."""

    OUTSIDE_GUEST = "outside-guest"
    IN_GUEST = "in-guest"
    NO = "none"


@dataclass(frozen=True, slots=True)
class Offer:
    """What this machine can run of one class, and what stands against it."""

    node_class: NodeClass
    available: bool
    because: str
    isolation: str  # shared-kernel | vm-emulated | vm-kvm | dedicated-host
    quarantine: QuarantineKind
    limits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """What a node is to be; the provider needs nothing else to make it."""

    node: NodeId
    name: str
    tenant: Tenant
    node_class: NodeClass
    memory_mib: int
    cpus_percent: int
    processes: int
    expose: tuple[int, ...]
    password: str | None  # salted crypt(3) hash: lab nodes that deliberately let passwords in
    training: bool
    address: str = ""  # ssh://user@host:port, for hosts of one's own
    host_key: str = ""  # which such a host must show: nobody is trusted on first use
    runtime: bool = False  # it sees this installation's own Python with its packages, read-only


@dataclass(frozen=True, slots=True)
class Observed:
    """What the provider sees of a node now."""

    running: bool
    address: str
    detail: str
    quarantine: QuarantineKind | None = None  # where this very node differs from the offer of its class


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How to reach a node's SSH, and the host key that it must show."""

    user: str
    host_key: str  # OpenSSH: `ssh-ed25519 AAAA…`
    proxy: tuple[str, ...]  # ProxyCommand as argv; empty: connect directly
    host: str
    port: int
    fdpass: bool


@dataclass(frozen=True, slots=True)
class NodeLog:
    """A log of a node on the host's side: which node it is of is the file's fact, never the content's."""

    node: NodeId
    source: str
    path: str


@dataclass(frozen=True, slots=True)
class Isolation:
    """A cut that was made."""

    kind: QuarantineKind
    before: str  # SHA-256 of the exact state before it; a release gives it back
    micros: int


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """A path that was tried after the cut."""

    path: str
    expected: str
    observed: str  # blocked | open | answers | not-tried: why
    ok: bool

    @property
    def tried(self) -> bool:
        """Return whether it could be tried: a lone node has no peer to try it from."""
        return not self.observed.startswith("not-tried")


ENDED = frozenset({NodeState.STOPPED, NodeState.FAILED})


@dataclass(frozen=True, slots=True)
class Node:
    """A node as its row says; the row is the list of what is still to be done for it."""

    spec: NodeSpec
    subject: Digest  # of a descriptor with a nonce: the id alone could be guessed
    isolation: str
    kind: QuarantineKind
    state: NodeState
    wanted: NodeState  # READY or STOPPED
    requested_at: datetime
    changed_at: datetime
    ready_at: datetime | None = None
    ended_at: datetime | None = None
    because: str = ""
    host_key: str = ""
    containment: Containment = Containment.NONE
    quarantine: int = 0  # how often it was cut off so far; the newest quarantine has this number

    @property
    def id(self) -> NodeId:
        """Return the node's opaque id."""
        return self.spec.node

    @property
    def tenant(self) -> Tenant:
        """Return whose node it is."""
        return self.spec.tenant

    @property
    def ended(self) -> bool:
        """Return whether it will never run again."""
        return self.state in ENDED

    @property
    def cut_off(self) -> bool:
        """Return whether it is cut off or about to be; one that is being released is not free yet either."""
        return self.containment is not Containment.NONE


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of evidence: its digest is salted, so that what erases the salt leaves nothing to guess."""

    name: str
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was collected of a node, chained into one digest."""

    items: tuple[Item, ...]
    chain: Digest
    before_cut: bool
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Quarantine:
    """One quarantine of a node, from the wish to its end; `reason` may name people and stays out of the log."""

    node: NodeId
    tenant: Tenant
    number: int
    reason: str
    finding: str
    by: str  # a person's id, or empty where the system acted
    requested_at: datetime
    triggered_at: datetime | None = None  # when the line came in that set it off
    kind: QuarantineKind = QuarantineKind.NO
    before: str = ""
    micros: int = 0
    cut_at: datetime | None = None
    confirmed_at: datetime | None = None
    released_at: datetime | None = None
    evidence: str = ""
    probes: tuple[ProbeResult, ...] = ()
    because: str = ""  # why it is not confirmed yet


@dataclass(frozen=True, slots=True)
class Intent:
    """A wish to cut a node off, as it is kept beside the database: no address and no name may stand here."""

    number: int
    finding: str = ""
    by: str = ""


class ReleaseState(StrEnum):
    """What became of a request to release a node."""

    ASKED = "asked"
    APPROVED = "approved"
    RELEASED = "released"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Release:
    """A signed request to release a node, and what became of it; each is used once."""

    request: Digest
    node: NodeId
    tenant: Tenant
    quarantine: int
    asked_by: PersonId
    asked_at: datetime
    reason: str
    state: ReleaseState
    approval: str = ""
    approved_by: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """An address that is kept out; the statement about it names only a salted digest."""

    tenant: Tenant
    subject: Digest
    address: str
    finding: str
    seconds: int  # 0: until somebody ends it
    blocked_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A node as it is to be, and what is stated about that."""

    node: Node
    drafts: tuple[Draft, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What others may know of a node that reports: enough to choose a response."""

    node: NodeId
    name: str
    node_class: NodeClass
    state: NodeState
    containment: Containment
    quarantine: QuarantineKind
    training: bool


@dataclass(frozen=True, slots=True)
class Quarantined:
    """What a wish to cut a node off has come to."""

    node: NodeId
    name: str
    number: int
    confirmed: bool
    kind: QuarantineKind
    fresh: bool  # False: it was cut off already, and nothing was done
    micros: int
    milliseconds: int | None  # from the line that set it off to the confirmation
    because: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """What a person needs to log in to a node for some minutes."""

    node: Node
    endpoint: Endpoint
    certificate: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What one round of the reconciler did and met."""

    acted: int = 0
    strangers: tuple[NodeId, ...] = ()  # found at a provider, and asked for by nobody here
    problems: tuple[str, ...] = ()
