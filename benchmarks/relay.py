"""The floor under any gateway in Python: forward requests and answers, parsed by httptools, and do nothing else.

No key, no limit, no deadline, no back-pressure, no record: what the gateway costs above this is its own work.
"""

import asyncio
import sys
from typing import cast

import httptools
import uvloop


class Engine(asyncio.Protocol):
    """A kept connection to the engine."""

    def __init__(self, relay: "Relay") -> None:
        self.relay = relay
        self.parser = httptools.HttpResponseParser(self)
        self.caller: Caller | None = None
        self.ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass an answer on as it comes."""
        self.parser.feed_data(data)
        caller = self.caller
        if self.ended:
            self.ended, self.caller = False, None
            self.relay.idle.append(self)
        if caller is not None:
            caller.transport.write(data)

    def on_message_complete(self) -> None:
        """Note that the answer is whole."""
        self.ended = True


class Caller(asyncio.Protocol):
    """A caller's connection."""

    def __init__(self, relay: "Relay") -> None:
        self.relay = relay
        self.parser = httptools.HttpRequestParser(self)
        self.whole = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass a whole request on."""
        self.parser.feed_data(data)
        if self.whole:
            self.whole = False
            self.relay.ask(self, data)

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        self.whole = True


class Relay:
    """Connections to one engine."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.idle: list[Engine] = []
        self.opening: set[asyncio.Task[None]] = set()

    def ask(self, caller: Caller, question: bytes) -> None:
        """Send a question on a kept connection, or on a new one."""
        if self.idle:
            engine = self.idle.pop()
            engine.caller = caller
            engine.transport.write(question)
            return
        task = asyncio.get_running_loop().create_task(self.open(caller, question))
        self.opening.add(task)
        task.add_done_callback(self.opening.discard)

    async def open(self, caller: Caller, question: bytes) -> None:
        """Connect, and send a question."""
        _, engine = await asyncio.get_running_loop().create_connection(lambda: Engine(self), "127.0.0.1", self.port)
        engine.caller = caller
        engine.transport.write(question)


async def relay(port: int) -> None:
    """Relay to the engine on `port` until killed."""
    connections = Relay(port)
    server = await asyncio.get_running_loop().create_server(lambda: Caller(connections), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(relay(int(sys.argv[1])))
