"""The loops of a running installation: threads that call the services again."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from ringfence.artifacts import blobs
from ringfence.artifacts.finishing import Finishing
from ringfence.artifacts.reconcile import HomeWrappings
from ringfence.compute.reconcile import INTERVAL_SECONDS
from ringfence.kernel.errors import RingfenceError, Unavailable
from ringfence.keyrelease.reconcile import EVERY as LEASES_EVERY
from ringfence.keyrelease.reconcile import PATIENCE, Rounds
from ringfence.services import Services
from ringfence.soc.worker import Watching
from ringfence.storage.duty import Duty
from ringfence.workloads.collecting.observing import Cadence
from ringfence.workloads.keeping import EVERY
from ringfence.workloads.rechecking import LOOK_EVERY as LOOK_AGAIN_EVERY
from ringfence.workloads.wires import rounds

INTEGRATE_EVERY = 0.5  # seconds: a statement counts at most a second after it was sequenced
COLLECT_EVERY = 3600.0  # seconds: the shortest freshness of a collector's requirement is a day
OBSERVE_EVERY = 6 * 3600.0  # seconds: the same, for collectors that take their time with files and nodes
OBSERVE_AFTER = 600.0  # seconds: what `up` starts runs by then, and whoever has just started it is through with that
CLOCKS_EVERY = 5.0  # seconds: a deadline is hours away, and must not be minutes late
SEGMENTS_EVERY = 1.0  # seconds: a receipt can be fetched a few seconds after its answer ended
CONFIRM_EVERY = 1.0  # seconds: to look whether keys and routes have to be confirmed; that is a quarter of their life
PULSE_EVERY = 5.0  # seconds
ANCHOR_EVERY = 1.0  # seconds: to look whether somebody is to be asked; each is asked every ten seconds at the most
EXPLORE_EVERY = 1.0  # seconds: who searches takes in what came since, so that it need not be sooner
LOCKED_EVERY = 10.0  # seconds: the shortest lock-out is 30 s, and whoever comes in after it ends it
MEASURES_EVERY = 60.0  # seconds: an approval is of measures that somebody may replace at any time
RETAIN_EVERY = 3600.0  # seconds: periods are days
ERASURES_EVERY = 60.0  # seconds: somebody was cut off, and does not wait for it
LOOK_EVERY = 0.5  # seconds: whether it is still us who run the installation
STOP_WITHIN = 30.0  # seconds for a loop to finish the turn that it is in

_log = logging.getLogger(__name__)


class Loop(threading.Thread):
    """Take a turn and every so often another until stopped; an error is logged: the next turn may find it gone."""

    def __init__(self, name: str, turn: Callable[[], object], *, every: float, after: float = 0.0) -> None:
        super().__init__(name=name, daemon=True)
        self.turn = turn
        self.every = every
        self.after = after
        self.stopped = threading.Event()

    def run(self) -> None:
        """Take the first turn at once, or after a while, and more until stopped."""
        self.stopped.wait(self.after)
        while not self.stopped.is_set():
            try:
                self.turn()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next turn must still come
                _log.warning(
                    "the loop %s will try again: %s", self.name, error, exc_info=not isinstance(error, RingfenceError)
                )
            self.stopped.wait(self.every)


class Guard:
    """Hold the place of the one that runs the installation; where another one has it, end this process."""

    def __init__(self, turn: Duty | None) -> None:
        self.turn = turn
        self.lost = False
        self.loops = [Loop("duty", self.look, every=LOOK_EVERY)] if turn is not None else []

    def look(self) -> None:
        """Take the place again where the database has forgotten us; while it is away nobody else takes it either."""
        if self.turn is not None and not self.lost and not self.turn.take():
            self.lost = True
            os.kill(os.getpid(), signal.SIGTERM)

    def __enter__(self) -> "Guard":
        return self

    def __exit__(self, *_: object) -> None:
        if self.lost:
            raise Unavailable("another `ringfence up` runs this installation now; start this one again to stand by")


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
            collect(self.services, Cadence.HOURLY)

    def _warm(self) -> None:
        """Compute each status once, so that the first page after a start need not read the whole log."""
        for tenant in self.cold:
            self.services.status.board(tenant)
        self.cold = []


def collect(services: Services, cadence: Cadence) -> None:
    """Run the collectors of a cadence for every tenant; one that fails keeps none of the others from it."""
    due = {name: collector for name, collector in services.collectors.items() if collector.cadence is cadence}
    for tenant in services.identity.people.tenants():
        for name, collector in due.items():
            try:
                collector(tenant.tenant)
            except RingfenceError as error:
                _log.warning("the collector %s of %s stated nothing: %s", name, tenant.tenant, error)


def _erasures(services: Services) -> Finishing:
    path, people = services.home.path, services.identity.people
    tenants = lambda: [record.tenant for record in people.tenants()]  # noqa: E731 - one line where it is used
    return Finishing(services.artifacts, blobs.Home(path), HomeWrappings(path), tenants)


def of(services: Services) -> list[Loop]:
    """Return the loops of an installation, not started."""
    return [
        Loop("sweeper", Sweeper(services), every=INTEGRATE_EVERY),
        Loop("observers", partial(collect, services, Cadence.SIX_HOURLY), every=OBSERVE_EVERY, after=OBSERVE_AFTER),
        Loop("reconciler", services.cutoff.reconciler(), every=INTERVAL_SECONDS),
        Loop("incidents", services.cutoff.following(), every=CLOCKS_EVERY),
        Loop("gateway", services.serving.turn_when_due, every=CONFIRM_EVERY),
        Loop("pulse", services.serving.pulse.take, every=PULSE_EVERY),
        Loop("engines", rounds(services.deploying), every=EVERY),
        Loop("rechecks", services.rechecking.turn, every=LOOK_AGAIN_EVERY, after=LOOK_AGAIN_EVERY),
        Loop("segments", services.receiving.intake, every=SEGMENTS_EVERY),
        Loop("anchors", services.anchored.service.turn, every=ANCHOR_EVERY),
        Loop("explorer", services.explorer.turn, every=EXPLORE_EVERY),
        Loop("lockouts", services.lockouts, every=LOCKED_EVERY),
        Loop("resolutions", services.governing.sweep, every=CLOCKS_EVERY),
        Loop("measures", services.governing.watch, every=MEASURES_EVERY),
        Loop("retention", services.retention.sweeper, every=RETAIN_EVERY),
        Loop("erasures", _erasures(services), every=ERASURES_EVERY),
        Loop("leases", Rounds(services.keyrelease, patience=PATIENCE), every=LEASES_EVERY),
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
