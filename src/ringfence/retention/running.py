"""Carry out what was stated: look again at each item under the holds of this moment, destroy it, state how it ended.

Whatever kills the process, the next turn goes on where it stopped: the list is in the database, and what became of an
item is written in the transaction that destroys it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import InternalError, RingfenceError, Unavailable
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft
from ringfence.retention import deciding, statements
from ringfence.retention.model import Act, ClassName, Fate, Hold, Item, Outcome, Run, RunId, Schedule
from ringfence.retention.ports import Holds, Runs, Source

BATCH = 200  # items whose destruction one transaction decides

Stuck = dict[tuple[str, str], str]  # source and key of items that cannot be destroyed now, and why


@dataclass(frozen=True, slots=True)
class Runner:
    """Begin, carry out and finish runs."""

    sources: Sequence[Source]
    schedule: Callable[[Tenant | None], Schedule]  # of a tenant; of none: without what a tenant chose
    holds: Holds
    runs: Runs
    recorder: Recorder
    publication: Publication
    transaction: Callable[[], AbstractContextManager[None]]
    clock: Clock
    draw: Callable[[], str]  # twelve hexadecimal digits
    scrub: Callable[[], object]  # of what the database keeps of deleted rows beside itself

    def begin(
        self, tenant: Tenant, act: Act, kind: ClassName | None, items: Sequence[Item], draft: Callable[[RunId], Draft]
    ) -> Run:
        """Write and state what is to be destroyed; return once that is published."""
        name = RunId(f"run-{self.draw()}")
        with self.transaction():
            asked = self.recorder.record(draft(name), tenant=tenant)
            run = Run(name, tenant, act, kind, asked.envelope, self.clock.now())
            self.runs.add(run, items)
        return run

    def carry_out(self, run: Run) -> tuple[Outcome, Acknowledgement]:
        """Destroy what is still to be, and state it.

        Raises:
            Unavailable: some items cannot be destroyed now; the others are, and the run is not over.
        """
        self.publication.published(run.requested)  # what cannot be undone waits for its own announcement
        stuck: Stuck = {}
        while self._batch(run, stuck):
            pass
        if stuck:
            first = next(iter(stuck.values()))
            raise Unavailable(
                f"{len(stuck)} of the items of {run.id} cannot be destroyed, and will be tried again: {first}"
            )
        with self.transaction():
            outcome = self.runs.outcome(run)
            draft = statements.swept(outcome) if run.act is Act.SWEEP else statements.erased(outcome)
            done = self.recorder.record(draft, tenant=run.tenant)
            self.runs.finish(run, self.clock.now())
        self.scrub()
        return outcome, self.publication.published(done.envelope)

    def _batch(self, run: Run, stuck: Stuck) -> bool:
        """Decide and destroy some items in one transaction: a hold that is placed meanwhile comes before or after."""
        schedule = self.schedule(run.tenant)
        with self.transaction():
            listed = self.runs.waiting(run, BATCH + len(stuck))
            waiting = [item for item in listed if (item.source, item.key) not in stuck]
            holds, now = self.in_force(run.tenant), self.clock.now()

            def judged(item: Item) -> Fate:
                return deciding.judge(item, schedule, holds, run.act, now).fate

            fates: list[tuple[Item, Fate]] = []
            for name in sorted({item.source for item in waiting}):
                mine = [item for item in waiting if item.source == name]
                fates += _decided_apart(run.tenant, self.source(name), mine, judged, stuck)
            self.runs.settle(run, fates, now)
        return bool(waiting)

    def in_force(self, tenant: Tenant) -> list[Hold]:
        """Return the holds of a tenant that were not released."""
        return [hold for hold in self.holds.all(tenant) if hold.released_at is None]

    def source(self, name: str) -> Source:
        """Return the source of a name."""
        for source in self.sources:
            if source.name == name:
                return source
        raise InternalError(f"a run of retention speaks of {name!r}, and no source is called so")


def _decided_apart(
    tenant: Tenant, source: Source, waiting: Sequence[Item], judged: Callable[[Item], Fate], stuck: Stuck
) -> list[tuple[Item, Fate]]:
    """Decide items together; where that fails each alone, so that one that is damaged keeps no other from going."""
    try:
        return _decided(tenant, source, waiting, judged)
    except RingfenceError as error:
        if len(waiting) == 1:
            stuck[source.name, waiting[0].key] = str(error)
            return []
    return [each for item in waiting for each in _decided_apart(tenant, source, [item], judged, stuck)]


def _decided(
    tenant: Tenant, source: Source, waiting: Sequence[Item], judged: Callable[[Item], Fate]
) -> list[tuple[Item, Fate]]:
    here = {item.key: item for item in source.load(tenant, [item.key for item in waiting])}
    fates = {key: judged(item) for key, item in here.items()}
    source.destroy(tenant, [item for key, item in here.items() if fates[key] is Fate.WANTED])
    return [(item, _became(fates.get(item.key))) for item in waiting]


def _became(fate: Fate | None) -> Fate:
    """Return what became of an item; one that is not here any more was destroyed before we were cut off."""
    return Fate.DESTROYED if fate in {None, Fate.WANTED} else Fate(fate)


def counted(fates: Sequence[Fate]) -> Mapping[Fate, int]:
    """Count fates."""
    return {fate: fates.count(fate) for fate in Fate if fate in fates}
