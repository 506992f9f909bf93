"""The sweeper: what is past its period is destroyed, class by class, in every tenant."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from ringfence.kernel.errors import RingfenceError
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import Tenant
from ringfence.retention import deciding, statements
from ringfence.retention.model import Act, Class, Fate, Hold, Item, Outcome, Run, Schedule
from ringfence.retention.ports import Source
from ringfence.retention.running import Runner
from ringfence.retention.troubles import Troubles

PER_RUN = 5_000  # items that one statement speaks of
RUNS_PER_TURN = 50
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep would do with a class now."""

    kind: Class
    due: tuple[Item, ...]
    held: int
    unreadable: Mapping[str, str]  # items of which nobody can say how old they are, and places; and why


Done = list[tuple[Outcome, Acknowledgement]]


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Use case: one turn over all tenants. What fails keeps nothing else from being done, and is tried again."""

    runner: Runner
    tenants: Callable[[], Sequence[Tenant]]
    troubles: Troubles = field(default_factory=Troubles)

    def __call__(self) -> Done:
        """Finish what was cut off, then take what is due; one turn takes a bounded amount.

        Raises:
            Refused: the team's own periods are refused: then nothing is swept.
        """
        self._check_periods()
        unfinished = self.runner.runs.unfinished()
        done: Done = []
        for tenant in self.tenants():
            with self._met(tenant) as met:
                done += self._carried_out([run for run in unfinished if run.tenant == tenant], met)
                done += self._swept(tenant, met)
        return done

    def sweep(self, tenant: Tenant) -> Done:
        """Take what is due in one tenant; raise `Refused` where the team's own periods are refused."""
        self._check_periods()
        with self._met(tenant) as met:
            return self._swept(tenant, met)

    def _check_periods(self) -> None:
        with self._met(None) as met:
            try:
                self.runner.schedule(None)
            except RingfenceError as error:
                met["periods"] = str(error)
                raise

    @contextmanager
    def _met(self, tenant: Tenant | None) -> Iterator[dict[str, str]]:
        met: dict[str, str] = {}
        try:
            yield met
        finally:
            self.troubles.met(tenant, met, self.runner.clock.now())

    def _swept(self, tenant: Tenant, met: dict[str, str]) -> Done:
        done: Done = []
        try:
            schedule, pending = self.runner.schedule(tenant), self.runner.runs.pending(tenant)
            for plan in self.plans(tenant):
                met |= plan.unreadable
                rest = [item for item in plan.due if (item.source, item.key) not in pending]
                while rest and len(done) < RUNS_PER_TURN:
                    batch, rest = rest[:PER_RUN], rest[PER_RUN:]
                    stated = partial(statements.sweep_requested, one=plan.kind, items=len(batch), schedule=schedule)
                    run = self.runner.begin(tenant, Act.SWEEP, plan.kind.name, batch, stated)
                    done += self._carried_out([run], met)
        except RingfenceError as error:
            met["sweep"] = str(error)
        return done

    def _carried_out(self, runs: Sequence[Run], met: dict[str, str]) -> Done:
        done: Done = []
        for run in runs:
            try:
                done.append(self.runner.carry_out(run))
            except RingfenceError as error:
                met[run.id] = str(error)
        return done

    def plans(self, tenant: Tenant, at: datetime | None = None) -> list[Plan]:
        """Return what a sweep would do now, or at another time, class by class."""
        schedule, now = self.runner.schedule(tenant), at or self.runner.clock.now()
        holds = self.runner.in_force(tenant)
        return [self._plan(tenant, one, schedule, holds, now) for one in schedule.classes]

    def _plan(self, tenant: Tenant, one: Class, schedule: Schedule, holds: Sequence[Hold], now: datetime) -> Plan:
        before = now - timedelta(days=one.period)
        due: list[Item] = []
        held, unreadable = 0, dict[str, str]()
        for source in self.runner.sources:
            for item in _older(source, tenant, one, before, unreadable):
                fate = deciding.judge(item, schedule, holds, Act.SWEEP, now).fate
                held += fate is Fate.HELD
                if fate is Fate.WANTED:
                    due.append(item)
                if len(due) >= PER_RUN * RUNS_PER_TURN:
                    return Plan(one, tuple(due), held, unreadable)
        return Plan(one, tuple(due), held, unreadable)


def _older(source: Source, tenant: Tenant, one: Class, before: datetime, unreadable: dict[str, str]) -> Iterator[Item]:
    """Yield what can be read; note what cannot."""
    skip = 0
    try:
        while page := source.older(tenant, one.name, before, skip=skip, limit=_PAGE):
            unreadable |= {f"{source.name} {item.key}": item.unreadable for item in page if item.unreadable}
            yield from (item for item in page if not item.unreadable)
            skip += len(page)
    except RingfenceError as error:
        unreadable[f"{source.name} {one.name}"] = str(error)
