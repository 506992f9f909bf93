"""Key release in memory: every port, a world that counts and orders what happens, and a node with a TPM made of Python.

The appraiser here believes a small document of its own, so that tests of the order and of the policy need no quote;
the real verifiers are used where evidence itself is the subject.
"""

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

from ringfence.attestation.model import Appraisal, Binding, Claim, Family, Level
from ringfence.attestation.model import Judged as JudgedClaim
from ringfence.kernel import digest as json
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput, NotFound, RingfenceError, VerificationFailed
from ringfence.kernel.evidence import Acknowledgement, Stage
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.kernel.statement import Draft, Strength
from ringfence.keyrelease import policy, wrapping
from ringfence.keyrelease.model import (
    Challenge,
    Dataset,
    Lease,
    LeaseId,
    LeaseState,
    Refusal,
    Rule,
    StandingRule,
    Target,
    Wish,
)
from ringfence.keyrelease.ports import Appraiser, Colleagues, Denials, Judged, Store, Wrapping
from ringfence.keyrelease.service import KeyRelease
from ringfence.testing.clock import FakeClock

Transaction = Callable[[], AbstractContextManager[None]]
TENANT = Tenant("main")
OTHER = Tenant("other")
ANNA = Person(PersonId("person-00000000000a"), TENANT, Role.ENGINEER)
KEY = bytes(range(32))
WORKLOAD = Digest.of(b"train.py")
REFERENCE = b"the reference document"
DATASET = Dataset(TENANT, "d" * 32, "claims", 1, Digest.of(b"seal"))
WISH = Wish("claims", "alpha", "training", WORKLOAD)


class NodeKeys:
    """The keys that a node's agent makes for itself."""

    def __init__(self) -> None:
        first, second = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
        self.private = MLKEM768X25519PrivateKey(first, second)
        self.public = first.public_key().public_bytes_raw() + second.public_key().public_bytes_raw()


@dataclass
class FakeDevice:
    """A device whose evidence is a MAC: good enough to be replayed, relayed and changed."""

    name: str = "tpm2:sha256:" + "1" * 64
    secret: bytes = b"device"
    family: Family = Family.TPM2
    software: bool = False
    levels: dict[Claim, Level] = field(default_factory=dict)

    def evidence(self, binding: Binding) -> bytes:
        """Return evidence over a binding."""
        document = {
            "device": self.name,
            "family": self.family.value,
            "software": self.software,
            "levels": {claim.value: level.value for claim, level in self.levels.items()},
            "binding": binding.digest.hex(),
        }
        body = json.dumps(document)
        return json.dumps(
            {"body": base64.b64encode(body).decode(), "mac": hmac.new(self.secret, body, hashlib.sha256).hexdigest()}
        )


@dataclass
class FakeAppraiser:
    """`Appraiser` over the evidence of `FakeDevice`; a credential is its secret, masked."""

    secret: bytes = b"device"
    anchor: str = "sha256:" + "a" * 64

    def check(self, reference: bytes) -> None:
        """Take every document."""

    def judge(self, evidence: bytes, references: Sequence[bytes], binding: Binding, at: datetime) -> Judged:
        """Judge evidence."""
        del at
        match json.loads(evidence, source="evidence"):
            case {"body": str() as body, "mac": str() as mac}:
                data = base64.b64decode(body)
            case _:
                raise MalformedInput("not evidence of a fake device")
        said = json.loads(data)
        right = hmac.new(self.secret, data, hashlib.sha256).hexdigest() == mac
        levels = {claim: Level(said["levels"].get(claim.value, "affirming")) for claim in Claim}
        if not right:
            levels[Claim.SIGNATURE] = Level.CONTRAINDICATED
        if said["binding"] != binding.digest.hex():
            levels[Claim.FRESH] = levels[Claim.BOUND] = Level.CONTRAINDICATED
        claims = {claim: JudgedClaim(level, f"it is {level.value}") for claim, level in levels.items()}
        appraisal = Appraisal(
            Family(said["family"]), claims, frozenset(Claim), device=said["device"], software_tpm=said["software"]
        )
        if REFERENCE not in references:
            return Judged(Family(said["family"]), None, None)
        return Judged(appraisal.family, appraisal, Digest.of(REFERENCE), self.anchor)

    def credential(self, evidence: bytes, secret: bytes, random: Callable[[int], bytes]) -> bytes | None:
        """Return a credential."""
        del evidence, random
        return masked(secret)


def masked(secret: bytes) -> bytes:
    """Return the secret of a fake credential, or the credential of a secret."""
    return bytes(a ^ 0x5A for a in secret)


@dataclass
class FakeNode:
    """A node with an agent and a device; what it was given can be looked at."""

    target: Target
    device: FakeDevice | None = field(default_factory=FakeDevice)
    keys: NodeKeys = field(default_factory=NodeKeys)
    living: bool = True
    known_device: str = ""  # as which the node is known beforehand
    broken: dict[str, RingfenceError] = field(default_factory=dict)
    held: dict[str, bytearray] = field(default_factory=dict)
    given: list[bytes] = field(default_factory=list)
    answer: Callable[[Binding], bytes | None] | None = None  # in the place of what the device says
    activate: Callable[[bytes], bytes] = masked


class MemoryStore:
    """`Store` in memory."""

    def __init__(self) -> None:
        self.challenges: dict[bytes, Challenge] = {}
        self.held: dict[LeaseId, Lease] = {}
        self.devices: dict[str, str] = {}
        self.counts: dict[tuple[Tenant, str], Denials] = {}
        self.said: list[tuple[Tenant, Refusal]] = []
        self.papers: dict[tuple[Tenant, Digest], tuple[str, bytes]] = {}
        self.steps: list[str] = []  # what was done with devices

    def copy(self) -> dict[str, object]:
        """Return all of it."""
        return {name: value.copy() for name, value in vars(self).items()}

    def restore(self, kept: dict[str, object]) -> None:
        """Put all of it back."""
        vars(self).update(kept)

    def put_challenge(self, challenge: Challenge) -> None:
        """Add a challenge."""
        self.challenges[challenge.nonce] = challenge

    def challenge(self, tenant: Tenant, nonce: bytes) -> Challenge | None:
        """Return a challenge."""
        found = self.challenges.get(nonce)
        return found if found and found.tenant == tenant else None

    def use(self, challenge: Challenge, at: datetime) -> bool:
        """Mark a challenge as used."""
        known = self.challenges[challenge.nonce]
        if known.used_at is not None:
            return False
        self.challenges[challenge.nonce] = replace(known, used_at=at)
        return True

    def open_challenges(self, tenant: Tenant, node: str, since: datetime) -> int:
        """Count what waits."""
        mine = (one for one in self.challenges.values() if (one.tenant, one.node) == (tenant, node))
        return sum(one.used_at is None and one.made_at >= since for one in mine)

    def forget_challenges(self, before: datetime) -> None:
        """Remove old ones."""
        self.challenges = {n: one for n, one in self.challenges.items() if one.made_at >= before}

    def put_lease(self, lease: Lease) -> None:
        """Write a lease."""
        self.held[lease.id] = lease

    def lease(self, tenant: Tenant, lease: LeaseId) -> Lease | None:
        """Return a lease."""
        found = self.held.get(lease)
        return found if found and found.tenant == tenant else None

    def leases(self, tenant: Tenant | None = None, *, ended: int = 0) -> list[Lease]:
        """Return leases."""
        mine = [one for one in self.held.values() if tenant in {None, one.tenant}]
        live = sorted((one for one in mine if one.ended_at is None), key=lambda one: (one.granted_at, one.id))
        past = [one for one in mine if one.ended_at is not None]
        past.sort(key=lambda one: one.ended_at or one.granted_at, reverse=True)
        return live + past[:ended]

    def take_turn(self) -> None:
        """Note that nobody else decides from here on."""
        self.steps.append("turn")

    def device_of(self, device: str) -> str | None:
        """Return who showed a device."""
        self.steps.append("read")
        return self.devices.get(device)

    def put_device(self, device: str, node: str, at: datetime) -> None:
        """Remember a device."""
        del at
        self.steps.append("write")
        self.devices[device] = node

    def denials(self, tenant: Tenant, node: str) -> Denials | None:
        """Return a count."""
        return self.counts.get((tenant, node))

    def put_denials(self, denials: Denials) -> None:
        """Write a count."""
        self.counts[denials.tenant, denials.node] = denials

    def uncounted(self, before: datetime) -> list[Denials]:
        """Return what no statement tells of."""
        return [one for one in self.counts.values() if one.unrecorded and one.began_at < before]

    def put_refusal(self, tenant: Tenant, refusal: Refusal) -> None:
        """Keep a denial."""
        self.said.append((tenant, refusal))

    def refusals(self, tenant: Tenant) -> list[Refusal]:
        """Return denials, newest first."""
        return [one for owner, one in reversed(self.said) if owner == tenant][:100]

    def put_document(self, tenant: Tenant, kind: str, document: bytes, at: datetime) -> Digest:
        """Keep a document."""
        del at
        self.papers.setdefault((tenant, Digest.of(document)), (kind, document))
        return Digest.of(document)

    def document(self, tenant: Tenant, kind: str, name: Digest) -> bytes | None:
        """Return a document."""
        found = self.papers.get((tenant, name))
        return found[1] if found and found[0] == kind else None

    def relabel(self, tenant: Tenant, name: Digest, kind: str) -> None:
        """Give a document another kind."""
        if found := self.papers.get((tenant, name)):
            self.papers[tenant, name] = (kind, found[1])

    def documents(self, tenant: Tenant, kind: str) -> list[bytes]:
        """Return documents of a kind."""
        return [
            paper for (owner, _), (known, paper) in reversed(self.papers.items()) if (owner, known) == (tenant, kind)
        ]


@dataclass
class World:
    """Everything that key release reaches, in memory; `order` is the order in which it happened."""

    clock: FakeClock = field(default_factory=FakeClock)
    nodes: dict[str, FakeNode] = field(default_factory=dict)
    rule: StandingRule | None = None
    demo: bool = False
    dataset: Dataset = DATASET
    stated: list[Draft] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    broken: dict[str, RingfenceError] = field(default_factory=dict)
    barred: set[PersonId] = field(default_factory=set)
    published: set[Digest] = field(default_factory=set)
    store: MemoryStore = field(default_factory=MemoryStore)
    appraiser: Appraiser = field(default_factory=FakeAppraiser)
    while_wrapping: Callable[[], object] = lambda: None  # what happens elsewhere meanwhile
    drawn: int = 0
    depth: int = 0
    writing: threading.RLock = field(default_factory=threading.RLock)  # one transaction at a time, as a database has

    def __post_init__(self) -> None:
        if not self.nodes:
            self.node("alpha")
        if self.rule is None:
            self.allow()

    def node(self, name: str, device: FakeDevice | None = None, *, node_class: str = "vm") -> FakeNode:
        """Add a node."""
        number = f"n-{len(self.nodes) + 1:08x}"
        target = Target(TENANT, number, name, Digest.of(name.encode()), node_class, ready=True, cut_off=False)
        self.nodes[name] = FakeNode(target, device or FakeDevice(name=f"tpm2:sha256:{len(self.nodes):064x}"))
        return self.nodes[name]

    def allow(self, **changes: object) -> Rule:
        """Put a rule in force."""
        rule = Rule(
            dataset=DATASET.dataset,
            purposes=frozenset({"training"}),
            workloads=frozenset({WORKLOAD}),
            classes=frozenset({"vm"}),
            families=frozenset({"tpm2"}),
            places=frozenset(),
            place_kinds=frozenset(),
            references=frozenset({Digest.of(REFERENCE)}),
            registers=frozenset(),
            software_tpm=False,
            minutes=15,
        )
        rule = replace(rule, **changes)  # type: ignore[arg-type]
        self.rule = StandingRule(rule, Digest.of(repr(rule).encode()))
        self.store.put_document(TENANT, "reference", REFERENCE, self.clock.now())
        return rule

    def service(self) -> KeyRelease:
        """Return the use cases over this world."""
        shipped = policy.shipped()
        colleagues = Colleagues(
            self, _Nodes(self), _Rules(self), _People(self), _Agents(self), self.appraiser, _Broker(self)
        )
        return KeyRelease(
            transaction=self.transaction,
            store=self.store,
            recorder=_Recorder(self),
            publication=_Publication(self),
            colleagues=colleagues,
            policy=shipped,
            policy_digest=shipped.digest,
            clock=self.clock,
            random=self.random,
            is_demo=lambda _tenant: self.demo,
        )

    def check(self, name: str) -> None:
        """Note that something happens, or let it fail."""
        if name in self.broken:
            raise self.broken[name]
        self.order.append(name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction: what fails in it leaves nothing."""
        with self.writing:
            kept = (list(self.stated), self.store.copy())
            self.depth += 1
            try:
                yield
                if self.depth == 1:
                    self.check("commit")
            except BaseException:
                if self.depth == 1:
                    self.stated[:] = kept[0]
                    self.store.restore(kept[1])
                raise
            finally:
                self.depth -= 1

    def random(self, size: int) -> bytes:
        """Return bytes that never repeat."""
        self.drawn += 1
        return hashlib.shake_256(self.drawn.to_bytes(8)).digest(size)

    def named(self, tenant: Tenant, name: str) -> Dataset:
        """Return the one dataset."""
        if (tenant, name) != (TENANT, self.dataset.name):
            raise NotFound(f"no dataset {name}")
        return self.dataset

    def said(self, predicate: str) -> list[Draft]:
        """Return what was stated of one type."""
        return [draft for draft in self.stated if draft.predicate == predicate]


@dataclass
class _Nodes:
    world: World

    def named(self, tenant: Tenant, name: str) -> Target:
        found = self.world.nodes.get(name)
        if found is None or tenant != TENANT:
            raise NotFound(f"no node is called {name}")
        return found.target

    def living(self, node: str) -> bool:
        return any(one.target.node == node and one.living for one in self.world.nodes.values())


@dataclass
class _Rules:
    world: World

    def newest(self, tenant: Tenant, dataset: str) -> StandingRule | None:
        rule = self.world.rule
        return rule if rule and tenant == TENANT and rule.rule.dataset == dataset else None


@dataclass
class _People:
    world: World

    def may(self, tenant: Tenant, person: PersonId) -> bool:
        return tenant == TENANT and person not in self.world.barred


@dataclass
class _Agents:
    world: World

    def _node(self, target: Target, act: str) -> FakeNode:
        node = self.world.nodes[target.name]
        if act in node.broken:
            raise node.broken[act]
        self.world.check(act)
        return node

    def identify(self, target: Target) -> bytes | None:
        node = self._node(target, "identify")
        return node.keys.public if node.device else None

    def device(self, target: Target) -> str:
        return self.world.nodes[target.name].known_device

    def evidence(self, target: Target, binding: Binding) -> bytes | None:
        node = self._node(target, "evidence")
        if node.answer is not None:
            return node.answer(binding)
        return node.device.evidence(binding) if node.device else None

    def deliver(self, target: Target, released: bytes) -> None:
        node = self._node(target, "deliver")
        node.given.append(released)
        parsed = wrapping.parse(released)
        node.held[parsed.terms.lease] = wrapping.open_sealed(parsed, node.keys.private, node.activate)

    def revoke(self, target: Target, lease: LeaseId) -> bool:
        node = self._node(target, "revoke")
        held = node.held.pop(lease, None)
        if held is not None:
            held[:] = bytes(len(held))
        return held is not None


@dataclass
class _Broker:
    world: World

    def wrap(self, wanted: Wrapping) -> bytes:
        if wanted.terms.statement not in self.world.published:
            raise VerificationFailed("the release is not published")
        self.world.check("wrap")
        self.world.while_wrapping()
        return wrapping.seal(bytearray(KEY), wanted.terms, wanted.node_key, wanted.secret)


@dataclass
class _Recorder:
    world: World

    def record(self, draft: Draft, *, tenant: Tenant) -> Acknowledgement:
        del tenant
        self.world.check(f"record {draft.predicate}")
        self.world.stated.append(draft)
        named = json.dumps([draft.predicate, dict(draft.claims), len(self.world.stated)])
        return Acknowledgement(Digest.of(named), len(self.world.stated), Stage.SEQUENCED)

    def admit(self, envelope: Envelope, opening: Opening | None, *, by: Person) -> Acknowledgement:
        del opening, by
        self.world.check("admit")
        return Acknowledgement(envelope.digest, 1, Stage.SEQUENCED)


@dataclass
class _Publication:
    world: World

    def published(self, envelope: Digest) -> Acknowledgement:
        self.world.check("publish")
        self.world.published.add(envelope)
        return Acknowledgement(envelope, 1, Stage.PUBLISHED, entry=0)


class StoreContract:
    """What every `Store` keeps to; `store` and `transaction` come from the subclass."""

    at = FakeClock().now()

    def challenges_are_used_once(self, store: Store, transaction: Transaction) -> None:
        """Use a challenge once, and only in its tenant."""
        made = Challenge(b"n" * 32, TENANT, "n-00000001", b"key", WORKLOAD, "d" * 32, self.at)
        with transaction():
            store.put_challenge(made)
        assert store.challenge(TENANT, b"n" * 32) == made
        assert store.challenge(OTHER, b"n" * 32) is None
        assert store.open_challenges(TENANT, "n-00000001", self.at) == 1
        with transaction():
            assert store.use(made, self.at)
            assert not store.use(made, self.at)
        assert store.challenge(TENANT, b"n" * 32) == replace(made, used_at=self.at)
        assert store.open_challenges(TENANT, "n-00000001", self.at) == 0
        with transaction():
            store.forget_challenges(self.at + timedelta(seconds=1))
        assert store.challenge(TENANT, b"n" * 32) is None

    def leases_are_kept(self, store: Store, transaction: Transaction) -> None:
        """Return what was written, the living ones first."""
        first, second = (lease(number, self.at) for number in (1, 2))
        ended = replace(first, state=LeaseState.ENDED, because="expired", ended_at=self.at)
        with transaction():
            store.put_lease(first)
            store.put_lease(second)
            store.put_lease(ended)
        assert store.leases(TENANT, ended=5) == [second, ended]
        assert store.leases() == [second]
        assert store.lease(TENANT, first.id) == ended
        assert store.lease(OTHER, first.id) is None
        assert store.leases(OTHER, ended=5) == []

    def the_rest_is_kept(self, store: Store, transaction: Transaction) -> None:
        """Keep devices, counts, denials and documents apart by tenant."""
        count = Denials(TENANT, "n-00000001", WORKLOAD, "d" * 32, WORKLOAD, self.at, 10, 3)
        refusal = Refusal("alpha", "claims", ("no-rule",), ("because",), self.at)
        with transaction():
            store.take_turn()
            store.put_device("tpm2:x", "n-00000001", self.at)
            store.put_device("tpm2:x", "n-00000002", self.at)
            store.put_denials(count)
            store.put_refusal(TENANT, refusal)
            assert store.put_document(TENANT, "reference", b"paper", self.at) == Digest.of(b"paper")
            store.put_document(TENANT, "reference", b"paper", self.at)
        assert store.device_of("tpm2:x") == "n-00000002"
        assert store.device_of("tpm2:y") is None
        assert store.denials(TENANT, "n-00000001") == count
        assert store.uncounted(self.at) == []
        assert store.uncounted(self.at + timedelta(seconds=1)) == [count]
        assert store.refusals(TENANT) == [refusal]
        assert store.refusals(OTHER) == []
        assert store.document(TENANT, "reference", Digest.of(b"paper")) == b"paper"
        assert store.document(TENANT, "register", Digest.of(b"paper")) is None
        assert store.document(OTHER, "reference", Digest.of(b"paper")) is None
        assert store.documents(TENANT, "reference") == [b"paper"]
        assert store.documents(TENANT, "register") == []
        with transaction():
            store.relabel(TENANT, Digest.of(b"paper"), "register")
            store.relabel(OTHER, Digest.of(b"another"), "register")
        assert store.documents(TENANT, "register") == [b"paper"]
        assert store.documents(TENANT, "reference") == []


def lease(number: int, at: datetime, **changes: object) -> Lease:
    """Return a lease that lives."""
    made = Lease(
        id=LeaseId(f"lease-{number:012x}"),
        tenant=TENANT,
        dataset=DATASET.dataset,
        name=DATASET.name,
        epoch=1,
        seal=DATASET.seal,
        node="n-00000001",
        node_name="alpha",
        node_subject=Digest.of(b"alpha"),
        purpose="training",
        workload=WORKLOAD,
        place="",
        device="tpm2:sha256:" + "1" * 64,
        strength=Strength.ATTESTED,
        statement=None,
        by=ANNA.id,
        granted_at=at,
        renewed_at=at,
        expires_at=at + timedelta(minutes=15),
        state=LeaseState.LIVE,
    )
    return replace(made, **changes)  # type: ignore[arg-type]
