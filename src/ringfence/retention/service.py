"""Use cases of retention: show what is kept and why, place holds and release them, say what became of details."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.retention import deciding, statements
from ringfence.retention.erasing import Erasing, check_reason
from ringfence.retention.model import DETAILS, Act, Class, ClassName, Fate, Hold, HoldId, Schedule, Scope, Tally
from ringfence.retention.running import Runner
from ringfence.retention.sweeping import Sweeper

MAX_HOLDS = 1000  # in force, per tenant


@dataclass(frozen=True, slots=True)
class Kept:
    """A class as a page shows it."""

    kind: Class
    tally: Tally
    due: int
    held: int


@dataclass(frozen=True, slots=True)
class Retention:
    """What front ends and the loop call."""

    runner: Runner
    sweeper: Sweeper
    erasing: Erasing
    known_as: Callable[[Tenant, PersonId], frozenset[str]]

    def schedule(self, tenant: Tenant) -> Schedule:
        """Return classes and periods of a tenant; raise where the team's own are refused."""
        return self.runner.schedule(tenant)

    def overview(self, tenant: Tenant) -> list[Kept]:
        """Return what is kept of each class, and what the next sweep would take."""
        found: dict[ClassName, Tally] = {}
        for source in self.runner.sources:
            for kind, tally in source.tally(tenant).items():
                found[kind] = _sum(found.get(kind, Tally()), tally)
        plans = self.sweeper.plans(tenant)
        return [Kept(plan.kind, found.get(plan.kind.name, Tally()), len(plan.due), plan.held) for plan in plans]

    def one(self, tenant: Tenant, name: str) -> Kept:
        """Return one class."""
        for kept in self.overview(tenant):
            if kept.kind.name == name:
                return kept
        raise NotFound(f"there is no class {name[:80]}; see `ringfence retention list`")

    def holds(self, tenant: Tenant) -> Sequence[Hold]:
        """Return every hold, the newest first; released ones included."""
        return self.runner.holds.all(tenant)

    def place(self, by: Person, scope: Scope, because: str) -> tuple[Hold, Acknowledgement]:
        """Keep what a scope names until the hold is released; a sweep that runs meanwhile respects it."""
        check_reason(because)
        if scope.empty:
            raise MalformedInput("a hold names a person, an incident, a kind of statement or a time")
        if scope.start and scope.end and scope.end < scope.start:
            raise MalformedInput("the hold ends before it begins")
        names = self.known_as(by.tenant, PersonId(scope.person)) if scope.person else frozenset[str]()
        hold = Hold(HoldId(f"hold-{self.runner.draw()}"), by.tenant, scope, by.id, self.runner.clock.now(), names)
        with self.runner.transaction():
            if len(self.runner.in_force(by.tenant)) >= MAX_HOLDS:
                raise Conflict(f"a tenant has at most {MAX_HOLDS} holds; release some")
            self.runner.holds.add(hold)
            done = self.runner.recorder.record(statements.hold_placed(hold, because), tenant=by.tenant)
        return hold, self.runner.publication.published(done.envelope)

    def release(self, by: Person, name: HoldId, because: str) -> Acknowledgement:
        """End a hold; what is past its period goes with the next sweep."""
        check_reason(because)
        hold = self.runner.holds.by_id(by.tenant, name)
        if hold is None:
            raise NotFound(f"there is no hold {name}; see `ringfence retention list`")
        with self.runner.transaction():
            if not self.runner.holds.release(hold, by.id, self.runner.clock.now()):
                raise Conflict(f"{name} was released already")
            done = self.runner.recorder.record(statements.hold_released(hold, by, because), tenant=by.tenant)
        return self.runner.publication.published(done.envelope)

    def fate(self, tenant: Tenant, commitment: Digest) -> str:
        """Say what became of the details behind a commitment, or until when they stay; nothing where nobody knows."""
        if erased := self.runner.runs.erased(tenant, commitment):
            why = "because their period was over" if erased.act is Act.SWEEP else "because somebody asked for it"
            return f"Details erased on {_day(erased.at)}, {why}."
        found = self.runner.source(DETAILS).load(tenant, [commitment.hex])
        if not found:
            return ""
        holds, now = self.runner.in_force(tenant), self.runner.clock.now()
        verdict = deciding.judge(found[0], self.schedule(tenant), holds, Act.SWEEP, now)
        match verdict.fate:
            case Fate.HELD:
                return f"Details kept: {verdict.because}."
            case Fate.KEPT if verdict.until:
                return f"Details kept until {_day(verdict.until)}: {verdict.because}."
            case _:
                return f"Details go with the next sweep: {verdict.because}."

    def last_sweep(self, tenant: Tenant) -> datetime | None:
        """Return when something was swept last."""
        return self.runner.runs.last(tenant)


def _day(at: datetime) -> str:
    return to_text(at)[:10]


def _sum(one: Tally, other: Tally) -> Tally:
    times = [at for at in (one.oldest, other.oldest) if at is not None]
    return Tally(one.count + other.count, min(times, default=None))
