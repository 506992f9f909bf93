"""Everything that key release needs from outside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringfence.attestation.model import Appraisal, Binding, Family
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.keyrelease.model import Challenge, Dataset, Lease, LeaseId, Refusal, StandingRule, Target
from ringfence.keyrelease.wrapping import Terms


class Attester(Protocol):
    """The agent on a node."""

    def identify(self, target: Target) -> bytes | None:
        """Return the public key that the node's agent made for itself; None where nothing there gives evidence.

        Raises:
            RingfenceError: it should, and does not answer.
        """
        ...

    def device(self, target: Target) -> str:
        """Return the name of the device that is known as this node's; empty where nothing is known of it beforehand."""
        ...

    def evidence(self, target: Target, binding: Binding) -> bytes | None:
        """Return the evidence that its device signed over the binding; None where there is none."""
        ...

    def deliver(self, target: Target, released: bytes) -> None:
        """Hand over a released key; again with the same lease: the newer one takes the older one's place."""
        ...

    def revoke(self, target: Target, lease: LeaseId) -> bool:
        """Have the agent overwrite the key of a lease; return whether it says that it did."""
        ...


@dataclass(frozen=True, slots=True)
class Judged:
    """Evidence, judged against one reference; where none of its family was given, there is no appraisal."""

    family: Family
    appraisal: Appraisal | None
    reference: Digest | None
    anchor: str = ""  # the key of the root that vouches for the device


class Appraiser(Protocol):
    """Judges evidence; pure."""

    def check(self, reference: bytes) -> None:
        """Return where a document is a reference; raise `MalformedInput`."""
        ...

    def judge(self, evidence: bytes, references: Sequence[bytes], binding: Binding, at: datetime) -> Judged:
        """Return the verdict against the reference that fits best; raise `MalformedInput` where it is no evidence."""
        ...

    def credential(self, evidence: bytes, secret: bytes, random: Callable[[int], bytes]) -> bytes | None:
        """Return a credential with the secret for the TPM of the evidence; None for families without a TPM."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Wrapping:
    """What the broker is asked for: the key of a published release, wrapped for one node."""

    tenant: Tenant
    dataset: Dataset
    terms: Terms
    node_key: bytes
    credential: bytes | None
    secret: bytes | None


class Broker(Protocol):
    """The only one that unwraps a dataset's key."""

    def wrap(self, wanted: Wrapping) -> bytes:
        """Return the sealed key, once the broker itself has checked that the release is published.

        Raises:
            VerificationFailed: it is not, or names another node key, credential or seal.
            Unavailable: the broker cannot run, or the key cannot be used.
        """
        ...


class Datasets(Protocol):
    """The sealed datasets."""

    def named(self, tenant: Tenant, name: str) -> Dataset:
        """Return the newest epoch of a dataset, also where its key was erased; raise `NotFound`."""
        ...


class Nodes(Protocol):
    """The nodes."""

    def named(self, tenant: Tenant, name: str) -> Target:
        """Return a node; raise `NotFound`."""
        ...

    def living(self, node: str) -> bool:
        """Return whether a node has not ended; an unknown one has."""
        ...


class Rules(Protocol):
    """The rules that people signed."""

    def newest(self, tenant: Tenant, dataset: str) -> StandingRule | None:
        """Return the newest rule of a dataset whose key counted when the log took it in."""
        ...


class Requesters(Protocol):
    """The people who ask."""

    def may(self, tenant: Tenant, person: PersonId) -> bool:
        """Return whether a person is here, and may ask for keys."""
        ...


class Store(Protocol):
    """Challenges, leases, devices, counts and documents."""

    def put_challenge(self, challenge: Challenge) -> None: ...
    def challenge(self, tenant: Tenant, nonce: bytes) -> Challenge | None: ...
    def use(self, challenge: Challenge, at: datetime) -> bool:
        """Mark a challenge as used; return False where it was used already."""
        ...

    def open_challenges(self, tenant: Tenant, node: str, since: datetime) -> int: ...
    def forget_challenges(self, before: datetime) -> None: ...

    def put_lease(self, lease: Lease) -> None: ...
    def lease(self, tenant: Tenant, lease: LeaseId) -> Lease | None: ...

    def leases(self, tenant: Tenant | None = None, *, ended: int = 0) -> list[Lease]:
        """Return the leases that have not ended, and the newest `ended` ones that have."""
        ...

    def take_turn(self) -> None:
        """Wait until no other transaction decides on a device; until the end of this one."""
        ...

    def device_of(self, device: str) -> str | None:
        """Return the node that showed a device last; the name is one of `deciding.device_names`."""
        ...

    def put_device(self, device: str, node: str, at: datetime) -> None: ...

    def denials(self, tenant: Tenant, node: str) -> "Denials | None": ...
    def put_denials(self, denials: "Denials") -> None: ...
    def uncounted(self, before: datetime) -> list["Denials"]:
        """Return the counts of windows that began before a time, and hold denials that no statement tells of."""
        ...

    def put_refusal(self, tenant: Tenant, refusal: Refusal) -> None:
        """Keep a recorded denial for the pages; only the newest hundred of a tenant are kept."""
        ...

    def refusals(self, tenant: Tenant) -> list[Refusal]: ...

    def put_document(self, tenant: Tenant, kind: str, document: bytes, at: datetime) -> Digest: ...
    def document(self, tenant: Tenant, kind: str, name: Digest) -> bytes | None: ...
    def documents(self, tenant: Tenant, kind: str) -> list[bytes]:
        """Return the documents of a kind, newest first."""
        ...

    def relabel(self, tenant: Tenant, name: Digest, kind: str) -> None:
        """Let a document be of another kind from now on."""
        ...


@dataclass(frozen=True, slots=True)
class Denials:
    """How many denials of one node were recorded in the window that began at a time, and how many only counted."""

    tenant: Tenant
    node: str
    node_subject: Digest
    dataset: str
    seal: Digest
    began_at: datetime
    recorded: int
    unrecorded: int


@dataclass(frozen=True, slots=True)
class Colleagues:
    """What key release asks of others."""

    datasets: Datasets
    nodes: Nodes
    rules: Rules
    requesters: Requesters
    attester: Attester
    appraiser: Appraiser
    broker: Broker
