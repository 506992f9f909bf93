"""The gateway's control side without a disk: keys and deployments in memory, and contract suites for what keeps them.

world = World()
issued = world.gateway.issue_key(CARL, Wanted("anna", ()))
world.away = True                      # the database: containment goes on without it
world.gateway.block_key(TENANT, issued.key.id, because="guessing", finding="f-1")
world.snapshots.held                   # what the gateway was told last
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ringfence.gateway.address import Address
from ringfence.gateway.deployments import Seen
from ringfence.gateway.keys import KeyState
from ringfence.gateway.model import ApiKey, ApiKeyId, Deployment, DeploymentName, Protocol, Snapshot
from ringfence.gateway.ports import DeploymentTable, KeyTable, Mark, Marks
from ringfence.gateway.publishing import Publishing
from ringfence.gateway.service import Gateway
from ringfence.gateway.snapshot import LIFE
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.evidence import Acknowledgement, Stage
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.kernel.statement import Draft
from ringfence.testing.clock import START, FakeClock
from ringfence.testing.gateway import TENANT, api_key, deployment

ANNA = Person(PersonId("person-00000000000a"), TENANT, Role.SECURITY)
CARL = Person(PersonId("person-00000000000c"), TENANT, Role.ENGINEER)
OTHER = Tenant("other")


@dataclass
class World:
    """Everything that the service asks for, and switches that take it away."""

    clock: FakeClock = field(default_factory=FakeClock)
    away: bool = False  # the database
    restored: bool = False  # the database is a backup that was put back
    full: bool = False  # the disk of the gateway's folder
    life: timedelta | None = LIFE  # of a snapshot; None: the home does not say it
    stated: list[Draft] = field(default_factory=list)
    journalled: list[Draft] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    seen: Seen | None = field(default_factory=lambda: Seen(("tiny",), ready=True))
    drawn: int = 0

    def __post_init__(self) -> None:
        self.keys = MemoryKeys(self)
        self.deployments = MemoryDeployments(self)
        self.snapshots = MemorySnapshots(self)
        self.marks = MemoryMarks()
        self.gateway = Gateway(
            publishing=Publishing(
                self.keys, self.deployments, self.snapshots, self.marks, self.clock, self.confirm, life=self.lives
            ),
            credentials=self,
            engines=self,
            recorder=Recorded(self),
            emergency=Journalled(self),
            transaction=self.transaction,
            clock=self.clock,
            random=self.random,
        )

    def check(self) -> None:
        """Raise where the database is away."""
        if self.away:
            raise Unavailable("the database is away")

    def confirm(self) -> None:
        """Raise where the database is older than the log."""
        if self.restored:
            raise Unavailable("the database is older than the published log")

    def lives(self) -> timedelta:
        """Return for how long keys and routes are good."""
        if self.life is None:
            raise Unavailable("gateway.json says nothing")
        return self.life

    def random(self, size: int) -> bytes:
        """Return bytes that no other call returns."""
        self.drawn += 1
        return self.drawn.to_bytes(size, "big")[-size:][::-1]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Give back what was, where the block fails."""
        self.check()
        before = dict(self.keys.rows), dict(self.deployments.rows), list(self.stated)
        try:
            yield
        except BaseException:
            self.keys.rows, self.deployments.rows, self.stated = before
            raise

    def keep(self, secret: str) -> str:
        """Keep an engine's secret."""
        name = f"credentials/c-{len(self.secrets):012x}"
        self.secrets[name] = secret
        return name

    def forget(self, name: str) -> None:
        """Remove an engine's secret."""
        self.secrets.pop(name, None)

    def ask(self, address: Address, protocol: Protocol, credential: str) -> Seen:
        """Answer as the engine of this world."""
        del protocol, credential
        if self.seen is None:
            raise Unavailable(f"no engine answers at {address.url}")
        return self.seen


@dataclass
class MemoryKeys:
    """`KeyTable` in memory."""

    world: World
    rows: dict[tuple[str, str], ApiKey] = field(default_factory=dict)

    def put(self, key: ApiKey) -> None:
        """Write a key."""
        self.world.check()
        self.rows[key.tenant, key.id] = key

    def get(self, tenant: Tenant, key: ApiKeyId) -> ApiKey | None:
        """Return a key of a tenant."""
        self.world.check()
        return self.rows.get((tenant, key))

    def all(self, tenant: Tenant | None = None) -> Sequence[ApiKey]:
        """Return keys."""
        self.world.check()
        found = [key for key in self.rows.values() if tenant in {None, key.tenant}]
        return sorted(found, key=lambda key: (key.created_at, key.tenant, key.id))


@dataclass
class MemoryDeployments:
    """`DeploymentTable` in memory."""

    world: World
    rows: dict[tuple[str, str], Deployment] = field(default_factory=dict)

    def put(self, deployment: Deployment) -> None:
        """Write a deployment."""
        self.world.check()
        self.rows[deployment.tenant, deployment.name] = deployment

    def get(self, tenant: Tenant, name: DeploymentName) -> Deployment | None:
        """Return a deployment of a tenant."""
        self.world.check()
        return self.rows.get((tenant, name))

    def all(self, tenant: Tenant | None = None) -> Sequence[Deployment]:
        """Return deployments."""
        self.world.check()
        found = [one for one in self.rows.values() if tenant in {None, one.tenant}]
        return sorted(found, key=lambda one: (one.tenant, one.name))


@dataclass
class MemorySnapshots:
    """`SnapshotFile` in memory."""

    world: World
    held: Snapshot | None = None

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Nobody else is here."""
        yield

    def last(self) -> Snapshot | None:
        """Return what was written last."""
        return self.held

    def write(self, snapshot: Snapshot) -> None:
        """Keep a snapshot."""
        if self.world.full:
            raise Unavailable("the disk is full")
        self.held = snapshot


@dataclass
class MemoryMarks:
    """`Marks` in memory."""

    held: list[Mark] = field(default_factory=list)

    def add(self, mark: Mark) -> None:
        """Keep a mark."""
        if mark not in self.held:
            self.held.append(mark)

    def drop(self, mark: Mark) -> None:
        """Forget a mark."""
        self.held = [
            one for one in self.held if (one.tenant, one.key, one.state) != (mark.tenant, mark.key, mark.state)
        ]

    def all(self) -> Sequence[Mark]:
        """Return every mark."""
        return list(self.held)


@dataclass
class Recorded:
    """`Recorder` that keeps drafts."""

    world: World

    def record(self, draft: Draft, *, tenant: Tenant) -> Acknowledgement:
        """Keep a draft."""
        del tenant
        self.world.check()
        self.world.stated.append(draft)
        return Acknowledgement(Digest.of(repr(draft).encode()), len(self.world.stated), Stage.SEQUENCED)

    def admit(self, *_given: object, **_named: object) -> Acknowledgement:
        """Nobody posts statements here."""
        raise NotImplementedError


@dataclass
class Journalled:
    """`EmergencyRecorder` that keeps drafts, whatever becomes of the database."""

    world: World

    def record(self, draft: Draft, *, tenant: Tenant) -> Acknowledgement:
        """Keep a draft."""
        del tenant
        self.world.journalled.append(draft)
        return Acknowledgement(Digest.of(repr(draft).encode()), len(self.world.journalled), Stage.JOURNALLED)


class KeyTableContract:
    """What the use cases rely on; `table` and `transaction` come from the test that runs it."""

    def test_a_key_is_what_was_written_in_its_own_tenant_only(
        self, table: KeyTable, transaction: "Transaction"
    ) -> None:
        """A key comes back whole, and its newest row only."""
        first = api_key(name="Ä caller", deployments=(DeploymentName("a"), DeploymentName("b")))
        ended = replace(first, revoked_at=START + timedelta(days=1), blocked="guessing")
        for key in (first, ended):
            with transaction():
                table.put(key)
            assert table.get(TENANT, key.id) == key
        assert list(table.all()) == list(table.all(TENANT)) == [ended]
        assert table.get(OTHER, first.id) is None
        assert list(table.all(OTHER)) == []

    def test_keys_come_in_the_order_in_which_they_were_issued(
        self, table: KeyTable, transaction: "Transaction"
    ) -> None:
        """The time counts, not the order of writing."""
        made = [_issued(number, START + timedelta(minutes=number)) for number in (3, 1, 2)]
        with transaction():
            for key in made:
                table.put(key)
        assert [key.id for key in table.all(TENANT)] == [made[1].id, made[2].id, made[0].id]


class DeploymentTableContract:
    """What the use cases rely on; `table` and `transaction` come from the test that runs it."""

    def test_a_deployment_is_what_was_written_in_its_own_tenant_only(
        self, table: DeploymentTable, transaction: "Transaction"
    ) -> None:
        """A deployment comes back whole, and its newest row only."""
        first = deployment("b", subject=Digest.of(b"it"))
        for one in (first, replace(first, because="gone"), deployment("a", tenant=OTHER)):
            with transaction():
                table.put(one)
            assert table.get(one.tenant, one.name) == one
        assert [(one.tenant, one.name) for one in table.all()] == [(TENANT, "b"), (OTHER, "a")]
        assert list(table.all(TENANT)) == [replace(first, because="gone")]


class MarksContract:
    """What containment relies on; `marks` comes from the test that runs it."""

    def test_a_mark_stays_until_it_is_dropped(self, marks: Marks) -> None:
        """Again changes nothing; another state of the same key is another mark."""
        key = api_key().id
        blocked = Mark(TENANT, key, KeyState.BLOCKED, "f-1")
        revoked = Mark(TENANT, key, KeyState.REVOKED)
        for mark in (blocked, blocked, revoked):
            marks.add(mark)
        assert list(marks.all()) == [blocked, revoked]
        marks.drop(blocked)
        marks.drop(blocked)
        assert list(marks.all()) == [revoked]


def _issued(number: int, at: datetime) -> ApiKey:
    return api_key(f"rfk-{number:012x}-" + "A" * 43, created_at=at)


class Transaction:
    """How a test opens the transaction in which a table is written."""

    def __call__(self) -> AbstractContextManager[None]:
        """Open it."""
        raise NotImplementedError
