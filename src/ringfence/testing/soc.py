"""The watch without a network: responder, channels, stores in memory; and what every implementation has to do.

    lab = WatchLab()
    lab.see(finding("ssh-guessing-then-success"), node=node("n-00000001"))
    lab.responder.isolated                              # [("acme", "n-00000001")]

`broken` makes the database refuse; `responder.refusing` makes a cut fail.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ringfence.kernel.actor import Person, Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, RingfenceError, Unavailable
from ringfence.kernel.evidence import Acknowledgement, Stage
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.kernel.statement import Draft
from ringfence.soc.action import Act, ActionKind, NodeFacts, Past, Reason, Ruling, State, Surroundings, Times
from ringfence.soc.answering import Answers, Sighting
from ringfence.soc.model import Finding, finding_id
from ringfence.soc.playbook import shipped
from ringfence.soc.policy import Policy
from ringfence.soc.ports import (
    MAX_ATTEMPTS,
    Alert,
    Answered,
    Delivery,
    Findings,
    Mailbox,
    Notifier,
    Policies,
    Raised,
    Ruled,
)
from ringfence.soc.posting import Posting
from ringfence.soc.service import Watch
from ringfence.testing.clock import START, FakeClock

TENANT = Tenant("acme")
PERSON = Person(PersonId("person-0123456789ab"), TENANT, Role.SECURITY)
ATTACKER = "203.0.113.7"


def node(name: str = "n-00000001", **facts: object) -> NodeFacts:
    """Return a node that nobody depends on, changed by `facts`."""
    return replace(NodeFacts(name, f"name-of-{name}", "namespace"), **facts)  # type: ignore[arg-type]


def finding(
    rule: str = "ssh-guessing", subject: str = "n-00000001", source: str = ATTACKER, **facts: object
) -> Finding:
    """Return a finding at the start of `FakeClock`, changed by `facts`."""
    made = Finding(
        id=finding_id(rule, subject, source, START),
        rule=rule,
        subject=subject,
        source=source,
        first_seen=START - timedelta(seconds=60),
        last_seen=START,
        count=7,
        severity="high",
        technique=("T1110",),
        evidence=("0" * 64,),
        title=f"What {rule} means",
    )
    return replace(made, **facts)  # type: ignore[arg-type]


@dataclass
class FakeResponder:
    """Cut off, on paper."""

    isolated: list[tuple[Tenant, str]] = field(default_factory=list)
    blocked: list[tuple[Tenant, str, int]] = field(default_factory=list)
    keys: list[tuple[Tenant, str]] = field(default_factory=list)
    refusing: RingfenceError | None = None
    before: Callable[[], None] = lambda: None  # a test may look at the world at the moment of the cut

    def quarantine(self, tenant: Tenant, node: str, *, reason: str, finding: str, line_at: datetime) -> None:  # noqa: ARG002
        """Isolate a node."""
        self.before()
        if self.refusing:
            raise self.refusing
        self.isolated.append((tenant, node))

    def block(self, tenant: Tenant, address: str, *, seconds: int, finding: str) -> None:  # noqa: ARG002
        """Block a source."""
        self.before()
        if self.refusing:
            raise self.refusing
        self.blocked.append((tenant, address, seconds))

    def block_key(self, tenant: Tenant, key: str, *, because: str, finding: str) -> None:  # noqa: ARG002
        """Block a key."""
        self.before()
        if self.refusing:
            raise self.refusing
        self.keys.append((tenant, key))


@dataclass
class FakeObservers:
    """Keep what incidents would hear; `deaf` makes them fail."""

    heard: list[tuple[Raised, Answered]] = field(default_factory=list)
    deaf: RingfenceError | None = None

    def consider(self, tenant: Tenant, raised: Raised, response: Answered) -> None:  # noqa: ARG002
        """Take the facts in."""
        if self.deaf:
            raise self.deaf
        self.heard.append((raised, response))


@dataclass
class FakeNotifier:
    """A channel in memory; `broken` makes it refuse."""

    channel: str = "mail"
    sent: list[Alert] = field(default_factory=list)
    broken: RingfenceError | None = None

    def send(self, alert: Alert) -> None:
        """Take the alert over."""
        if self.broken:
            raise self.broken
        self.sent.append(alert)


@dataclass
class FakeNotifiers:
    """The same channels for every tenant."""

    channels: list[FakeNotifier] = field(default_factory=lambda: [FakeNotifier()])

    def of(self, _tenant: Tenant) -> Sequence[Notifier]:
        """Return them."""
        return self.channels


@dataclass
class MemoryFindings:
    """`Findings` in dictionaries."""

    rows: dict[tuple[Tenant, str], Raised] = field(default_factory=dict)
    ruled: dict[tuple[Tenant, str, ActionKind, int], Ruled] = field(default_factory=dict)

    def by_key(self, tenant: Tenant, key: str) -> Raised | None:
        """Return a finding by the detector's identifier."""
        return next((r for (owner, _), r in self.rows.items() if owner == tenant and r.finding.id == key), None)

    def by_reference(self, tenant: Tenant, reference: str) -> Raised | None:
        """Return a finding."""
        return self.rows.get((tenant, reference))

    def put(self, raised: Raised) -> None:
        """Write a finding."""
        self.rows[(raised.tenant, raised.reference)] = raised

    def page(self, tenant: Tenant, *, limit: int, rule: str = "") -> list[Raised]:
        """Return findings, the one seen last first."""
        mine = [r for (owner, _), r in self.rows.items() if owner == tenant and rule in {"", r.finding.rule}]
        return sorted(mine, key=lambda r: r.finding.last_seen, reverse=True)[:limit]

    def count(self, tenant: Tenant, *, rule: str = "") -> int:
        """Return how many findings there are."""
        return len(self.page(tenant, limit=10**9, rule=rule))

    def unnoted(self) -> list[Raised]:
        """Return the findings that the observers have not heard of."""
        return [raised for raised in self.rows.values() if not raised.noted]

    def rule_on(self, tenant: Tenant, ruled: Sequence[Ruled]) -> None:
        """Write rulings."""
        keys = [(tenant, one.finding, one.act.kind, one.turn) for one in ruled]
        if any(key in self.ruled for key in keys):
            raise Conflict("this was ruled on already")
        self.ruled |= dict(zip(keys, ruled, strict=True))

    def settle(self, tenant: Tenant, ruled: Ruled) -> None:
        """Write the state of a ruling."""
        key = (tenant, ruled.finding, ruled.act.kind, ruled.turn)
        if key in self.ruled:
            settled = self.ruled[key].state is State.SETTLED
            self.ruled[key] = replace(ruled, state=State.SETTLED) if settled else ruled

    def rulings(self, tenant: Tenant, reference: str) -> list[Ruled]:
        """Return what was ruled about a finding."""
        order = list(ActionKind)
        mine = [one for (owner, name, _, _), one in self.ruled.items() if owner == tenant and name == reference]
        return sorted(mine, key=lambda one: (one.turn, order.index(one.act.kind)))

    def unfinished(self) -> list[tuple[Tenant, Ruled]]:
        """Return wanted acts, and failed ones that are worth another attempt."""
        return [
            (tenant, one)
            for (tenant, _, _, _), one in self.ruled.items()
            if one.state is State.DESIRED or (one.state is State.FAILED and one.attempts < MAX_ATTEMPTS)
        ]

    def waiting(self, tenant: Tenant, limit: int) -> list[tuple[Raised, Ruled]]:
        """Return what is left to a person."""
        mine = [
            (self.rows[(tenant, one.finding)], one)
            for (owner, _, _, _), one in self.ruled.items()
            if owner == tenant and one.state is State.WAITING
        ]
        return sorted(mine, key=lambda pair: pair[1].times.decided, reverse=True)[:limit]

    def past(self, tenant: Tenant, since: datetime) -> list[Past]:
        """Return what was ruled since a time."""
        found = []
        for (owner, reference, kind, turn), one in self.ruled.items():
            at, act = one.times.decided, one.act
            if owner == tenant and at >= since:
                until = at + timedelta(seconds=act.seconds) if act.seconds else None
                key = self.rows[(tenant, reference)].finding.id
                found.append(Past(key, kind, act.target, act.ruling, at, until, turn))
        return sorted(found, key=lambda one: one.at)


@dataclass
class MemoryPolicies:
    """`Policies` in a dictionary."""

    kept: dict[Tenant, list[Policy]] = field(default_factory=dict)

    def current(self, tenant: Tenant) -> tuple[int, Policy]:
        """Return version and settings."""
        versions = self.kept.get(tenant, [])
        return (len(versions), versions[-1]) if versions else (0, Policy())

    def put(self, tenant: Tenant, version: int, policy: Policy, *, by: str, at: datetime) -> None:  # noqa: ARG002
        """Add a version."""
        if version != len(self.kept.get(tenant, [])) + 1:
            raise Conflict("somebody changed the settings meanwhile")
        self.kept.setdefault(tenant, []).append(policy)


@dataclass
class MemoryMailbox:
    """`Mailbox` in a dictionary."""

    rows: dict[tuple[str, str], tuple[Delivery, str]] = field(default_factory=dict)

    def add(self, delivery: Delivery) -> None:
        """Add a delivery."""
        self.rows.setdefault((delivery.alert.identifier, delivery.channel), (delivery, "waiting"))

    def due(self, at: datetime, limit: int = 50) -> list[Delivery]:
        """Return what is to be tried now."""
        waiting = [d for d, state in self.rows.values() if state == "waiting" and d.next_at <= at]
        return sorted(waiting, key=lambda d: d.next_at)[:limit]

    def retry(self, delivery: Delivery) -> None:
        """Write number of attempts and time of the next one."""
        self.rows[(delivery.alert.identifier, delivery.channel)] = (delivery, "waiting")

    def close(self, delivery: Delivery, state: str) -> None:
        """Write that it was sent or given up."""
        self.rows[(delivery.alert.identifier, delivery.channel)] = (delivery, state)

    def of(self, tenant: Tenant, about: str) -> list[tuple[Delivery, str]]:
        """Return the deliveries about a finding."""
        return [(d, state) for d, state in self.rows.values() if d.alert.tenant == tenant and d.alert.about == about]

    def unsent(self, tenant: Tenant, before: datetime, limit: int) -> list[tuple[Delivery, str]]:
        """Return what was given up, what failed, and what was made `before` and never tried."""
        late = [
            (d, state)
            for d, state in self.rows.values()
            if d.alert.tenant == tenant
            if state == "given-up" or (state == "waiting" and (d.attempts or d.created_at < before))
        ]
        return sorted(late, key=lambda pair: pair[0].created_at, reverse=True)[:limit]


@dataclass
class DraftRecorder:
    """Keep drafts, once per idempotency key; as recorder, emergency recorder and publication."""

    drafts: list[Draft] = field(default_factory=list)
    broken: RingfenceError | None = None

    def record(self, draft: Draft, *, tenant: Tenant) -> Acknowledgement:  # noqa: ARG002
        """Record."""
        if self.broken:
            raise self.broken
        keys = [known.idempotency_key for known in self.drafts]
        if draft.idempotency_key not in keys or not draft.idempotency_key:
            self.drafts.append(draft)
        return Acknowledgement(Digest.of(draft.idempotency_key.encode()), len(self.drafts), Stage.SEQUENCED)

    def admit(self, *_arguments: object, **_named: object) -> Acknowledgement:
        """The watch admits nothing."""
        raise NotImplementedError

    def published(self, envelope: Digest) -> Acknowledgement:
        """Publish at once."""
        return Acknowledgement(envelope, len(self.drafts), Stage.PUBLISHED, entry=len(self.drafts) - 1)

    def named(self, predicate: str) -> list[Draft]:
        """Return the drafts of one type."""
        return [draft for draft in self.drafts if draft.predicate == predicate]


@dataclass
class WatchLab:
    """The real use cases over fakes."""

    clock: FakeClock = field(default_factory=FakeClock)
    responder: FakeResponder = field(default_factory=FakeResponder)
    observers: FakeObservers = field(default_factory=FakeObservers)
    notifiers: FakeNotifiers = field(default_factory=FakeNotifiers)
    recorder: DraftRecorder = field(default_factory=DraftRecorder)
    emergency: DraftRecorder = field(default_factory=DraftRecorder)
    findings: MemoryFindings = field(default_factory=MemoryFindings)
    policies: MemoryPolicies = field(default_factory=MemoryPolicies)
    mailbox: MemoryMailbox = field(default_factory=MemoryMailbox)
    broken: bool = False
    _tokens: int = 0

    def __post_init__(self) -> None:
        """Wire."""
        self.restart()

    def restart(self) -> None:
        """Lose everything that is only in memory."""
        self.post = Posting(self.mailbox, self.notifiers, self.recorder, self._transaction, self.clock)
        self.answers = Answers(
            self.findings, self.policies, shipped(), self.responder, self.observers, self.post, self.recorder,
            self.emergency, self._transaction, lambda write: write(), self.clock, self.token, lambda _tenant: False,
        )  # fmt: skip
        self.watch = Watch(
            self.findings, self.policies, self.mailbox, shipped(), self.post, self.recorder, self.recorder,
            self._transaction, self.clock, self.token,
        )  # fmt: skip

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self.broken:
            raise Unavailable("the disk is full")
        yield

    def token(self) -> str:
        """Return the next reference."""
        self._tokens += 1
        return f"{self._tokens:024x}"

    def see(
        self, seen: Finding, reporter: NodeFacts | None = None, *, tenant: Tenant = TENANT, **around: object
    ) -> Answered | None:
        """Hand a finding in, as the worker does, one second after the last."""
        self.clock.advance(timedelta(seconds=1))
        now = self.clock.now()
        surroundings = replace(Surroundings(nodes=1), **around)  # type: ignore[arg-type]
        return self.answers.answer(Sighting(tenant, seen, reporter, surroundings, now, now))

    def set(self, policy: Policy, tenant: Tenant = TENANT) -> None:
        """Put settings in force."""
        self.policies.kept.setdefault(tenant, []).append(policy)


# What every implementation of a port has to do.


def ruled(reference: str, kind: ActionKind = ActionKind.BLOCK_SOURCE, state: State = State.DESIRED) -> Ruled:
    """Return a ruling."""
    times = Times(START, START, START + timedelta(milliseconds=3), None)
    return Ruled(reference, Act(kind, ATTACKER, Ruling.TAKE, Reason.PLAYBOOK, 3600), 0, state, times, 1, 3)


def keeps_findings(findings: Findings) -> None:
    """Check that findings and rulings come back as they were, in their tenant only."""
    raised = Raised(TENANT, "f-1", finding(), node(contained_since=START), authenticated=True)
    findings.put(raised)
    findings.put(replace(raised, reference="f-2", finding=finding("other", last_seen=START + timedelta(hours=1))))
    assert findings.by_key(TENANT, raised.finding.id) == raised
    assert findings.by_reference(TENANT, "f-1") == raised
    assert findings.by_reference(Tenant("another"), "f-1") is None
    assert [one.reference for one in findings.page(TENANT, limit=9)] == ["f-2", "f-1"]
    assert [one.reference for one in findings.page(TENANT, limit=9, rule="other")] == ["f-2"]
    assert findings.count(TENANT) == 2
    assert {one.reference for one in findings.unnoted()} == {"f-1", "f-2"}
    findings.put(replace(raised, noted=True, statement=Digest.of(b"x")))
    assert findings.by_reference(TENANT, "f-1") == replace(raised, noted=True, statement=Digest.of(b"x"))


def keeps_rulings(findings: Findings) -> None:
    """Check that a ruling is written once, and is unfinished until it is settled or was tried too often."""
    findings.put(Raised(TENANT, "f-1", finding(), None, authenticated=True))
    rows = [ruled("f-1", ActionKind.ALERT), ruled("f-1", ActionKind.ISOLATE_NODE)]
    findings.rule_on(TENANT, rows)
    assert _raises(Conflict, lambda: findings.rule_on(TENANT, rows[:1]))
    assert findings.rulings(TENANT, "f-1") == rows[::-1]
    assert findings.rulings(Tenant("another"), "f-1") == []
    assert len(findings.unfinished()) == 2
    findings.settle(TENANT, replace(rows[0], state=State.DONE, statement=Digest.of(b"y")))
    findings.settle(TENANT, replace(rows[1], state=State.FAILED, attempts=1))
    assert [one.act.kind for _, one in findings.unfinished()] == [ActionKind.ISOLATE_NODE]
    findings.settle(TENANT, replace(rows[1], state=State.FAILED, attempts=5))
    assert findings.unfinished() == []
    past = findings.past(TENANT, START - timedelta(days=1))
    assert {one.kind for one in past} == {ActionKind.ALERT, ActionKind.ISOLATE_NODE}
    assert {one.finding for one in past} == {finding().id}
    assert findings.past(TENANT, START + timedelta(days=1)) == []


def keeps_what_a_person_settled(findings: Findings) -> None:
    """Check that an outcome which comes after a person settled the act is kept, and opens nothing again."""
    row = ruled("f-1", state=State.WAITING)
    findings.rule_on(TENANT, [row])
    findings.settle(TENANT, replace(row, state=State.SETTLED))
    findings.settle(TENANT, replace(row, attempts=1, statement=Digest.of(b"y")))
    (kept,) = findings.rulings(TENANT, "f-1")
    assert (kept.state, kept.statement) == (State.SETTLED, Digest.of(b"y"))


def keeps_what_waits(findings: Findings) -> None:
    """Check that what is left to a person is found in its tenant only, the newest first, and no more than asked for."""
    for number in range(3):
        one = finding("ssh-guessing", source=f"203.0.113.{number}")
        findings.put(Raised(TENANT, f"f-{number}", one, None, authenticated=True))
        times = Times(START, START, START + timedelta(seconds=number))
        wanted = replace(ruled(f"f-{number}", state=State.WAITING), times=times)
        findings.rule_on(TENANT, [wanted, ruled(f"f-{number}", ActionKind.ALERT, State.DONE)])
    theirs, later = Tenant("another"), Times(START, START, START + timedelta(hours=1))
    findings.put(Raised(theirs, "f-9", finding(), None, authenticated=True))
    findings.rule_on(theirs, [replace(ruled("f-9", state=State.WAITING), times=later)])
    found = findings.waiting(TENANT, 9)
    assert [(raised.reference, one.act.kind) for raised, one in found] == [
        (f"f-{number}", ActionKind.BLOCK_SOURCE) for number in (2, 1, 0)
    ]
    assert [raised.finding.source for raised, _ in findings.waiting(TENANT, 1)] == ["203.0.113.2"]
    assert [raised.reference for raised, _ in findings.waiting(theirs, 9)] == ["f-9"]
    findings.settle(TENANT, replace(found[0][1], state=State.SETTLED))
    assert len(findings.waiting(TENANT, 9)) == 2
    assert findings.unfinished() == []


def keeps_policies(policies: Policies) -> None:
    """Check that the newest version counts, and that no version is written twice."""
    assert policies.current(TENANT) == (0, Policy())
    changed = Policy(never_isolate=("db",), never_block=("192.0.2.0/24",))
    policies.put(TENANT, 1, changed, by=PERSON.id, at=START)
    assert policies.current(TENANT) == (1, changed)
    assert policies.current(Tenant("another")) == (0, Policy())
    assert _raises(Conflict, lambda: policies.put(TENANT, 1, Policy(), by=PERSON.id, at=START))


def alert(identifier: str = "a" * 24) -> Alert:
    """Return an alert."""
    return Alert(identifier, TENANT, "f-1", "Ringfence: ssh-guessing on n1", "What was seen\nand done", {"type": "x"})


def keeps_alerts(mailbox: Mailbox) -> None:
    """Check that an alert is kept once, comes when it is due, and never again after it is closed."""
    first = Delivery(alert(), "mail", START, 0, START)
    mailbox.add(first)
    mailbox.add(replace(first, attempts=9))
    assert mailbox.due(START - timedelta(seconds=1)) == []
    assert mailbox.due(START) == [first]
    later = replace(first, attempts=1, next_at=START + timedelta(seconds=2))
    mailbox.retry(later)
    assert mailbox.due(START) == []
    assert mailbox.of(TENANT, "f-1") == [(later, "waiting")]
    mailbox.close(later, "sent")
    assert mailbox.due(START + timedelta(days=1)) == []
    assert mailbox.of(TENANT, "f-1") == [(later, "sent")]


def keeps_what_was_not_sent(mailbox: Mailbox) -> None:
    """Check that an alert is missed once it failed, was given up, or waited too long for its first attempt."""
    fresh = Delivery(alert(), "mail", START, 0, START)
    mailbox.add(fresh)
    assert mailbox.unsent(TENANT, START, 9) == []
    assert mailbox.unsent(TENANT, START + timedelta(seconds=1), 9) == [(fresh, "waiting")]
    failed = replace(fresh, attempts=1)
    mailbox.retry(failed)
    assert mailbox.unsent(TENANT, START, 9) == [(failed, "waiting")]
    assert mailbox.unsent(Tenant("another"), START, 9) == []
    for state, known in (("given-up", [(failed, "given-up")]), ("settled", []), ("sent", [])):
        mailbox.close(failed, state)
        assert mailbox.unsent(TENANT, START, 9) == known


def hands_over(notifier: Notifier, received: Callable[[], int]) -> None:
    """Check that a channel delivers, once per call."""
    before = received()
    notifier.send(alert())
    assert received() == before + 1


def refuses_in_our_words(notifier: Notifier) -> None:
    """Check that a channel that cannot deliver says so as `Unavailable`."""
    assert _raises(Unavailable, lambda: notifier.send(alert()))


def _raises(kind: type[RingfenceError], act: Callable[[], object]) -> bool:
    try:
        act()
    except kind:
        return True
    return False
