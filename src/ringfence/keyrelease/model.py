"""Challenges, rules, leases, and what stands against a release."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from ringfence.attestation.model import Appraisal
from ringfence.kernel import identifier
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.kernel.statement import Strength

LeaseId = NewType("LeaseId", str)
NOBODY = PersonId("")

CHALLENGE_LIFE = timedelta(seconds=60)
MOST_OPEN = 8  # challenges of one node that wait for an answer
MOST_LEASES = 16  # of one node that live
MOST_DENIALS = 10  # of one node that are recorded one by one, per window
DENIAL_WINDOW = timedelta(minutes=10)
LONGEST_LEASE = 60  # minutes
RENEW_AFTER = (2, 3)  # of a lease's life: then the node is attested anew
MAX_EVIDENCE = 4 * 2**20
MAX_LIST = 64
NO_FAMILY = "none"  # of a node that gives no evidence


class PlaceKind(StrEnum):
    """What stands behind the word that a node is somewhere. The kinds never pass for one another."""

    NONE = "none"  # nobody said anything
    DECLARED = "declared"  # the person who asks says so
    PROVIDER_SIGNED = "provider-signed"  # a register under a key that the rule names lists the device
    ATTESTED = "attested"  # a device would say so itself; none does


class Denial(StrEnum):
    """Why a key was not released, beside the ids of the policy's rules."""

    NO_EVIDENCE = "no-evidence"
    MALFORMED = "malformed-evidence"
    TOO_LARGE = "evidence-too-large"
    CHALLENGE = "challenge-unknown-used-or-expired"
    OTHER_DEVICE = "another-device-than-the-nodes"
    NO_RULE = "no-rule"
    NO_REFERENCE = "no-reference-of-this-family"
    ERASED = "the-key-was-erased"
    CUT_OFF = "the-node-was-cut-off"
    REQUESTER = "who-asked-may-ask-no-more"
    WITHDRAWN = "the-rule-was-withdrawn"
    POLICY = "policy-does-not-permit"
    MORE = "more-of-the-same"


class Ending(StrEnum):
    """Why a lease ended."""

    EXPIRED = "expired"
    BY_PERSON = "ended-by-person"
    DENIED = "denied-at-renewal"
    NODE_GONE = "node-gone"
    NOT_DELIVERED = "not-delivered"


class LeaseState(StrEnum):
    """How far a lease is."""

    GRANTED = "granted"  # recorded; the key may be under way
    LIVE = "live"  # the node has the key
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Dataset:
    """The newest epoch of a sealed dataset, as this capability sees it."""

    tenant: Tenant
    dataset: str
    name: str
    epoch: int
    seal: Digest
    kept: bool = True  # its key was not erased, and is not about to be


@dataclass(frozen=True, slots=True)
class Target:
    """A node, as this capability sees it."""

    tenant: Tenant
    node: str
    name: str
    subject: Digest
    node_class: str
    ready: bool
    cut_off: bool
    by: PersonId = NOBODY  # in whose name its agent is spoken to


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for."""

    dataset: str  # its name
    node: str  # its name
    purpose: str
    workload: Digest
    place: str = ""  # a country, where the person who asks says so


@dataclass(frozen=True, slots=True)
class Challenge:
    """A nonce, and what its answer is good for; it is used once."""

    nonce: bytes
    tenant: Tenant
    node: str
    node_key: bytes
    workload: Digest
    dataset: str
    made_at: datetime
    used_at: datetime | None = None

    def open_at(self, at: datetime) -> bool:
        """Return whether it can be answered; a clock that went back behind it is no reason to say yes."""
        return self.used_at is None and timedelta() <= at - self.made_at <= CHALLENGE_LIFE


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may get the key of one dataset, as a person signed it. An empty list permits nothing of its kind."""

    dataset: str
    purposes: frozenset[str]
    workloads: frozenset[Digest]
    classes: frozenset[str]
    families: frozenset[str]
    places: frozenset[str]  # empty: the place does not matter
    place_kinds: frozenset[PlaceKind]
    references: frozenset[Digest]
    registers: frozenset[str]  # public keys of sites' registers, hexadecimal
    software_tpm: bool
    minutes: int


@dataclass(frozen=True, slots=True)
class StandingRule:
    """A rule with the statement that holds it."""

    rule: Rule
    statement: Digest


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is said to be, and by whom."""

    country: str = ""
    kind: PlaceKind = PlaceKind.NONE
    register: Digest | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The evidence of one node, judged."""

    family: str
    appraisal: Appraisal | None  # None: there was nothing to judge
    evidence: Digest
    reference: Digest | None
    anchor: str = ""  # the key of the root that vouches for the device

    @property
    def acceptable(self) -> bool:
        """Return whether everything that the reference demands is affirmed."""
        return self.appraisal is not None and self.appraisal.acceptable

    @property
    def strength(self) -> Strength:
        """Return what the appraisal is worth: only evidence that holds is attested by anything."""
        if self.appraisal is None or not self.appraisal.acceptable:
            return Strength.OBSERVED
        return Strength.LAB_ATTESTED if self.appraisal.software_tpm else Strength.ATTESTED


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the decision on one request rests on."""

    tenant: Tenant
    dataset: Dataset
    target: Target
    wish: Wish
    by: PersonId
    rule: StandingRule | None
    judgement: Judgement
    place: Place
    demo: bool
    device_elsewhere: bool  # another living node showed the same device
    requester_allowed: bool
    at: datetime
    barred: tuple[Denial, ...] = ()  # found before there was anything to judge
    said: str = ""  # what was said instead of evidence; for people, and in no statement


@dataclass(frozen=True, slots=True)
class Answer:
    """What the policy says."""

    allowed: bool
    because: tuple[str, ...]  # ids of the rules that forbid it, or why the engine gave none


@dataclass(frozen=True, slots=True)
class Lease:
    """A key that a node was given for some minutes."""

    id: LeaseId
    tenant: Tenant
    dataset: str
    name: str  # of the dataset
    epoch: int
    seal: Digest
    node: str
    node_name: str
    node_subject: Digest
    purpose: str
    workload: Digest
    place: str  # as the person who asked declared it
    device: str
    strength: Strength
    statement: Digest | None  # of the newest `key.released`
    by: PersonId
    granted_at: datetime
    renewed_at: datetime
    expires_at: datetime
    state: LeaseState
    because: str = ""
    ended_at: datetime | None = None

    @property
    def wish(self) -> Wish:
        """Return what a renewal asks for: the same again."""
        return Wish(self.name, self.node_name, self.purpose, self.workload, self.place)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A denial, as the pages show it."""

    node: str
    dataset: str
    because: tuple[str, ...]
    reasons: tuple[str, ...]
    at: datetime


SENTENCES: Mapping[str, str] = {
    Denial.NO_EVIDENCE: "the node gives no evidence of what it runs",
    Denial.MALFORMED: "the evidence cannot be read",
    Denial.TOO_LARGE: "the evidence is larger than anything honest",
    Denial.CHALLENGE: "the challenge is not known, was answered before, or is older than a minute",
    Denial.OTHER_DEVICE: "the evidence is of another device than the one that is known as this node's",
    Denial.NO_RULE: "nobody has said who may get this dataset's key; see `ringfence release allow`",
    Denial.NO_REFERENCE: (
        "the rule names no reference values for this kind of evidence, or it forbids all (`ringfence release forbid`); "
        "`ringfence release allow` replaces it"
    ),
    Denial.ERASED: "the dataset's key was erased, or is being erased",
    Denial.CUT_OFF: "the node was cut off while it had the key",
    Denial.REQUESTER: "whoever asked for the key may not ask any more",
    Denial.WITHDRAWN: "the rule allows what the key was released for no longer",
    Denial.POLICY: "the policy does not permit it",
    Denial.MORE: "further denials of this node, which were counted and not recorded one by one",
    "evidence-must-hold": "the evidence does not show all that is demanded",
    "software-tpms-count-in-demo-tenants": (
        "a TPM that a program plays counts in demo tenants only, and where the rule says so"
    ),
    "one-device-is-one-node": "another living node has shown the same device",
    "the-node-is-ready-and-not-cut-off": "the node is not ready, or is cut off",
    "the-purpose-is-allowed": "the rule does not allow this purpose",
    "the-workload-is-allowed": "the rule does not allow this workload",
    "the-class-of-node-is-allowed": "the rule does not allow nodes of this class",
    "the-kind-of-evidence-is-allowed": "the rule does not allow this kind of evidence",
    "the-place-is-allowed": "the rule asks for another place, or for another kind of proof of it",
    "no-quote-attests-a-place": "no device attests a place",
    "nobody-leaves-their-tenant": "node and dataset are of different tenants",
    "who-asks-may-ask": "whoever asked may not ask any more",
    "policy-error": "the policy could not be decided, which is a denial",
}


def lease_id(text: object) -> LeaseId:
    """Parse a lease's id."""
    return LeaseId(identifier.handle(text, "lease"))


def minutes(value: object) -> int:
    """Parse the length of a lease."""
    if type(value) is not int or not 1 <= value <= LONGEST_LEASE:
        raise MalformedInput(f"a lease has 1 to {LONGEST_LEASE} minutes")
    return value
