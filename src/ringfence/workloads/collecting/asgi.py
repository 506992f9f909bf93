"""Ask an ASGI application in this process, through no socket; a stream of events is read to its first heartbeat."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import anyio

from ringfence.frontends.live import HEARTBEAT

Message = MutableMapping[str, Any]
Application = Callable[[Any, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

HOST = "127.0.0.1"
MOST = 2**24  # bytes that are kept of an answer


@dataclass(slots=True)
class Exchange:
    """One request without a body, and what comes back."""

    status: int = 0
    body: bytearray = field(default_factory=bytearray)
    endless: bool = False
    asked: bool = False
    over: anyio.Event = field(default_factory=anyio.Event)

    async def receive(self) -> Message:
        """Hand over the request, and hang up once enough was heard."""
        if not self.asked:
            self.asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take in what the application says."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.endless = (b"content-type", b"text/event-stream") in [
                (name.lower(), value.partition(b";")[0]) for name, value in message["headers"]
            ]
            return
        self.body += message.get("body", b"")[: MOST - len(self.body)]
        heard = HEARTBEAT.encode() in self.body or len(self.body) >= MOST
        if not message.get("more_body") or (self.endless and heard):
            self.over.set()


async def asked(application: Application, path: str) -> tuple[int, bytes]:
    """Return status and body of the answer to a GET; status 500 where the application fails without one."""
    target, _, query = path.partition("?")
    exchange = Exchange()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},  # it listens for who hangs up
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": target,
        "raw_path": target.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", HOST.encode()), (b"accept", b"*/*")],
        "client": (HOST, 0),
        "server": (HOST, 80),
    }
    try:
        await application(scope, exchange.receive, exchange.send)
    except Exception:  # noqa: BLE001 -- it has answered 500 by then, and what it did not answer crossed nothing
        return exchange.status or 500, bytes(exchange.body)
    return exchange.status, bytes(exchange.body)
