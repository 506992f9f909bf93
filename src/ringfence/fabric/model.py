"""What the callers of the fabric see."""

from dataclasses import dataclass
from enum import StrEnum


class PortState(StrEnum):
    """Where a node stands."""

    ATTACHED = "attached"
    ADMITTED = "admitted"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Attachment:
    """How a node hangs on the fabric; `interface` is the fabric's end, inside it is `eth0`."""

    node: str
    interface: str
    address: str
    gateway: str
    prefix: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut that holds in the kernel.

    Attributes:
        node: who was cut off.
        before: SHA-256 of what a release would restore: the node's admission, permits and exposed ports.
        micros: how long the change of the ruleset took; 0 where the node was cut off already.
        durable: False where the disk refused the state: the cut holds, and the helper goes on trying to write.
    """

    node: str
    before: str
    micros: int
    durable: bool = True


@dataclass(frozen=True, slots=True)
class Probe:
    """One path that was tried with real packets; `ok` only if it was tried and showed what it should."""

    path: str
    expected: str
    observed: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Flow:
    """Packets of one sender that the fabric let through or dropped; `port` is the service's, of either direction."""

    source_node: str
    source: str
    target: str
    protocol: str
    port: int
    packets: int
    bytes: int
    verdict: str
