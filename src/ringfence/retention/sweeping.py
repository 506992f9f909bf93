"""The sweeper: what is past its period is destroyed, class by class, in every tenant."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import Tenant
from ringfence.retention import deciding, statements
from ringfence.retention.model import Act, Class, Fate, Hold, Item, Outcome, Schedule
from ringfence.retention.ports import Source
from ringfence.retention.running import Runner

PER_RUN = 5_000  # items that one statement speaks of
RUNS_PER_TURN = 50
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep would do with a class now."""

    kind: Class
    due: tuple[Item, ...]
    held: int


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Use case: one turn over all tenants."""

    runner: Runner
    tenants: Callable[[], Sequence[Tenant]]

    def __call__(self) -> list[tuple[Outcome, Acknowledgement]]:
        """Finish what was cut off, then take what is due; one turn takes a bounded amount."""
        self.runner.resume()
        done: list[tuple[Outcome, Acknowledgement]] = []
        for tenant in self.tenants():
            done += self.sweep(tenant)
        return done

    def sweep(self, tenant: Tenant) -> list[tuple[Outcome, Acknowledgement]]:
        """Take what is due in one tenant."""
        schedule = self.runner.schedule()
        done: list[tuple[Outcome, Acknowledgement]] = []
        for plan in self.plans(tenant):
            rest = plan.due
            while rest and len(done) < RUNS_PER_TURN:
                batch, rest = rest[:PER_RUN], rest[PER_RUN:]
                stated = partial(statements.sweep_requested, one=plan.kind, items=len(batch), schedule=schedule)
                run = self.runner.begin(tenant, Act.SWEEP, plan.kind.name, batch, stated)
                done.append(self.runner.carry_out(run))
        return done

    def plans(self, tenant: Tenant, at: datetime | None = None) -> list[Plan]:
        """Return what a sweep would do now, or at another time, class by class."""
        schedule, now = self.runner.schedule(), at or self.runner.clock.now()
        holds = self.runner.in_force(tenant)
        return [self._plan(tenant, one, schedule, holds, now) for one in schedule.classes]

    def _plan(self, tenant: Tenant, one: Class, schedule: Schedule, holds: Sequence[Hold], now: datetime) -> Plan:
        before = now - timedelta(days=one.period)
        due: list[Item] = []
        held = 0
        for source in self.runner.sources:
            for item in _older(source, tenant, one, before):
                fate = deciding.judge(item, schedule, holds, Act.SWEEP, now).fate
                held += fate is Fate.HELD
                if fate is Fate.WANTED:
                    due.append(item)
                if len(due) >= PER_RUN * RUNS_PER_TURN:
                    return Plan(one, tuple(due), held)
        return Plan(one, tuple(due), held)


def _older(source: Source, tenant: Tenant, one: Class, before: datetime) -> Iterator[Item]:
    skip = 0
    while page := source.older(tenant, one.name, before, skip=skip, limit=_PAGE):
        yield from page
        skip += len(page)
