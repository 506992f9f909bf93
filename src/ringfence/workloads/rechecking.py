"""Look again, while a model is served, at the bytes that its engine has: hashed on the node, compared here.

A difference is contained first, by the means that there are: the node is cut off and callers are refused; then it is
stated. What a node says about itself is its own word: whoever is root there can lie. The kernel's seals, and a digest
that nobody on the node can make fit other bytes, are what an honest node shows.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringfence.gateway import statements as gateway
from ringfence.gateway.model import DeploymentState
from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, RingfenceError
from ringfence.kernel.evidence import TRUSTED, Recorder
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.ledger.model import LoggedStatement
from ringfence.ledger.service import Ledger
from ringfence.soc.faults import ENGINE_CHANGED, Fault
from ringfence.workloads import shipping
from ringfence.workloads.enginefile import Engine
from ringfence.workloads.keeping import Keeping
from ringfence.workloads.shipping import Seen

RECHECKED = PredicateName("deployment.rechecked")
EVERY = timedelta(hours=6)  # between two looks at the same engine
LOOK_EVERY = 60.0  # seconds between turns; each looks at one engine at most
RATE = 64 * 2**20  # bytes a second: a few hundredths of a processor
SLACK = 120.0  # seconds on top of what the rate takes
LARGEST = 2**40
SAME, CHANGED, SILENT = "same", "changed", "silent"


@dataclass(slots=True)
class Looked:
    """When this process looked at each engine last; the log knows about the time before."""

    at: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rechecking:
    """The turns that look again."""

    keeping: Keeping
    log: Ledger
    recorder: Recorder
    transaction: Callable[[], AbstractContextManager[None]]
    clock: Clock
    rate: int = RATE
    looked: Looked = field(default_factory=Looked)

    def turn(self) -> str:
        """Look at the engine that was looked at longest ago, if it is due; return what came of it."""
        engine = self._due()
        return "" if engine is None else self.look(engine)

    def look(self, engine: Engine) -> str:
        """Look at one engine now, contain a difference, and state what was seen."""
        self.looked.at[engine.key] = self.clock.now()
        started = self.started(engine)
        if started is None:
            return ""
        expected = Digest.parse(started.envelope.statement.claims["weights"])
        seen, because = self._seen(engine, started)
        outcome = outcome_of(expected, seen)
        try:
            if outcome == CHANGED:
                because = f"the engine {engine.name} has other bytes than were verified, or its memory is not sealed"
                self._contain(engine, because)
        finally:  # also where the node could not be cut off: nothing serves there any more that is looked at again
            with self.transaction():
                self.recorder.record(draft(engine, started, expected, seen, because), tenant=engine.tenant)
        return outcome

    def _seen(self, engine: Engine, started: LoggedStatement) -> tuple[Seen | None, str]:
        node = self.keeping.compute.desk.fetch(engine.node)
        size = started.envelope.statement.claims.get("bytes", 0)
        timeout = SLACK + 2 * (size if isinstance(size, int) and size else 2**34) / self.rate
        try:
            shell = self.keeping.shells(engine.caller, node)
            return shipping.recheck(shell, engine.name, rate=self.rate, timeout=timeout), ""
        except RingfenceError as error:
            return None, str(error)[:500]

    def _contain(self, engine: Engine, because: str) -> None:
        """Cut the node off first, then refuse callers; the second happens also where the first fails."""
        try:
            self.keeping.compute.quarantine(engine.tenant, engine.node, reason=because)
        finally:
            self.keeping.gateway.failed(engine.tenant, engine.name, because=because)

    def _due(self) -> Engine | None:
        now = self.clock.now()
        serving = [engine for engine in self.keeping.files.all() if engine.port and self._serves(engine)]
        waiting = sorted(serving, key=lambda engine: self._last(engine, now))
        return waiting[0] if waiting and now - self._last(waiting[0], now) >= EVERY else None

    def _last(self, engine: Engine, now: datetime) -> datetime:
        """Return when it was looked at last; one that was started meanwhile was hashed then."""
        if engine.key not in self.looked.at:
            started = self.started(engine)
            self.looked.at[engine.key] = started.recorded_at if started else now
        return self.looked.at[engine.key]

    def _serves(self, engine: Engine) -> bool:
        try:
            known = self.keeping.gateway.deployment(engine.tenant, engine.name)
        except NotFound:
            return False
        return known.state is DeploymentState.SERVING and known.node == engine.node

    def started(self, engine: Engine) -> LoggedStatement | None:
        """Return the newest statement that this engine came to serve, with the digest of what it was given."""
        found = None
        for one in self.log.statements(engine.tenant, (gateway.STARTED,)):
            claims = one.envelope.statement.claims
            if one.standing == TRUSTED and (claims.get("deployment"), claims.get("node")) == (engine.name, engine.node):
                found = one
        return found if found is not None and _digest(found.envelope.statement.claims.get("weights")) else None


def outcome_of(expected: Digest, seen: Seen | None) -> str:
    """Return what a look came to; an engine without the sealed file is another one than was started."""
    if seen is None:
        return SILENT
    return SAME if seen.sealed and seen.measured == str(expected) else CHANGED


def draft(engine: Engine, started: LoggedStatement, expected: Digest, seen: Seen | None, because: str) -> Draft:
    """State what was seen, about the deployment as its start named it."""
    claims = {
        "deployment": engine.name,
        "node": engine.node,
        "outcome": outcome_of(expected, seen),
        "expected": str(expected),
        "measured": seen.measured if seen else "",
        "sealed": bool(seen and seen.sealed),
        "bytes": min(seen.bytes, LARGEST) if seen else 0,
        "processorMilliseconds": seen.milliseconds if seen else 0,
    }
    (subject,) = started.envelope.statement.subjects[:1]
    about = Subject(subject.name, subject.digest)
    return Draft(RECHECKED, (about,), claims, Strength.OBSERVED, {"because": because} if because else {})


@dataclass(frozen=True, slots=True)
class ChangedEngines:
    """`soc.ports.Faults` over the log: engines that were seen with other bytes, until one is started in their place."""

    tenants: Callable[[], Iterable[Tenant]]
    log: Callable[[Tenant, Sequence[PredicateName]], Iterable[LoggedStatement]]

    def __call__(self) -> list[Fault]:
        """Return what was seen, and is not over."""
        return [fault for tenant in self.tenants() for fault in self._of(tenant)]

    def _of(self, tenant: Tenant) -> Iterator[Fault]:
        changed: dict[str, LoggedStatement] = {}
        for one in self.log(tenant, (gateway.STARTED, RECHECKED)):
            claims = one.envelope.statement.claims
            name = str(claims.get("deployment"))
            if one.envelope.statement.predicate == gateway.STARTED:
                changed.pop(name, None)
            elif claims.get("outcome") == CHANGED and one.standing == TRUSTED:
                changed.setdefault(name, one)
        for name, one in changed.items():
            node = one.envelope.statement.claims.get("node")
            because = f"{name} on node {node} (entry {one.entry}); callers are refused, and the node is cut off"
            yield Fault(ENGINE_CHANGED, tenant, f"{name} {one.entry}", one.recorded_at, because)


def _digest(value: object) -> Digest | None:
    try:
        return Digest.parse(value)
    except MalformedInput:
        return None
