"""Cut nodes off and keep them cut off. It acts first: no step before the cut waits for the database.

The order, and why (docs/decisions/0015-quarantine.md):

1. the wish, durably, on reserved disk beside the database;
2. volatile evidence, for at most its budget of seconds;
3. the cut, by the provider, outside the guest where the class allows it;
4. the probe of every path that must be closed;
5. the statements, through the emergency journal: requested, collected, confirmed or failed;
6. the rows. Whoever dies between two steps is followed by `hold`, which goes through the same steps again.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from ringfence.compute import forensics, statements
from ringfence.compute import quarantine as rules
from ringfence.compute.desk import Desk
from ringfence.compute.model import Containment, Evidence, Intent, Node, NodeId, Quarantine, Quarantined
from ringfence.compute.ports import Intents, Locker, Stated
from ringfence.compute.quarantine import FOUND_CUT_OFF, Hold, Known, Wish
from ringfence.kernel.errors import NotFound, RingfenceError, Unavailable
from ringfence.kernel.evidence import EmergencyRecorder
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft

_SALT_SIZE = 32


@dataclass(frozen=True, slots=True)
class Collected:
    """Evidence as it lies in memory until the cut is made; only then is it written."""

    items: Mapping[str, bytes]
    salt: bytes
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Containing:
    """The use cases of cutting off and holding."""

    desk: Desk
    emergency: EmergencyRecorder
    intents: Intents
    locker: Locker
    stated: Stated
    budget: float = forensics.BUDGET_SECONDS
    _waiting: dict[NodeId, Collected] = field(default_factory=dict)

    def quarantine(self, tenant: Tenant, node: NodeId, wish: Wish) -> Quarantined:
        """Cut a node off, or say that it is; raise only where there is no such node."""
        with self.desk.exclusive.containing(node):
            found = self.desk.fetch(node)
            if found.tenant != tenant:
                raise NotFound(f"no node {node} is known here")
            intent = self._intents().get(node, Intent(0))
            known = self.desk.quarantine(found)
            hold = rules.enter(found, known, wish, self.desk.now(), number=intent.number)
            if not hold.fresh and found.containment is Containment.QUARANTINED:
                return outcome(hold)
            return outcome(self._carry_out(hold))

    def hold(self, *, first: bool = False) -> list[str]:
        """See that every node is cut off that must be; with `first`, even where nothing seems to be missing.

        Returns:
            What could not be done, a sentence each.
        """
        problems: list[str] = []
        isolated = self._isolated(problems)
        intents = self._intents()
        for node in self.desk.all():
            known = Known(node, intents.get(node.id, Intent(0)).number, node.id in isolated)
            if first or known.intent or known.isolated or node.cut_off:
                with collected_problems(problems):
                    self._settle(node, first=first)
        return problems

    def _settle(self, node: Node, *, first: bool) -> None:
        with self.desk.exclusive.containing(node.id):
            found = self.desk.fetch(node.id)  # it may have changed while somebody else had it
            intent = self._intents().get(node.id, Intent(0))
            known = Known(found, intent.number, node.id in self.desk.provider(found).isolated())
            if rules.is_stale(known):
                self.intents.drop(node.id, known.intent)
            elif rules.must_hold(known):
                self._assert(known, intent, first=first)

    def _assert(self, known: Known, intent: Intent, *, first: bool) -> None:
        node = known.node
        confirmed = node.containment is Containment.QUARANTINED and node.quarantine >= intent.number
        if confirmed and known.isolated and not first:
            return
        if confirmed and (known.isolated or node.ended):
            self.desk.provider(node).isolate(node.id)
            return
        if confirmed:
            self._found_open(node)
            return
        wish = Wish(FOUND_CUT_OFF if not intent.number else "", intent.finding, intent.by)
        current = self.desk.quarantine(node) if node.quarantine >= intent.number else None
        self._carry_out(rules.enter(node, current, wish, self.desk.now(), number=intent.number))

    def _found_open(self, node: Node) -> None:
        """A node that was confirmed is not cut off any more at the provider: say so, cut again, confirm anew."""
        known = self.desk.quarantine(node) or Quarantine(
            node.id, node.tenant, node.quarantine, "", "", "", self.desk.now()
        )
        opened = rules.unconfirmed(Hold(node, known, fresh=False), "found open after it had been confirmed")
        hold = self._probe(self._cut(replace(opened, quarantine=replace(opened.quarantine, cut_at=None))))
        self._record(node, statements.quarantine_failed(node, opened.quarantine))
        if hold.node.containment is Containment.QUARANTINED:
            self._record(node, statements.confirmed(node, hold.quarantine, self.desk.now()))
        self._save(hold)

    def _carry_out(self, hold: Hold) -> Hold:
        node, number = hold.node, hold.quarantine.number
        done = self.desk.remembered(node.id, number)
        if done is not None and done.confirmed_at and node.id in self.desk.provider(node).isolated():
            held = replace(hold, node=replace(node, containment=Containment.QUARANTINED), quarantine=done)
            return self._save(held)  # all is done, but the database would not take it
        with suppress(RingfenceError):  # the provider keeps the cut as well; a wish that is not kept delays nothing
            self.intents.add(node.id, Intent(number, hold.quarantine.finding, hold.quarantine.by))
        collected = self._waiting.get(node.id) or (None if hold.quarantine.evidence else self._collect(node))
        hold = self._probe(self._cut(hold))
        if collected is not None:
            self._waiting[node.id] = collected
            hold = self._kept(hold, collected)
        return self._save(self._state(hold))

    def _collect(self, node: Node) -> Collected | None:
        provider, start, seconds = self.desk.provider(node), self.desk.now(), min(self.budget, forensics.MAX_SECONDS)
        before = node.id not in _or_nothing(provider.isolated)
        try:
            items = forensics.trimmed(provider.collect(node.id, seconds=seconds))
        except RingfenceError:
            return None  # losing evidence is worse than having it, and better than a node that is not cut off
        salt, took = self.desk.random(_SALT_SIZE), statements.millis(start, self.desk.now())
        return Collected(items, salt, forensics.chain(items, salt, before_cut=before, milliseconds=took))

    def _cut(self, hold: Hold) -> Hold:
        try:
            isolation = self.desk.provider(hold.node).isolate(hold.node.id)
        except RingfenceError as error:
            return rules.unconfirmed(hold, str(error))
        return rules.cut(hold, isolation, self.desk.now())

    def _probe(self, hold: Hold) -> Hold:
        if hold.quarantine.cut_at is None:
            return hold
        try:
            probes = self.desk.provider(hold.node).probe(hold.node.id)
        except RingfenceError as error:
            return rules.unconfirmed(hold, str(error))
        return rules.judge(hold, probes, self.desk.now())

    def _kept(self, hold: Hold, collected: Collected) -> Hold:
        """Write the evidence down, now that the cut has been tried, and state it."""
        kept = True
        try:
            self.locker.keep(hold.node.id, hold.quarantine.number, collected.items, collected.salt)
        except RingfenceError:
            kept = False
        with suppress(RingfenceError):  # it waits in memory for the next attempt
            self._once(hold, statements.quarantine_requested(hold.node, hold.quarantine))
            if self._once(hold, statements.collected(hold.node, hold.quarantine, collected.evidence, kept=kept)):
                chain = str(collected.evidence.chain)
                hold = replace(hold, quarantine=replace(hold.quarantine, evidence=chain))
            self._waiting.pop(hold.node.id, None)
        return hold

    def _state(self, hold: Hold) -> Hold:
        """State what was done; a quarantine that cannot be stated anywhere is not confirmed."""
        try:
            self._once(hold, statements.quarantine_requested(hold.node, hold.quarantine))
            if hold.node.containment is Containment.QUARANTINED:
                at = hold.quarantine.confirmed_at or self.desk.now()
                self._once(hold, statements.confirmed(hold.node, hold.quarantine, at))
            else:
                self._once(hold, statements.quarantine_failed(hold.node, hold.quarantine))
        except RingfenceError as error:
            return rules.unconfirmed(hold, f"cut off, but not recorded: {error}")
        return hold

    def _once(self, hold: Hold, draft: Draft) -> bool:
        """State something of a quarantine, unless it was; return whether that was now."""
        try:
            known = self.stated(hold.node.tenant, draft.predicate, hold.node.id, hold.quarantine.number)
        except Unavailable:
            known = False
        if not known:
            self._record(hold.node, draft)
        return not known

    def _record(self, node: Node, draft: Draft) -> None:
        self.emergency.record(draft, tenant=node.tenant)

    def _save(self, hold: Hold) -> Hold:
        self.desk.remember(hold.node, hold.quarantine)
        with suppress(Unavailable), self.desk.transaction():  # the wish beside the database brings us back here
            self.desk.contain(hold.node, hold.quarantine)
            for asked in self.desk.nodes.releases(hold.node.id, hold.quarantine.number - 1):
                if asked.state in rules.PENDING:
                    self.desk.nodes.put_release(rules.voided(asked))
        return hold

    def _intents(self) -> Mapping[NodeId, Intent]:
        try:
            return self.intents.all()
        except RingfenceError:
            return {}

    def _isolated(self, problems: list[str]) -> frozenset[NodeId]:
        found: set[NodeId] = set()
        for provider in self.desk.providers.values():
            with collected_problems(problems):
                found |= provider.isolated()
        return frozenset(found)


def outcome(hold: Hold) -> Quarantined:
    """Return what a wish has come to."""
    known, node = hold.quarantine, hold.node
    took = None
    if known.triggered_at is not None and known.confirmed_at is not None:
        took = statements.millis(known.triggered_at, known.confirmed_at)
    return Quarantined(
        node=node.id,
        name=node.spec.name,
        number=known.number,
        confirmed=node.containment is Containment.QUARANTINED,
        kind=known.kind,
        fresh=hold.fresh,
        micros=known.micros,
        milliseconds=took,
        because=known.because,
    )


@contextmanager
def collected_problems(problems: list[str]) -> Iterator[None]:
    """Note what went wrong with one node, and let the others have their turn."""
    try:
        yield
    except RingfenceError as error:
        problems.append(str(error))


def _or_nothing(isolated: Callable[[], frozenset[NodeId]]) -> frozenset[NodeId]:
    try:
        return isolated()
    except RingfenceError:
        return frozenset()
