"""Connections to one engine: kept, reused, bounded, and closed once they waited too long."""

import asyncio
import ssl
from collections.abc import Callable

from ringfence.gateway.hotpath.engines import Asking, Engine, EngineConnection
from ringfence.gateway.hotpath.tuning import Tuning
from ringfence.gateway.records import Because


class EnginePool:
    """Connections to one engine."""

    def __init__(
        self, engine: Engine, tuning: Tuning, loop: asyncio.AbstractEventLoop, context: Callable[[], ssl.SSLContext]
    ) -> None:
        self.engine = engine
        self.tuning = tuning
        self.loop = loop
        self.idle: list[EngineConnection] = []
        self.busy: set[EngineConnection] = set()
        self._context = context
        self._opening: set[asyncio.Task[None]] = set()

    @property
    def unused(self) -> bool:
        """Return whether nothing of it is open, or about to be."""
        return not (self.idle or self.busy or self._opening)

    def ask(self, asking: Asking, question: bytes) -> None:
        """Send a question on a kept connection, or on a new one."""
        if self.idle:
            self.idle.pop().ask(asking, question)
        else:
            self.ask_anew(asking, question)

    def ask_anew(self, asking: Asking, question: bytes) -> None:
        """Send a question on a new connection."""
        if len(self.busy) + len(self._opening) >= self.tuning.engines:
            asking.failed(Because.UPSTREAM_STALLED, "it has as many requests running as the gateway gives one engine")
            return
        task = self.loop.create_task(self._open(asking, question))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, asking: Asking, question: bytes) -> None:
        try:
            async with asyncio.timeout(self.tuning.connect):
                connection = await self._connect()
        except ssl.SSLCertVerificationError:
            asking.failed(Because.UPSTREAM_LIED, "its certificate is not one that this machine trusts for that name")
        except TimeoutError:
            asking.failed(Because.UPSTREAM_STALLED, "it did not take a connection in time")
        except (OSError, UnicodeError):  # the latter: a host name that cannot be looked up
            asking.failed(Because.UPSTREAM_DIED, "it takes no connection")
        else:
            if asking.cancelled:
                connection.abort()
            else:
                connection.ask(asking, question)

    async def _connect(self) -> EngineConnection:
        engine = self.engine
        context = self._context() if engine.tls else None
        name = engine.host if engine.tls else None
        if engine.socket:
            _, made = await self.loop.create_unix_connection(
                lambda: EngineConnection(self), engine.socket, ssl=context, server_hostname=name
            )
        else:
            _, made = await self.loop.create_connection(
                lambda: EngineConnection(self), engine.host, engine.port, ssl=context, server_hostname=name
            )
        return made

    def forget(self, connection: EngineConnection) -> None:
        """Drop a connection that is closing."""
        self.busy.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)

    def sweep(self, now: float) -> None:
        """Close what waited too long."""
        for connection in [each for each in self.idle if each.deadline <= now]:
            connection.abort()
        for connection in [each for each in self.busy if each.deadline <= now]:
            connection.expire()

    def close(self) -> None:
        """Close every connection."""
        for task in tuple(self._opening):
            task.cancel()
        for connection in [*self.idle, *self.busy]:
            connection.abort()


def verifying() -> ssl.SSLContext:
    """Return how engines behind TLS are verified: by this machine's authorities, TLS 1.2 or newer."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
