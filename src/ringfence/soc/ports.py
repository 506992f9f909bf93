"""What the response needs from the world."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant
from ringfence.soc.action import Act, NodeFacts, Past, Response, State, Times
from ringfence.soc.faults import Fault
from ringfence.soc.model import Event, Finding
from ringfence.soc.policy import Policy

MAX_ATTEMPTS = 5  # of an act; then a person is asked


@dataclass(frozen=True, slots=True)
class NodeLogFile:
    """A log of one node, written on the host where the node cannot reach it.

    Whose log it is follows from the file and never from what stands in it.
    """

    facts: NodeFacts
    source: str  # "sshd"
    path: str
    running: bool = True
    heartbeat_seconds: int = 0  # how often a line comes at least; 0 where none is promised


class NodeLogs(Protocol):
    """The logs of every node, as they are now."""

    def logs(self) -> Sequence[tuple[Tenant, NodeLogFile]]:
        """Return every log file with the facts of its node."""
        ...


class Reading(Protocol):
    """Parse the lines of one log of one node; fulfilled by `sources.auth.AuthLog`."""

    @property
    def unparsed_count(self) -> int:
        """Return how many lines were not understood."""
        ...

    def read(self, line: str, received_at: datetime, uid: str = "") -> Event | None:
        """Return the event of a line, if it tells one; never raise."""
        ...


class AccessLog(Protocol):
    """The gateway's access records: one file for all tenants, each record with the gateway's word whose key it was."""

    @property
    def path(self) -> str:
        """Return where it is, once there is a gateway."""
        ...

    def tenants(self) -> Sequence[Tenant]:
        """Return every tenant, the one first that hears of strangers whose key nobody knows."""
        ...


class Flows(Protocol):
    """What the network helper saw since it was asked last."""

    def events(self, received_at: datetime) -> Sequence[tuple[Tenant, Event]]:
        """Return flow events with the tenant of the node that they concern."""
        ...


class Faults(Protocol):
    """What of this installation does not work, as far as those know who run it."""

    def __call__(self) -> Sequence[Fault]:
        """Return what does not work now; asked once a second."""
        ...


class Responder(Protocol):
    """Cut off. Each is idempotent, acts first, and records by the emergency path."""

    def quarantine(self, tenant: Tenant, node: str, *, reason: str, finding: str, line_at: datetime) -> None:
        """Isolate a node outside the guest; raise our family where it could not be confirmed.

        `line_at` is when the line was received that led to this.
        """
        ...

    def block(self, tenant: Tenant, address: str, *, seconds: int, finding: str) -> None:
        """Drop a source at the outside ports for some seconds from now."""
        ...

    def block_key(self, tenant: Tenant, key: str, *, because: str, finding: str) -> None:
        """Refuse an API key of the tenant at the gateway until a person unblocks it."""
        ...


class Observers(Protocol):
    """Who makes incidents out of findings."""

    def consider(self, tenant: Tenant, raised: "Raised", response: "Answered") -> None:
        """Take the facts in; a repetition of the same facts changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Raised:
    """A finding as it is kept: `reference` is random, since the detector's own identifier follows from an address."""

    tenant: Tenant
    reference: str
    finding: Finding
    node: NodeFacts | None
    authenticated: bool
    statement: Digest | None = None  # envelope of finding.raised
    noted: bool = False  # the observers have heard of it


@dataclass(frozen=True, slots=True)
class Ruled:
    """One act of a response as it is kept."""

    finding: str  # reference
    act: Act
    turn: int
    state: State
    times: Times
    isolations: int = 0  # within the window, before
    cap: int = 0
    attempts: int = 0
    statement: Digest | None = None  # envelope of response.decided


@dataclass(frozen=True, slots=True)
class Answered:
    """What was decided about a finding, and how far it has come."""

    response: Response
    times: Times
    states: tuple[State, ...]  # in the order of the acts


@dataclass(frozen=True, slots=True)
class Tail:
    """How far a log was read."""

    inode: int
    offset: int


@dataclass(frozen=True, slots=True)
class Alert:
    """A message to people."""

    identifier: str
    tenant: Tenant
    about: str  # reference of a finding, or "detection-<version>"
    subject: str
    text: str
    document: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Delivery:
    """An alert on its way through one channel."""

    alert: Alert
    channel: str
    created_at: datetime
    attempts: int
    next_at: datetime


class Notifier(Protocol):
    """One channel to people of one tenant."""

    @property
    def channel(self) -> str:
        """Return the name of the channel: `mail` or `webhook`."""
        ...

    def send(self, alert: Alert) -> None:
        """Hand the alert over; raise `Unavailable` where the other side did not take it."""
        ...


class Notifiers(Protocol):
    """The channels of each tenant, as they are configured now."""

    def of(self, tenant: Tenant) -> Sequence[Notifier]:
        """Return the channels; none where none is configured; raise `MalformedInput` where that cannot be read."""
        ...


class Findings(Protocol):
    """Findings and what was ruled about them."""

    def by_key(self, tenant: Tenant, key: str) -> Raised | None: ...
    def by_reference(self, tenant: Tenant, reference: str) -> Raised | None: ...
    def put(self, raised: Raised) -> None:
        """Write a finding, or write it again."""
        ...

    def page(self, tenant: Tenant, *, limit: int, rule: str = "") -> list[Raised]:
        """Return findings, the one seen last first."""
        ...

    def count(self, tenant: Tenant, *, rule: str = "") -> int: ...
    def unnoted(self) -> list[Raised]:
        """Return the findings that the observers have not heard of."""
        ...

    def rule_on(self, tenant: Tenant, ruled: Sequence[Ruled]) -> None:
        """Write rulings; raise `Conflict` where one of them exists."""
        ...

    def settle(self, tenant: Tenant, ruled: Ruled) -> None:
        """Write the state of a ruling; what a person settled stays so."""
        ...

    def rulings(self, tenant: Tenant, reference: str) -> list[Ruled]: ...
    def unfinished(self) -> list[tuple[Tenant, Ruled]]:
        """Return what was decided and is not done: wanted acts, and failed ones that are worth another attempt."""
        ...

    def waiting(self, tenant: Tenant, limit: int) -> list[tuple[Raised, Ruled]]:
        """Return what is left to a person, the newest first."""
        ...

    def past(self, tenant: Tenant, since: datetime) -> list[Past]:
        """Return what was ruled since a time; findings by their keys."""
        ...


class Policies(Protocol):
    """The settings of each tenant."""

    def current(self, tenant: Tenant) -> tuple[int, Policy]:
        """Return version and settings; version 0 and the defaults where nobody changed them."""
        ...

    def put(self, tenant: Tenant, version: int, policy: Policy, *, by: str, at: datetime) -> None:
        """Add a version; raise `Conflict` where it exists."""
        ...


class Mailbox(Protocol):
    """Alerts that wait to be sent."""

    def add(self, delivery: Delivery) -> None:
        """Add a delivery; one that is there stays as it is."""
        ...

    def due(self, at: datetime, limit: int = 50) -> list[Delivery]: ...
    def retry(self, delivery: Delivery) -> None:
        """Write number of attempts and time of the next one."""
        ...

    def close(self, delivery: Delivery, state: str) -> None:
        """Write that it was sent or given up."""
        ...

    def of(self, tenant: Tenant, about: str) -> list[tuple[Delivery, str]]:
        """Return the deliveries about a finding, with their states."""
        ...

    def unsent(self, tenant: Tenant, before: datetime, limit: int) -> list[tuple[Delivery, str]]:
        """Return what was given up, what failed, and what was made `before` and never tried; newest first."""
        ...


class Progress(Protocol):
    """How far the logs were read, and what the detectors remember."""

    def load(self) -> tuple[dict[tuple[Tenant, str, str], Tail], dict[Tenant, str]]:
        """Return tails by tenant, node and source, and each tenant's detector state as JSON text."""
        ...

    def save(self, tails: Mapping[tuple[Tenant, str, str], Tail], states: Mapping[Tenant, str]) -> None: ...


Transaction = Callable[[], AbstractContextManager[None]]
Bounded = Callable[[Callable[[], None]], None]  # runs a write; raises `Unavailable` where it takes too long
Hands = Callable[[tuple[Tenant, str], Callable[[], None]], None]  # carries acts out, those for one node in their order
