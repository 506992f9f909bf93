"""The hot path without a socket: transports that keep what is written, and a desk over fakes.

lab = DeskLab(asyncio.get_running_loop())
caller = lab.caller()                     # a connection
caller.receive(request)
await lab.settle()
lab.engine.receive(answer)                # the connection to the engine that the question went to
caller.sent
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from ringfence.gateway.hotpath.connections import CallerConnection
from ringfence.gateway.hotpath.desk import Desk
from ringfence.gateway.hotpath.engines import EngineConnection, Head
from ringfence.gateway.hotpath.pools import verifying
from ringfence.gateway.hotpath.tuning import Tuning
from ringfence.gateway.hotpath.wallclock import WallClock
from ringfence.gateway.model import ApiKey, Deployment
from ringfence.gateway.records import Because
from ringfence.testing.gateway import (
    FakeAccessLog,
    FakeJournal,
    FakeReceipts,
    api_key,
    deployment,
    snapshot,
)


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 -- what is waited for happens in a thread, or behind a socket
            await asyncio.sleep(0.01)


class FakeTransport:
    """Keep what is written; fulfils what the protocols use of `asyncio.Transport`."""

    def __init__(self, protocol: CallerConnection | EngineConnection) -> None:
        self.protocol = protocol
        self.sent = b""
        self.closed = False
        self.paused = False
        self.unsent = 0
        protocol.connection_made(cast("asyncio.BaseTransport", self))

    def receive(self, data: bytes) -> None:
        """Let bytes arrive."""
        if not self.closed:
            self.protocol.data_received(data)

    def lose(self) -> None:
        """Let the other end go away."""
        self.closed = True
        self.protocol.connection_lost(None)

    def write(self, data: bytes) -> None:
        """Keep bytes."""
        self.sent += data

    def write_eof(self) -> None:
        """Close for writing."""
        self.closed = True

    def abort(self) -> None:
        """Close."""
        self.closed = True

    close = abort

    def is_closing(self) -> bool:
        """Return whether it was closed."""
        return self.closed

    def pause_reading(self) -> None:
        """Read no more."""
        self.paused = True

    def resume_reading(self) -> None:
        """Read on."""
        self.paused = False

    def get_write_buffer_size(self) -> int:
        """Return what the other end has not taken."""
        return self.unsent

    def set_write_buffer_limits(self, high: int) -> None:
        """Take the limit."""

    def get_extra_info(self, _name: str) -> tuple[str, int]:
        """Return the other end."""
        return ("192.0.2.1", 50_000)


@dataclass
class DeskLab:
    """A desk with one deployment, one kept connection to its engine, and a key."""

    loop: asyncio.AbstractEventLoop
    tuning: Tuning = field(default_factory=Tuning)
    keys: Sequence[ApiKey] = field(default_factory=lambda: [api_key()])
    deployments: Sequence[Deployment] = field(default_factory=lambda: [deployment()])
    journal: FakeJournal = field(default_factory=FakeJournal)
    accesses: FakeAccessLog = field(default_factory=FakeAccessLog)
    receipts: FakeReceipts = field(default_factory=FakeReceipts)

    def __post_init__(self) -> None:
        """Take a snapshot into use, and connect."""
        clock = WallClock()
        self.desk = Desk(self.loop, clock, self.tuning, self.journal, self.accesses, self.receipts, verifying)
        self.publish(clock.now())
        self.engine = self.connect()

    def publish(self, at: datetime, *, guard: bool = False) -> None:
        """Take the keys and deployments of the lab into use."""
        made = snapshot(self.keys, self.deployments, at=at)
        object.__setattr__(made, "guard", guard)
        self.desk.use(made)

    def connect(self) -> FakeTransport:
        """Make a connection to the first engine, ready to be used."""
        pool = self.desk.pool(self.desk.targets.ready()[0].engine)
        connection = EngineConnection(pool)
        made = FakeTransport(connection)
        connection.deadline = float("inf")
        pool.idle.append(connection)
        return made

    def caller(self) -> FakeTransport:
        """Make a connection of a caller."""
        return FakeTransport(CallerConnection(self.desk))

    async def settle(self) -> None:
        """Let callbacks run."""
        for _ in range(6):
            await asyncio.sleep(0)


class Asker:
    """Hear an engine's answer; fulfils `engines.Asking`."""

    def __init__(self) -> None:
        self.connection: EngineConnection | None = None
        self.cancelled = False
        self.status, self.body, self.ended = 0, b"", False
        self.failure: tuple[Because, str] | None = None

    def headed(self, head: Head) -> None:
        """Keep the status."""
        self.status = head.status

    def answered(self, data: bytes) -> None:
        """Keep the body."""
        self.body += data

    def complete(self) -> None:
        """Note the end."""
        self.ended = True

    def failed(self, because: Because, text: str) -> None:
        """Keep why there is no answer."""
        self.failure = (because, text)
