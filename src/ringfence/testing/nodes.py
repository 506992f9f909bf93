"""Nodes in memory, for tests of what cuts them off and frees them: a world that outlives a killed process.

    world = World()
    compute = world.compute()                 # a process of ours; a second call is the process after a restart
    node = world.ready(compute, "alpha")
    compute.quarantine(TENANT, node.id, reason="tried", finding="f-1")

Every effect on the world goes through `World.effect`, which can kill the process before or after the n-th of them,
and `World.database` takes the database away (`full`: it can be read; `away`: it cannot).
"""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ringfence.compute import sshkeys, statements
from ringfence.compute.blobs import NodeLocks
from ringfence.compute.containment import Containing
from ringfence.compute.desk import Desk
from ringfence.compute.lifecycle import Order
from ringfence.compute.model import (
    Block,
    Containment,
    Intent,
    Node,
    NodeClass,
    NodeId,
    Quarantine,
    Release,
)
from ringfence.compute.perimeter import Blocking
from ringfence.compute.releasing import Releasing
from ringfence.compute.service import Compute
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.commitment import SALT_SIZE, Opening, commit
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope, key_id_of, sign
from ringfence.kernel.errors import Conflict, Unavailable
from ringfence.kernel.evidence import Acknowledgement, Stage
from ringfence.kernel.identifier import LogOrigin, PersonId, PredicateName, Tenant
from ringfence.kernel.statement import Draft, Issuance, to_payload
from ringfence.kernel.two_person import Half
from ringfence.testing.artifacts import Counting
from ringfence.testing.clock import FakeClock
from ringfence.testing.keys import ed25519, public
from ringfence.testing.sandboxes import HOST_KEY, MemoryProvider

TENANT = Tenant("acme")
ANNA = Person(PersonId("person-00000000000a"), TENANT, Role.SECURITY)
BERT = Person(PersonId("person-00000000000b"), TENANT, Role.OWNER)
CARL = Person(PersonId("person-00000000000c"), TENANT, Role.ENGINEER)


class Killed(BaseException):
    """The process was killed; no `except Exception` of ours may catch that."""


@dataclass
class MemoryNodes:
    """`Nodes` over the rows of a world."""

    world: "World"

    def put(self, node: Node) -> None:
        """Write a node."""
        for other in self.world.rows["nodes"].values():
            same = other.id != node.id and (other.tenant, other.spec.name) == (node.tenant, node.spec.name)
            if same and not other.ended and not node.ended:
                raise Conflict(f"a node called {node.spec.name} was started meanwhile")
        self.world.write("nodes", node.id, node)

    def get(self, node: NodeId) -> Node | None:
        """Return a node."""
        return self.world.table("nodes").get(node)

    def all(self, tenant: Tenant | None = None, *, ended: bool = False) -> list[Node]:
        """Return nodes."""
        found = self.world.table("nodes").values()
        return [n for n in found if tenant in {None, n.tenant} and (ended or n.cut_off or not n.ended)]

    def put_quarantine(self, quarantine: Quarantine) -> None:
        """Write a quarantine."""
        self.world.write("quarantines", (quarantine.node, quarantine.number), quarantine)

    def quarantine(self, node: NodeId, number: int) -> Quarantine | None:
        """Return a quarantine."""
        return self.world.table("quarantines").get((node, number))

    def put_release(self, release: Release) -> None:
        """Write a release."""
        self.world.write("releases", release.request, release)

    def release(self, request: Digest) -> Release | None:
        """Return a release."""
        return self.world.table("releases").get(request)

    def releases(self, node: NodeId, quarantine: int) -> list[Release]:
        """Return the releases of a quarantine."""
        return [r for r in self.world.table("releases").values() if (r.node, r.quarantine) == (node, quarantine)]

    def put_block(self, block: Block) -> None:
        """Write a block."""
        self.world.write("blocks", block.subject, block)

    def blocks(self) -> list[Block]:
        """Return the blocks that have not ended."""
        return [block for block in self.world.table("blocks").values() if block.ended_at is None]


@dataclass
class MemoryRecords:
    """`Recorder` in the transaction, `EmergencyRecorder` outside of it, and `Stated` over both."""

    world: "World"
    emergency: bool = False

    def record(self, draft: Draft, *, tenant: Tenant) -> Acknowledgement:
        """Keep a draft."""
        if not self.emergency:
            self.world.require_database()
            return self.world.state(draft, tenant)
        if self.world.journal_full:
            raise Unavailable("the emergency journal is full")
        with self.world.effect("journal"):
            return self.world.state(draft, tenant)

    def admit(self, envelope: Envelope, opening: Opening | None, *, by: Person) -> Acknowledgement:  # noqa: ARG002
        """Keep a statement that a person signed; one idempotency key once."""
        self.world.require_database()
        key = envelope.statement.issuance.idempotency_key
        known = self.world.rows["admitted"].setdefault(key, envelope.digest)
        statement = envelope.statement
        if known == envelope.digest:
            self.world.state(
                Draft(statement.predicate, statement.subjects, statement.claims, statement.issuance.strength), by.tenant
            )
        return Acknowledgement(known, 1, Stage.SEQUENCED)

    def __call__(self, tenant: Tenant, predicate: PredicateName, node: NodeId, quarantine: int) -> bool:
        """Return whether it was stated."""
        return any(
            (who, draft.predicate, draft.claims.get("node"), draft.claims.get("number"))
            == (tenant, predicate, node, quarantine)
            for who, draft in self.world.stated
        )


@dataclass
class MemoryKeep:
    """`Intents`, `Locker`, `Perimeter`, `Colleagues` and `Authority` of a world."""

    world: "World"

    def add(self, node: NodeId, intent: Intent) -> None:
        """Keep a wish."""
        with self.world.effect("intent"):
            if intent.number > self.world.intents.get(node, Intent(0)).number:
                self.world.intents[node] = intent

    def drop(self, node: NodeId, number: int) -> None:
        """Forget a wish."""
        with self.world.effect("drop"):
            if self.world.intents.get(node, Intent(number + 1)).number <= number:
                del self.world.intents[node]

    def all(self) -> Mapping[NodeId, Intent]:
        """Return every wish."""
        return dict(self.world.intents)

    def keep(self, node: NodeId, number: int, items: Mapping[str, bytes], salt: bytes) -> None:
        """Keep evidence."""
        if self.world.disk_full:
            raise Unavailable("the disk is full")
        self.world.evidence[node, number] = (dict(items), salt)

    def block(self, address: str, *, seconds: int | None = None) -> None:  # noqa: ARG002
        """Keep an address out."""
        self.world.dropped.add(address)

    def unblock(self, address: str) -> None:
        """Let an address in."""
        self.world.dropped.discard(address)

    def blocked(self) -> list[str]:
        """Return who is kept out."""
        return sorted(self.world.dropped)

    def may_release(self, tenant: Tenant, person: PersonId) -> bool:
        """Return whether the person is security or owner, and here."""
        return tenant == TENANT and person in self.world.releasers

    def enrolled_by(self, tenant: Tenant, person: PersonId) -> PersonId | None:  # noqa: ARG002
        """Return who enrolled a person."""
        return self.world.enrolled.get(person)

    def half(self, tenant: Tenant, person: PersonId, envelope: Digest) -> Half:  # noqa: ARG002
        """Return what is known of a statement that a person signed."""
        at, since = self.world.clock.now(), self.world.clock.now() - self.world.credential_age
        return Half(person, Digest.of(tenant.encode()), at, "ed25519", since, "root", self.enrolled_by(tenant, person))

    def established(self, tenant: Tenant, at: datetime) -> int:  # noqa: ARG002
        """Return how many people have a credential that is old enough."""
        return self.world.established

    def certificate(
        self,
        public_key: str,
        *,
        principal: str,
        seconds: int,
        serial: int,
        key_id: str = "",  # noqa: ARG002
        tunnel: bool = False,
    ) -> str:
        """Return words that stand for a certificate."""
        kind = "tunnel" if tunnel else "certificate"
        return f"{kind} {sshkeys.fingerprint(public_key).hex[:8]} {principal} {seconds} {serial}"

    def ca_public(self) -> str:
        """Return a key."""
        return HOST_KEY


def _rows() -> dict[str, dict[Any, Any]]:
    return {name: {} for name in ("nodes", "quarantines", "releases", "blocks", "admitted")}


@dataclass
class World:
    """Everything that outlives a process of ours."""

    clock: FakeClock = field(default_factory=FakeClock)
    random: Counting = field(default_factory=lambda: Counting(b"nodes"))
    rows: dict[str, dict[Any, Any]] = field(default_factory=_rows)
    stated: list[tuple[Tenant, Draft]] = field(default_factory=list)
    intents: dict[NodeId, Intent] = field(default_factory=dict)
    evidence: dict[tuple[NodeId, int], tuple[dict[str, bytes], bytes]] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    releasers: set[PersonId] = field(default_factory=lambda: {ANNA.id, BERT.id})
    enrolled: dict[PersonId, PersonId] = field(default_factory=dict)
    credential_age: timedelta = timedelta(days=30)
    established: int = 2
    database: str = "up"
    journal_full: bool = False
    disk_full: bool = False
    effects: list[str] = field(default_factory=list)
    kill_at: int = -1  # the effect at which the process dies; even: before it, odd: after it
    _depth: int = 0

    def __post_init__(self) -> None:
        self.provider = MemoryProvider(self)

    def compute(self) -> Compute:
        """Start a process of ours over this world."""
        self._depth = 0
        keep, recorder, emergency = MemoryKeep(self), MemoryRecords(self), MemoryRecords(self, emergency=True)
        desk = Desk(
            nodes=MemoryNodes(self),
            providers={NodeClass.NAMESPACE: self.provider},
            recorder=recorder,
            transaction=self.transaction,
            clock=self.clock,
            random=self.random,
            exclusive=NodeLocks(),
        )
        return Compute(
            desk=desk,
            containing=Containing(desk, emergency, keep, keep, recorder),
            releasing=Releasing(desk, keep, keep),
            blocking=Blocking(desk, keep, emergency),
            authority=keep,
            pause=lambda seconds: _nothing(self.clock.advance(timedelta(seconds=seconds))),
        )

    # Effects

    @contextmanager
    def effect(self, name: str) -> Iterator[None]:
        """Do something to the world; the process may be killed just before or just after."""
        place = 2 * len(self.effects)
        self.effects.append(name)
        if self.kill_at == place:
            raise Killed(name)
        yield
        if self.kill_at == place + 1:
            raise Killed(name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything or nothing."""
        if self._depth:
            yield
            return
        self.require_database()
        saved, said = copy.deepcopy(self.rows), list(self.stated)
        self._depth = 1
        try:
            yield
            with self.effect("commit"):
                saved, said = self.rows, self.stated
        finally:
            self._depth = 0
            self.rows, self.stated = saved, said

    def require_database(self) -> None:
        """Raise where the database takes no writes."""
        if self.database != "up":
            raise Unavailable("the disk is full; nothing was written; free some space and try again")

    def table(self, name: str) -> dict[Any, Any]:
        """Return rows, where the database can be read."""
        if self.database == "away":
            raise Unavailable("the database is locked by another process")
        return self.rows[name]

    def write(self, table: str, key: object, value: object) -> None:
        """Write a row in the open transaction."""
        assert self._depth, "a row was written outside a transaction"
        self.rows[table][key] = value

    def state(self, draft: Draft, tenant: Tenant) -> Acknowledgement:
        """Keep what was stated."""
        self.stated.append((tenant, draft))
        return Acknowledgement(Digest.of(str(len(self.stated)).encode()), len(self.stated), Stage.SEQUENCED)

    # What tests ask

    def said(self, *prefixes: str) -> list[str]:
        """Return the predicates that were stated, in order; only those that begin with one of `prefixes`."""
        return [draft.predicate for _, draft in self.stated if not prefixes or draft.predicate.startswith(prefixes)]

    def claims(self, predicate: str) -> list[Mapping[str, Any]]:
        """Return the claims of every statement of a type."""
        return [draft.claims for _, draft in self.stated if draft.predicate == predicate]

    def ready(self, compute: Compute, name: str = "alpha", **order: Any) -> Node:
        """Start a node and wait for it."""
        return compute.start(CARL, Order(name, NodeClass.NAMESPACE, **order))

    def row(self, node: Node) -> Node:
        """Return a node's row."""
        found: Node = self.rows["nodes"][node.id]
        return found

    def request(self, compute: Compute, node: Node, *, by: Person = ANNA, reason: str = "cleaned") -> Envelope:
        """Sign a request to release, and post it."""
        envelope, opening = self.signed_request(compute, node, by=by, reason=reason)
        compute.releasing.ask(by, node.spec.name, envelope, opening)
        return envelope

    def signed_request(
        self, compute: Compute, node: Node, *, by: Person = ANNA, reason: str = "cleaned"
    ) -> tuple[Envelope, Opening | None]:
        """Sign a request to release."""
        row = self.row(node)
        quarantine = compute.desk.quarantine(row)
        if quarantine is None:
            raise Conflict("it is not quarantined")
        draft = statements.release_request(row.id, row.subject, row.quarantine, quarantine.before, reason)
        return self.signed(draft, by)

    def approval(self, node: Node, request: Digest, *, by: Person = BERT) -> Envelope:
        """Sign an approval."""
        row = self.row(node)
        return self.signed(statements.release_approval(row.id, row.subject, row.quarantine, request), by)[0]

    def signed(self, draft: Draft, by: Person) -> tuple[Envelope, Opening | None]:
        """Sign a draft as a person would."""
        opening = commit(draft.details, self.random(SALT_SIZE)) if draft.details else None
        key = ed25519(int(by.id[-1], 16))
        nonce = self.random(16).hex()
        issuance = Issuance(
            TENANT,
            LogOrigin("lab.example/log"),
            key_id_of(public(key)),
            draft.strength,
            1,
            nonce,
            nonce,
            self.clock.now(),
        )
        commitment = opening.commitment if opening else None
        statement = draft.issued(issuance, commitment)
        return sign(to_payload(statement), key), opening

    def half_open(self) -> list[str]:
        """Return every node about which rows, wishes and provider disagree."""
        found = []
        for node in self.rows["nodes"].values():
            port = self.provider.ports.get(node.id)
            cut = port is not None and port.cut
            row, wished = node.containment, node.id in self.intents
            agreed = {(Containment.NONE, False, False), (Containment.QUARANTINED, True, True)}
            if port is not None and (row, wished, cut) not in agreed:
                found.append(f"{node.id}: row {row}, wished {wished}, cut {cut}")
        return found


def _nothing(_value: object) -> None:
    return None
