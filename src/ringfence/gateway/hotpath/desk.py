"""What all connections of the process share: keys and routes, journal, engines, time."""

import asyncio
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Protocol

from ringfence.gateway.hotpath.callers import Callers
from ringfence.gateway.hotpath.engines import Engine
from ringfence.gateway.hotpath.pools import EnginePool
from ringfence.gateway.hotpath.problem import Problem
from ringfence.gateway.hotpath.targets import Targets
from ringfence.gateway.hotpath.tuning import Tuning
from ringfence.gateway.hotpath.wallclock import WallClock
from ringfence.gateway.model import RequestId, Snapshot
from ringfence.gateway.ports import AccessLog, Journal, Receipts
from ringfence.gateway.snapshot import usable_from
from ringfence.kernel.clock import to_millis, to_text
from ringfence.kernel.errors import Unavailable

SALT = 32
_RANDOM = 64 * (16 + SALT)  # asked of the kernel at a time


class Swept(Protocol):
    """A connection with a deadline."""

    deadline: float

    def expire(self) -> None:
        """Act on the deadline's passing."""
        ...

    def drain(self) -> None:
        """End: at once where nothing runs, else after the answer."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


@dataclass
class Desk:
    """Shared by all connections; used from the event loop only."""

    loop: asyncio.AbstractEventLoop
    clock: WallClock
    tuning: Tuning
    journal: Journal
    accesses: AccessLog
    receipts: Receipts
    context: Callable[[], ssl.SSLContext]
    connections: set[Swept] = field(default_factory=set)
    draining: bool = False
    empty: asyncio.Event = field(default_factory=asyncio.Event)  # once it drains: the last connection has ended
    snapshot: Snapshot | None = None
    callers: Callers = field(default_factory=lambda: Callers(()))
    targets: Targets = field(default_factory=lambda: Targets(()))
    date: bytes = b""
    _fresh: range = range(0)  # when the snapshot may be used, in nanoseconds
    _random: bytes = field(default=b"", repr=False)
    _used: int = 0  # of it: no byte is given twice
    _pools: dict[Engine, EnginePool] = field(default_factory=dict)

    def use(self, snapshot: Snapshot) -> None:
        """Take keys and routes from a newer snapshot; what keys have used so far stays counted."""
        if self.snapshot is None or self.snapshot.digest != snapshot.digest:
            self.callers = Callers(snapshot.keys, self.callers)
            self.targets = Targets(snapshot.deployments)
        elif any(each.upstream.credential for each in snapshot.deployments):
            self.targets = Targets(snapshot.deployments)  # a credential may have been changed in its file
        self.snapshot = snapshot
        self._fresh = range(*(to_millis(at) * 1_000_000 for at in (usable_from(snapshot), snapshot.expires_at)))
        for target in self.targets.ready():
            target.pool = self.pool(target.engine)

    def fresh(self, now: int) -> Snapshot:
        """Return the snapshot in use, at `now` in nanoseconds.

        Raises:
            Problem: 503 where there is none that may still be used.
        """
        snapshot = self.snapshot
        if snapshot is None:
            raise Problem(503, "no_snapshot", "the gateway has no keys and routes yet", retry_after=5)
        if now not in self._fresh:
            since = to_text(snapshot.issued_at)
            text = f"keys and routes were last confirmed at {since}, which is too long ago; is `ringfence up` running?"
            raise Problem(503, "snapshot_expired", text, retry_after=15)
        return snapshot

    def check_recording(self) -> None:
        """Raise `Problem` where accesses cannot be recorded: nothing is served unseen."""
        try:
            self.accesses.check()
        except Unavailable as error:
            raise unrecorded(error) from None

    def pool(self, engine: Engine) -> EnginePool:
        """Return the connections to an engine."""
        pool = self._pools.get(engine)
        if pool is None:
            pool = self._pools[engine] = EnginePool(engine, self.tuning, self.loop, self.context)
        return pool

    def leave(self, connection: Swept) -> None:
        """Forget a connection that has ended."""
        self.connections.discard(connection)
        if self.draining and not self.connections:
            self.empty.set()

    def drawn(self) -> tuple[RequestId, bytes]:
        """Return the id of a new request and its salt."""
        start, end = self._used, self._used + 16 + SALT
        if end > len(self._random):
            self._random, start, end = os.urandom(_RANDOM), 0, 16 + SALT
        random, self._used = self._random[start:end], end
        return RequestId("req-" + random[:16].hex()), random[16:]

    def sweep(self) -> None:
        """Act on deadlines; called several times a second."""
        now = self.loop.time()
        self.date = b"date: %b\r\n" % formatdate(usegmt=True).encode()
        for connection in [each for each in self.connections if each.deadline <= now]:
            connection.expire()
        wanted = {each.engine for each in self.targets.ready()}
        for engine, pool in list(self._pools.items()):
            pool.sweep(now)
            if engine not in wanted and pool.unused:
                del self._pools[engine]

    def close(self) -> None:
        """Close the connections to engines."""
        for pool in self._pools.values():
            pool.close()


def unrecorded(error: Unavailable) -> Problem:
    """Return the refusal of a request that could not be recorded."""
    return Problem(503, "recording_failed", f"nothing is served that cannot be recorded: {error}", retry_after=5)
