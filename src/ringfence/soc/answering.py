"""Answer findings: decide, write what is wanted, cut off, then state what came of it.

Rows first, so that a crash between decision and act loses nothing and repeats nothing that is not idempotent. But a
cut never waits for the database: where the rows cannot be written in time the act happens, is journalled by the
emergency path, and the rows follow.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import Conflict, RingfenceError, Unavailable
from ringfence.kernel.evidence import EmergencyRecorder, Recorder
from ringfence.kernel.identifier import Tenant
from ringfence.soc import alerts, statements
from ringfence.soc.action import Act, ActionKind, NodeFacts, Past, Ruling, State, Surroundings, Times
from ringfence.soc.model import Finding
from ringfence.soc.playbook import Playbook, wishes
from ringfence.soc.policy import Policy
from ringfence.soc.ports import (
    MAX_ATTEMPTS,
    Alert,
    Answered,
    Bounded,
    Findings,
    Hands,
    Observers,
    Policies,
    Raised,
    Responder,
    Ruled,
    Transaction,
)
from ringfence.soc.posting import Posting
from ringfence.soc.respond import STORM, decide, storm_of
from ringfence.soc.rows import answered_of, rows_of

MAX_UNSAVED = 10_000
MAX_REMEMBERED = 50_000
MAX_MOVED = 1000  # findings written in one sweep
AWAY = timedelta(seconds=1)  # a database that let one cut wait is not waited for by the next
AGAIN = timedelta(seconds=1)  # an attack that goes on is looked at once a second, not once a line
REMEMBERED = timedelta(days=7)  # how far back rulings are looked at: the longest block


@dataclass(frozen=True, slots=True)
class Sighting:
    """A finding as the watch hands it in, with what the transport and the host know about it."""

    tenant: Tenant
    finding: Finding
    node: NodeFacts | None
    around: Surroundings
    line_at: datetime  # when the last line was received
    found_at: datetime


@dataclass(slots=True)
class Memory:
    """What must be known even while the database is away; rebuilt from it at the start.

    The hands, and writes that took too long, touch `moved`, `unsaved`, `busy` and `away_until` as well, each in one
    step of a dictionary or a list; the rest belongs to the thread that decides.
    """

    past: dict[Tenant, list[Past]] = field(default_factory=dict)
    recalled: set[Tenant] = field(default_factory=set)  # whose past was read
    raised: dict[tuple[Tenant, str], Raised] = field(default_factory=dict)
    policies: dict[Tenant, Policy] = field(default_factory=dict)
    storms: dict[Tenant, Finding] = field(default_factory=dict)
    answered: dict[tuple[Tenant, str], datetime] = field(default_factory=dict)
    moved: dict[tuple[Tenant, str], Raised] = field(default_factory=dict)  # went on, and is not written yet
    unsaved: list[Callable[[], None]] = field(default_factory=list)
    busy: list[tuple[Tenant, str]] = field(default_factory=list)  # findings whose acts are under way, once per turn
    away_until: datetime | None = None


def at_once(_node: tuple[Tenant, str], work: Callable[[], None]) -> None:
    """Act where the decision was made, and let the next one wait."""
    work()


@dataclass(frozen=True, slots=True)
class Answers:
    """Answer one finding after the other; one thread calls this, and `hands` carry out what it has decided.

    Deciding is never shared, so that caps count exactly; acts for one node keep their order, those for several nodes
    need not wait for each other.
    """

    findings: Findings
    policies: Policies
    playbook: Playbook
    responder: Responder
    observers: Observers
    post: Posting
    recorder: Recorder
    emergency: EmergencyRecorder
    transaction: Transaction
    bounded: Bounded
    clock: Clock
    token: Callable[[], str]  # random, hexadecimal, 24 digits
    is_demo: Callable[[Tenant], bool]
    hands: Hands = at_once
    memory: Memory = field(default_factory=Memory)

    def answer(self, seen: Sighting) -> Answered | None:
        """Take a finding in and do what is to be done; None where an attack that goes on calls for nothing new."""
        now = self.clock.now()
        raised, place = self._raised(seen), (seen.tenant, seen.finding.id)
        self.memory.moved[place] = raised
        last = self.memory.answered.get(place)
        if last is not None and now - last < AGAIN:
            return None
        policy, past = self._policy(seen.tenant), self._past(seen.tenant)
        wished = wishes(seen.finding, self.playbook, policy, seen.node)
        response = decide(seen.finding, wished, policy, past, seen.node, seen.around, at=now)
        self.memory.answered[place] = now
        if response is None:
            return None
        answered = Answered(
            response, Times(seen.line_at, seen.found_at, now), tuple(act.wanted for act in response.acts)
        )
        past.extend(_past(raised, act, response.turn, now) for act in response.acts)
        rows = rows_of(raised.reference, answered)
        written = self._write(lambda: self._keep(raised, rows))
        done = self._hand_over(raised, answered, written=written)
        if response.storm:
            self._storm(seen, now)
        return done

    def _hand_over(self, raised: Raised, answered: Answered, *, written: bool) -> Answered:
        """Have it carried out and concluded; return how far it has come by then."""
        come = [answered]

        def work() -> None:
            come[0] = self._carry_out(raised, answered)
            self._conclude(raised, come[0], written=written)

        self._hand(raised, work)
        return come[0]

    def _hand(self, raised: Raised, work: Callable[[], None]) -> None:
        place = (raised.tenant, raised.reference)

        def whole() -> None:
            try:
                work()
            finally:
                self.memory.busy.remove(place)

        self.memory.busy.append(place)
        self.hands((raised.tenant, raised.node.node if raised.node else ""), whole)

    def raise_own(self, tenant: Tenant, finding: Finding, node: NodeFacts | None, *, nodes: int = 0) -> None:
        """Take in a finding of the watch about itself or about its own acts."""
        now = self.clock.now()
        self.answer(Sighting(tenant, finding, node, Surroundings(nodes=nodes), now, now))

    def _raised(self, seen: Sighting) -> Raised:
        key = (seen.tenant, seen.finding.id)
        known = self.memory.raised.get(key)
        if known is None:
            with suppress(Unavailable):
                known = self.findings.by_key(seen.tenant, seen.finding.id)
        if known is None:
            reference = f"f-{self.token()}"
            known = Raised(seen.tenant, reference, seen.finding, seen.node, seen.around.authenticated)
        raised = replace(known, finding=seen.finding, node=seen.node or known.node)
        if len(self.memory.raised) > MAX_REMEMBERED:  # whoever comes from very many addresses must not fill it
            self.memory.raised.clear()
            self.memory.answered.clear()
            self.memory.moved.clear()
        self.memory.raised[key] = raised
        return raised

    def _keep(self, raised: Raised, rows: Sequence[Ruled]) -> None:
        """Write finding and wanted acts in one transaction; the finding is stated once."""
        with self.transaction():
            self._put(raised, rows)
        self._written(raised)

    def _put(self, raised: Raised, rows: Sequence[Ruled]) -> None:
        known = self.findings.by_key(raised.tenant, raised.finding.id)
        if known is None:
            stated = self.recorder.record(statements.finding_raised(raised), tenant=raised.tenant)
            kept = replace(raised, statement=stated.envelope, noted=not raised.authenticated)
        else:  # its name is the one that is kept, also where that could not be looked up when it was seen again
            noted = known.noted and not (rows and raised.authenticated)
            kept = replace(raised, reference=known.reference, statement=known.statement, noted=noted)
        self.findings.put(kept)
        if rows:
            self.findings.rule_on(raised.tenant, [replace(row, finding=kept.reference) for row in rows])

    def _written(self, raised: Raised) -> None:
        place = (raised.tenant, raised.finding.id)
        newest = self.memory.moved.pop(place, raised)
        if newest is not raised:  # it went on while this was written
            self.memory.moved.setdefault(place, newest)

    def _write(self, write: Callable[[], None]) -> bool:
        """Write within the time that a cut can spare; keep for later what could not be written."""
        now, away = self.clock.now(), self.memory.away_until
        if away is None or now >= away:
            try:
                self.bounded(write)
            except RingfenceError:  # whatever it has against the rows, the act does not wait for them
                self.memory.away_until = now + AWAY
            else:
                return True
        self._later(write)
        return False

    def _later(self, write: Callable[[], None]) -> None:
        if len(self.memory.unsaved) < MAX_UNSAVED:
            self.memory.unsaved.append(write)

    def _carry_out(self, raised: Raised, answered: Answered) -> Answered:
        acts = answered.response.acts
        states = tuple(self._act(raised, act, answered.times.line) if act.contains else act.wanted for act in acts)
        states = tuple(
            State.DONE if act.kind is ActionKind.ALERT and act.ruling is Ruling.TAKE else state
            for act, state in zip(acts, states, strict=True)
        )
        timed = any(act.kind is not ActionKind.ALERT and act.ruling in {Ruling.TAKE, Ruling.WOULD} for act in acts)
        return replace(
            answered, states=states, times=replace(answered.times, acted=self.clock.now() if timed else None)
        )

    def _act(self, raised: Raised, act: Act, line_at: datetime) -> State:
        try:
            reason = f"{raised.finding.rule}: {act.reason.value}"
            if act.kind is ActionKind.BLOCK_KEY:
                self.responder.block_key(raised.tenant, act.target, because=reason, finding=raised.reference)
            elif act.kind is ActionKind.ISOLATE_NODE:
                self.responder.quarantine(
                    raised.tenant, act.target, reason=reason, finding=raised.reference, line_at=line_at
                )
            else:
                self.responder.block(raised.tenant, act.target, seconds=act.seconds, finding=raised.reference)
        except RingfenceError:
            return State.FAILED
        return State.DONE

    def _conclude(self, raised: Raised, done: Answered, *, written: bool) -> None:
        """State what came of it, put the alert into the box, tell the observers; none of it delays a cut."""
        if written and self._write(lambda: self._settle(raised, done)):
            self._note(raised, done)
            return
        if not written:
            self._later(lambda: self._settle(raised, done))
            self._journal(raised, done)
        if _alerts(done):
            self.post.urgently(self._alert(raised, done))

    def _journal(self, raised: Raised, done: Answered) -> None:
        """State a cut by the emergency path, where the database did not take it."""
        if any(act.contains for act in done.response.acts):
            draft = statements.response_decided(raised, done.response, done.times, done.states, emergency=True)
            with suppress(RingfenceError):
                self.bounded(lambda: _ignore(self.emergency.record(draft, tenant=raised.tenant)))

    def _alert(self, raised: Raised, done: Answered) -> Alert:
        return alerts.compose(raised, done, demo=self.is_demo(raised.tenant))

    def _settle(self, raised: Raised, done: Answered) -> None:
        with self.transaction():
            draft = statements.response_decided(raised, done.response, done.times, done.states)
            stated = self.recorder.record(draft, tenant=raised.tenant)
            for ruled in rows_of(raised.reference, done):
                self.findings.settle(raised.tenant, replace(ruled, attempts=1, statement=stated.envelope))
            if _alerts(done):
                self.post.add(self._alert(raised, done))

    def _note(self, raised: Raised, done: Answered) -> None:
        with suppress(RingfenceError):  # the sweep tells them again
            self.bounded(lambda: self._tell(raised, done))

    def _tell(self, raised: Raised, done: Answered) -> None:
        known = self.findings.by_key(raised.tenant, raised.finding.id) or raised  # it names its statement by now
        self.observers.consider(raised.tenant, known, done)
        with self.transaction():
            self.findings.put(replace(known, noted=True))

    def _storm(self, seen: Sighting, now: datetime) -> None:
        """Raise one finding for all that had to be left to a person."""
        policy, last = self._policy(seen.tenant), self.memory.storms.get(seen.tenant)
        if last is None or now - last.last_seen > policy.window:
            found = self.findings.page(seen.tenant, limit=1, rule=STORM) if last is None else []
            fresh = bool(found) and now - found[0].finding.last_seen <= policy.window
            last = found[0].finding if fresh else storm_of(seen.tenant, now)
        storm = replace(last, last_seen=now, count=last.count + 1)
        self.memory.storms[seen.tenant] = storm
        self.answer(Sighting(seen.tenant, storm, None, Surroundings(nodes=seen.around.nodes), seen.line_at, now))

    # Memory

    def _policy(self, tenant: Tenant) -> Policy:
        try:
            _, policy = self.policies.current(tenant)
        except Unavailable:
            return self.memory.policies.get(tenant, Policy())
        self.memory.policies[tenant] = policy
        return policy

    def _past(self, tenant: Tenant) -> list[Past]:
        since = self.clock.now() - REMEMBERED
        kept = self.memory.past.setdefault(tenant, [])
        if tenant not in self.memory.recalled:
            with suppress(Unavailable):
                kept[:0] = self.findings.past(tenant, since)
                self.memory.recalled.add(tenant)
        if kept and kept[0].at < since - timedelta(hours=1):
            kept[:] = [one for one in kept if one.at >= since]
        del kept[:-MAX_REMEMBERED]
        return kept

    # The sweep

    def sweep(self) -> None:
        """Finish what a crash or a missing database left: rows, acts, observers."""
        self._save()
        if self.memory.moved:
            self.bounded(self._keep_moved)
        busy = set(self.memory.busy)  # asked before the rows: what ends in between is looked at in the next sweep
        for tenant, reference in dict.fromkeys((tenant, one.finding) for tenant, one in self.findings.unfinished()):
            raised = self.findings.by_reference(tenant, reference)
            if raised is not None and (tenant, reference) not in busy:
                busy.add((tenant, reference))
                self._hand(raised, partial(self._finish, raised))
        for raised in self.findings.unnoted():
            if (raised.tenant, raised.reference) in busy:
                continue
            rulings = self.findings.rulings(raised.tenant, raised.reference)
            if rulings and all(ruled.state is not State.DESIRED for ruled in rulings):
                self._note(raised, answered_of(rulings))

    def _keep_moved(self) -> None:
        moved = list(self.memory.moved.values())[:MAX_MOVED]
        with self.transaction():
            for raised in moved:
                self._put(raised, ())
        for raised in moved:
            self._written(raised)

    def _save(self) -> None:
        waiting = [self.memory.unsaved.pop(0) for _ in range(len(self.memory.unsaved))]  # others may add meanwhile
        try:
            while waiting:
                with suppress(Conflict):  # it was written after all, only too late to say so
                    self.bounded(waiting[0])
                del waiting[0]
        except Unavailable:
            pass
        except RingfenceError:
            del waiting[0]  # it would be refused again
            raise
        finally:
            self.memory.unsaved[:0] = waiting

    def _finish(self, raised: Raised) -> None:
        """Carry out the wanted acts of a finding whose outcome is not written; acts are idempotent."""
        rulings = self.findings.rulings(raised.tenant, raised.reference)
        for turn in sorted({one.turn for one in rulings}):
            same = [one for one in rulings if one.turn == turn]
            if any(one.statement is None for one in same):
                done = self._carry_out(raised, answered_of(same))
                self.bounded(lambda done=done: self._settle(raised, done))  # type: ignore[misc]
                self._note(raised, done)
            else:
                self._try_again(raised, same)

    def _try_again(self, raised: Raised, rulings: Sequence[Ruled]) -> None:
        for one in rulings:
            if one.act.contains and one.state is State.FAILED:
                state, attempts = self._act(raised, one.act, one.times.line), one.attempts + 1
                given_up = state is State.FAILED and attempts >= MAX_ATTEMPTS
                kept = replace(one, state=State.WAITING if given_up else state, attempts=attempts)
                self.bounded(lambda kept=kept: self._resettle(raised.tenant, kept))  # type: ignore[misc]

    def _resettle(self, tenant: Tenant, ruled: Ruled) -> None:
        with self.transaction():
            self.findings.settle(tenant, ruled)


def _ignore(_result: object) -> None:
    """Turn a call with a result into one without."""


def _past(raised: Raised, act: Act, turn: int, at: datetime) -> Past:
    until = at + timedelta(seconds=act.seconds) if act.seconds else None
    return Past(raised.finding.id, act.kind, act.target, act.ruling, at, until, turn)


def _alerts(done: Answered) -> bool:
    alert = done.response.act(ActionKind.ALERT)
    return alert is not None and alert.ruling is Ruling.TAKE
