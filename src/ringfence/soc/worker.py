"""The loops of the watch: follow the logs, answer what is found, sweep; and, apart from it, send alerts.

A line counts once: how far each log was read and what the detector remembers are written in one transaction, after
whatever they led to. A restart reads on from there, in event time, however long it was away.
"""

import logging
import os
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import RingfenceError, Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.soc import availability, faults, health
from ringfence.soc.action import NodeFacts, Surroundings
from ringfence.soc.answering import Answers, Sighting
from ringfence.soc.health import Sensor
from ringfence.soc.model import Detecting, Event, Finding
from ringfence.soc.ports import AccessLog, Faults, Flows, NodeLogFile, NodeLogs, Progress, Reading, Tail
from ringfence.soc.posting import Posting
from ringfence.soc.recollection import Recollection
from ringfence.soc.sources.gateway import REPORTER, TENANT, GatewayLog
from ringfence.soc.sources.lines import MAX_LINE, decoded

IDLE = 0.05  # seconds between two looks at logs that stand still
SWEEP_EVERY = timedelta(seconds=1)
POST_IDLE = 0.5  # seconds between two looks into the box of alerts
HANDS = 4  # nodes that are cut off at the same time; a cut waits for its probes, not for a processor
ENDING = 10.0  # seconds that an end waits for the acts that are under way
CHUNK = 2**18  # bytes of one log that are read in one round, so that a noisy node starves nobody

_log = logging.getLogger(__name__)

Place = tuple[Tenant, str, str]  # tenant, node, source
GATE: Place = (Tenant(""), REPORTER, REPORTER)  # the gateway is of no tenant; each of its records says whose it is


class Follower:
    """Follow one log file through appends, rotation and truncation."""

    def __init__(self, path: Path, known: Tail | None = None) -> None:
        self.path = path
        self._descriptor = -1
        self._inode, self._position = (known.inode, known.offset) if known else (0, 0)
        self._start = self._position  # of the line that is not whole yet
        self._rest, self._skipping = b"", False

    @property
    def tail(self) -> Tail:
        """Return how far whole lines were read."""
        return Tail(self._inode, self._start)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines that were completed since, each cut at the limit."""
        if self._descriptor < 0 and not self._open():
            return
        if os.fstat(self._descriptor).st_size < self._position:
            self._start_again()  # truncated: what is there now is new
        data = os.pread(self._descriptor, CHUNK, self._position)
        if not data:
            self._follow_rotation()
            return
        yield from self._split(data)

    def _open(self) -> bool:
        for path in (self.path.with_name(self.path.name + ".1"), self.path):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:
                continue
            status = os.fstat(descriptor)
            inode = status.st_ino
            if stat.S_ISREG(status.st_mode) and (path == self.path or inode == self._inode):
                if inode != self._inode:
                    self._inode = inode
                    self._start_again()
                self._descriptor = descriptor
                return True
            os.close(descriptor)
        return False

    def _start_again(self) -> None:
        self._position, self._start, self._rest, self._skipping = 0, 0, b"", False

    def _follow_rotation(self) -> None:
        try:
            current = self.path.stat(follow_symlinks=False).st_ino
        except OSError:
            return  # between the two steps of a rotation; the old file is still open
        if current != self._inode:
            self.close()
            self._inode = 0
            self._open()

    def _split(self, data: bytes) -> Iterator[bytes]:
        at = self._position - len(self._rest)
        self._position += len(data)
        *whole, rest = (self._rest + data).split(b"\n")
        for line in whole:
            at += len(line) + 1
            skipped, self._start, self._skipping = self._skipping, at, False
            if not skipped:
                yield line[:MAX_LINE]
        self._rest = rest
        if len(rest) > MAX_LINE:
            if not self._skipping:
                yield rest[:MAX_LINE]
            self._skipping, self._rest = True, b""

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


@dataclass(slots=True)
class Lane:
    """One log that is followed."""

    file: NodeLogFile
    follower: Follower
    reading: Reading
    sensor: Sensor


@dataclass(slots=True)
class Worker:
    """One round after the other over every log; not shared between threads."""

    answers: Answers
    nodes: NodeLogs
    flows: Flows | None
    progress: Progress
    reading: Callable[[str], Reading]
    detector: Callable[[], Detecting]
    clock: Clock
    protected: frozenset[str] = frozenset()
    access: AccessLog | None = None
    faults: Faults = tuple
    lanes: dict[Place, Lane] = field(default_factory=dict)
    memories: dict[Tenant, Recollection] = field(default_factory=dict)
    _tails: dict[Place, Tail] | None = None  # of the logs that are not followed now
    _states: dict[Tenant, str] = field(default_factory=dict)
    _saved: dict[Place, Tail] = field(default_factory=dict)
    _swept: datetime | None = None
    _tenants: Sequence[Tenant] = ()

    def round(self) -> bool:
        """Read what came, answer it, and sweep once a second; return whether anything came."""
        now = self.clock.now()
        due = self._swept is None or now - self._swept >= SWEEP_EVERY or now < self._swept
        if due:
            self._refresh(now)
        came = False
        for place, lane in list(self.lanes.items()):
            came |= self._follow(place, lane)
        if due:
            self._swept = now
            self._flows(now)
            self._sweep(now)
        return came

    def _refresh(self, now: datetime) -> None:
        if self._tails is None:
            self._tails, self._states = self.progress.load()
            self._saved = dict(self._tails)
        try:
            current = {(tenant, file.facts.node, file.source): file for tenant, file in self.nodes.logs()}
            if self.access is not None:
                self._tenants = self.access.tenants()
                current[GATE] = NodeLogFile(NodeFacts(REPORTER, REPORTER), REPORTER, self.access.path)
        except Unavailable as error:
            _log.warning("the watch goes on with the logs that it knows: %s", error)
            return
        for place, lane in list(self.lanes.items()):
            if place not in current or lane.file.path != current[place].path:
                self._tails[place] = lane.follower.tail  # it may come again
                self.lanes.pop(place).follower.close()
        for place, file in current.items():
            lane = self.lanes.get(place) or self._lane(file, now, self._tails.pop(place, None))
            lane.file = file
            lane.sensor = replace(lane.sensor, running=file.running, heartbeat_seconds=file.heartbeat_seconds)
            self.lanes[place] = lane

    def _lane(self, file: NodeLogFile, now: datetime, known: Tail | None) -> Lane:
        sensor = Sensor(file.facts.node, file.source, file.heartbeat_seconds, now)
        reading = GatewayLog() if file.source == REPORTER else self.reading(file.facts.node)
        return Lane(file, Follower(Path(file.path), known), reading, sensor)

    def _memory(self, tenant: Tenant) -> Recollection:
        if tenant not in self.memories:
            memory = self.memories[tenant] = Recollection(self.detector())
            if tenant in self._states:
                memory.read(self._states.pop(tenant))
        return self.memories[tenant]

    def _follow(self, place: Place, lane: Lane) -> bool:
        came = False
        for data in lane.follower.lines():
            came, received = True, self.clock.now()
            before = lane.reading.unparsed_count
            event = lane.reading.read(decoded(data), received)
            understood = lane.reading.unparsed_count == before
            lane.sensor = health.heard(lane.sensor, understood=understood, at=received)
            if event is None:
                continue
            if place != GATE:
                self._feed(place[0], event, lane.file.facts)
            elif (tenant := self._whose(event)) is not None:
                self._feed(tenant, event, None)  # no node, whoever calls itself what: nothing is isolated for it
        return came

    def _whose(self, event: Event) -> Tenant | None:
        """Return the tenant of the key that a record names; who named none is the business of the first tenant."""
        named = event.fields[TENANT] or next(iter(self._tenants), None)
        return next((tenant for tenant in self._tenants if tenant == named), None)

    def _feed(self, tenant: Tenant, event: Event, node: NodeFacts | None) -> None:
        memory = self._memory(tenant)
        for finding in memory.detector.feed(memory.notice(event)):
            self._answer(tenant, finding, node, event.received_at)

    def _answer(self, tenant: Tenant, finding: Finding, node: NodeFacts | None, received: datetime) -> None:
        now = self.clock.now()
        around = Surroundings(
            nodes=len({place[1] for place in self.lanes if place[0] == tenant}),
            administrator=self._memory(tenant).knows(finding.source, now),
            protected=self.protected,
        )
        try:
            # Who is isolated is who reported, by the file it came in: a finding about anybody else isolates nobody.
            reporter = self._current(tenant, node) if node is not None and node.node == finding.subject else None
            self.answers.answer(Sighting(tenant, finding, reporter, around, received, now))
        except RingfenceError as error:
            _log.warning("a finding by %s could not be answered: %s", finding.rule, error)

    def _current(self, tenant: Tenant, node: NodeFacts) -> NodeFacts:
        """Look again at a node that was cut off: it may have been released since the last sweep."""
        if node.contained_since is not None:
            for owner, file in self.nodes.logs():
                if (owner, file.facts.node) == (tenant, node.node):
                    return file.facts
        return node

    def _flows(self, now: datetime) -> None:
        if self.flows is None:
            return
        facts = {(place[0], place[1]): lane.file.facts for place, lane in self.lanes.items()}
        try:
            for tenant, event in self.flows.events(now):
                self._feed(tenant, event, facts.get((tenant, event.node or "")))
        except RingfenceError as error:
            _log.warning("the flows could not be read: %s", error)

    def _sweep(self, now: datetime) -> None:
        try:
            self._own(now)
            self.answers.sweep()
            self._save()
        except Unavailable as error:
            _log.warning("the watch goes on without its database: %s", error)

    def _own(self, now: datetime) -> None:
        """Take in what the watch finds out about itself and about its own acts."""
        first = next(iter(self._tenants), None)
        owners = {place: place[0] or first for place in self.lanes}  # of each log, the gateway's among them
        for tenant in {owner for owner in owners.values() if owner}:
            lanes = [lane for place, lane in self.lanes.items() if owners[place] == tenant]
            nodes = {lane.file.facts.node: lane.file.facts for lane in lanes if lane.file.source != REPORTER}
            found = health.findings([lane.sensor for lane in lanes], now)
            for finding in [*found, *availability.warnings(nodes.values(), now)]:
                self.answers.raise_own(tenant, finding, nodes.get(finding.subject), nodes=len(nodes))
        for fault in self.faults():
            owner = fault.tenant or first
            if owner is not None and owner in self._tenants:
                self.answers.raise_own(owner, faults.finding(fault, now), None)

    def _save(self) -> None:
        if self.answers.memory.unsaved:
            return  # what these lines led to is not written: after a crash they must be read again
        tails = (self._tails or {}) | {place: lane.follower.tail for place, lane in self.lanes.items()}
        moved = {place: tail for place, tail in tails.items() if self._saved.get(place) != tail}
        states = {tenant: memory.text() for tenant, memory in self.memories.items() if memory.dirty}
        if moved or states:
            self.answers.bounded(lambda: self.progress.save(moved, states))
            self._saved |= moved
            for tenant in states:
                self.memories[tenant].dirty = False

    def close(self) -> None:
        """Wait for the acts that are under way, write how far it came, and let go of the files."""
        try:
            self._wait()
            self._sweep(self.clock.now())
            self._wait()  # for what that has handed over
        finally:
            for lane in self.lanes.values():
                lane.follower.close()

    def _wait(self) -> None:
        for _ in range(int(ENDING / IDLE)):
            if not self.answers.memory.busy:
                return
            time.sleep(IDLE)
        _log.warning("acts are still under way; the next start finishes them")


class Hands:
    """Carry out acts: those for one node one after the other, those for several nodes at the same time."""

    def __init__(self, count: int = HANDS) -> None:
        self._pool = ThreadPoolExecutor(count, "act")
        self._queues: dict[tuple[Tenant, str], deque[Callable[[], None]]] = {}
        self._lock = threading.Lock()

    def __call__(self, node: tuple[Tenant, str], work: Callable[[], None]) -> None:
        """Take one act over."""
        with self._lock:
            waiting = self._queues.get(node)
            if waiting is not None:
                waiting.append(work)
                return
            self._queues[node] = deque([work])
        self._pool.submit(self._work_off, node)

    def _work_off(self, node: tuple[Tenant, str]) -> None:
        while True:
            with self._lock:
                if not self._queues[node]:
                    del self._queues[node]
                    return
                work = self._queues[node].popleft()
            _survived(lambda work=work: bool(work()))  # type: ignore[misc]


class Watching:
    """Two threads: one reads and cuts off, the other sends alerts; neither waits for the other."""

    def __init__(self, worker: Worker, post: Posting) -> None:
        self.worker, self.post = worker, post
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, name="watch", daemon=True),
            threading.Thread(target=self._mail, name="alerts", daemon=True),
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End both, and wait for them."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            if not _survived(self.worker.round):
                self._stopped.wait(IDLE)
        _survived(self._closed)

    def _closed(self) -> bool:
        self.worker.close()
        return True

    def _mail(self) -> None:
        while not self._stopped.wait(POST_IDLE):
            _survived(lambda: bool(self.post.deliver()))


def _survived(act: Callable[[], bool]) -> bool:
    """Run one round; whatever happens in it, there must be a next one."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001 - a watch that ends because of one line is no watch
        _log.warning("the watch will try again: %s", error, exc_info=not isinstance(error, RingfenceError))
        return False
