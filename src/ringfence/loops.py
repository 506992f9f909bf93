"""The loops of a running installation: threads that call the services again."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ringfence.app import Services
from ringfence.compute.reconcile import INTERVAL_SECONDS
from ringfence.kernel.errors import RingfenceError
from ringfence.soc.worker import Watching
from ringfence.workloads.keeping import EVERY
from ringfence.workloads.wires import rounds

INTEGRATE_EVERY = 0.5  # seconds: a statement counts at most a second after it was sequenced
COLLECT_EVERY = 3600.0  # seconds: the shortest freshness of a collector's requirement is a day
CLOCKS_EVERY = 5.0  # seconds: a deadline is hours away, and must not be minutes late
SEGMENTS_EVERY = 1.0  # seconds: a receipt can be fetched a few seconds after its answer ended
CONFIRM_EVERY = 1.0  # seconds: to look whether keys and routes have to be confirmed; that is a quarter of their life
PULSE_EVERY = 5.0  # seconds
ANCHOR_EVERY = 1.0  # seconds: to look whether somebody is to be asked; each is asked every ten seconds at the most
EXPLORE_EVERY = 1.0  # seconds: who searches takes in what came since, so that it need not be sooner
RETAIN_EVERY = 3600.0  # seconds: periods are days
STOP_WITHIN = 30.0  # seconds for a loop to finish the turn that it is in

_log = logging.getLogger(__name__)


class Loop(threading.Thread):
    """Take a turn now and every so often until stopped; an error is logged, since the next turn may find it gone."""

    def __init__(self, name: str, turn: Callable[[], object], *, every: float) -> None:
        super().__init__(name=name, daemon=True)
        self.turn = turn
        self.every = every
        self.stopped = threading.Event()

    def run(self) -> None:
        """Take a turn at once, and more until stopped."""
        while not self.stopped.is_set():
            try:
                self.turn()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next turn must still come
                _log.warning(
                    "the loop %s will try again: %s", self.name, error, exc_info=not isinstance(error, RingfenceError)
                )
            self.stopped.wait(self.every)


class Sweeper:
    """Integrate often, collect hourly."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.elapsed = COLLECT_EVERY
        self.cold = [record.tenant for record in services.identity.people.tenants()]

    def __call__(self) -> None:
        """Take one turn."""
        self.elapsed += INTEGRATE_EVERY
        self.services.replay_journals()
        self.services.ledger.integrate()
        self._warm()
        if self.elapsed >= COLLECT_EVERY:
            self.elapsed = 0.0
            self._collect()

    def _warm(self) -> None:
        """Compute each status once, so that the first page after a start need not read the whole log."""
        for tenant in self.cold:
            self.services.status.board(tenant)
        self.cold = []

    def _collect(self) -> None:
        for tenant in self.services.identity.people.tenants():
            for collector in self.services.collectors.values():
                collector(tenant.tenant)


def of(services: Services) -> list[Loop]:
    """Return the loops of an installation, not started."""
    return [
        Loop("sweeper", Sweeper(services), every=INTEGRATE_EVERY),
        Loop("reconciler", services.cutoff.reconciler(), every=INTERVAL_SECONDS),
        Loop("incidents", services.cutoff.following(), every=CLOCKS_EVERY),
        Loop("gateway", services.serving.turn_when_due, every=CONFIRM_EVERY),
        Loop("pulse", services.serving.pulse.take, every=PULSE_EVERY),
        Loop("engines", rounds(services.deploying), every=EVERY),
        Loop("segments", services.receiving.intake, every=SEGMENTS_EVERY),
        Loop("anchors", services.anchored.service.turn, every=ANCHOR_EVERY),
        Loop("explorer", services.explorer.turn, every=EXPLORE_EVERY),
        Loop("retention", services.retention.sweeper, every=RETAIN_EVERY),
    ]


@contextmanager
def running(loops: Sequence[Loop], watching: Watching | None = None) -> Iterator[None]:
    """Run loops, and the watch over the nodes, while the block runs."""
    try:
        for loop in loops:
            loop.start()
        if watching is not None:
            watching.start()
        yield
    finally:
        if watching is not None:
            watching.stop()
        for loop in loops:
            loop.stopped.set()
        for loop in loops:
            if loop.is_alive():
                loop.join(timeout=STOP_WITHIN)
