"""Small engines over real sockets: honest ones, and ones that die, stall or lie.

with Engine() as engine:                  # answers like an OpenAI-compatible server
engine.url                            # http://127.0.0.1:…/v1
engine.behave = broken_after(3)       # from the next request on
engine.requests[-1].body              # what arrived
"""

import asyncio
import json
import ssl
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

ANSWER = "Hello from a small engine."
EVENTS = 5


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived."""

    head: bytes
    body: bytes

    @property
    def path(self) -> str:
        """Return its target."""
        return self.head.split(b" ", 2)[1].decode()

    @property
    def document(self) -> Any:
        """Return its body as JSON."""
        return json.loads(self.body)


Behave = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Engine:
    """An engine on loopback or on a Unix socket, in a thread of its own."""

    behave: Behave = field(default_factory=lambda: openai)
    socket: Path | None = None
    context: ssl.SSLContext | None = None
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    lost: threading.Event = field(default_factory=threading.Event)  # a connection ended while it was answering
    port: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None
    _server: asyncio.Server | None = None
    _running: "set[asyncio.Task[Any]]" = field(default_factory=set)

    @property
    def url(self) -> str:
        """Return where it listens, as a deployment names it."""
        return f"http{'s' if self.context else ''}://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> "Engine":
        """Begin to listen."""
        self._server = self._loop.run_until_complete(self._listen())
        if self.socket is None:
            self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    async def _listen(self) -> asyncio.Server:
        if self.socket is not None:
            return await asyncio.start_unix_server(self._serve, str(self.socket))
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, and every connection with it."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread:
            self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        if self._server:
            self._server.close()
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while not writer.is_closing():
                received = await _received(reader)
                self.requests.append(received)
                await self._answer(received, reader, writer)
        with suppress(Exception):
            writer.close()

    async def _answer(self, received: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer, unless the other end goes away first."""
        answering = asyncio.ensure_future(self.behave(received, writer))
        ending = asyncio.ensure_future(_ended(reader))
        done, _ = await asyncio.wait({answering, ending}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if answering not in done:
            self.lost.set()
            answering.cancel()
            raise ConnectionResetError
        answering.result()


async def _ended(reader: asyncio.StreamReader) -> None:
    while not reader.at_eof() and reader.exception() is None:  # noqa: ASYNC110 -- a reader has no event for it
        await asyncio.sleep(0.01)


async def _received(reader: asyncio.StreamReader) -> Received:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for each in head.lower().split(b"\r\n"):
        if each.startswith(b"content-length:"):
            length = int(each.partition(b":")[2])
    return Received(head, await reader.readexactly(length))


def whole(body: bytes, *, status: str = "200 OK", kind: str = "application/json") -> bytes:
    """Return an answer in one piece."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def chunk(data: bytes) -> bytes:
    """Return a chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


def completion(asked: dict[str, Any], path: str) -> dict[str, Any]:
    """Return what an OpenAI-compatible server answers."""
    if path.endswith("/embeddings"):
        data = [{"object": "embedding", "index": 0, "embedding": [0.25, -0.5, 0.125]}]
        usage = {"prompt_tokens": 7, "total_tokens": 7}
        return {"object": "list", "data": data, "model": asked["model"], "usage": usage}
    chat = path.endswith("/chat/completions")
    said = {"message": {"role": "assistant", "content": ANSWER}} if chat else {"text": ANSWER}
    return {
        "id": "cmpl-1",
        "object": "chat.completion" if chat else "text_completion",
        "created": 1,
        "model": asked["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, **said}],
        "usage": USAGE,
    }


def events(asked: dict[str, Any], path: str, count: int = EVENTS) -> list[bytes]:
    """Return the events of a stream, the one that ends it included."""
    chat = path.endswith("/chat/completions")
    made: list[dict[str, Any]] = []
    for number in range(count):
        reason = "stop" if number == count - 1 else None
        said = {"delta": {"content": f"word{number} "}} if chat else {"text": f"word{number} "}
        document = {
            "id": "cmpl-1",
            "object": "chat.completion.chunk" if chat else "text_completion",
            "created": 1,
            "model": asked["model"],
            "choices": [{"index": 0, "finish_reason": reason, **said}],
        }
        made.append(document)
    if (asked.get("stream_options") or {}).get("include_usage"):
        made.append({**made[-1], "choices": [], "usage": USAGE})
    return [b"data: " + json.dumps(each).encode() + b"\n\n" for each in made] + [b"data: [DONE]\n\n"]


async def openai(received: Received, writer: asyncio.StreamWriter) -> None:
    """Answer as an OpenAI-compatible server does."""
    if received.path.startswith("/v2/"):
        answer = {"model_name": "engine-model", "outputs": []} if received.body else {"name": "engine-model"}
        writer.write(whole(json.dumps(answer).encode()))
        return
    asked = received.document
    if asked.get("stream"):
        await stream(received, writer)
        return
    writer.write(whole(json.dumps(completion(asked, received.path)).encode()))


async def listing(received: Received, writer: asyncio.StreamWriter) -> None:
    """List a model where that is asked, and answer everything else."""
    models = raw(whole(b'{"object":"list","data":[{"id":"engine-model"}]}'))
    await (models if received.head.startswith(b"GET") else openai)(received, writer)


async def stream(received: Received, writer: asyncio.StreamWriter) -> None:
    """Answer with events, each in a chunk and a write of its own."""
    writer.write(STREAM_HEAD)
    for event in events(received.document, received.path):
        writer.write(chunk(event))
        await writer.drain()
        await asyncio.sleep(0)
    writer.write(b"0\r\n\r\n")


def raw(*pieces: bytes, close: bool = False, pause: float = 0.0) -> Behave:
    """Answer with these bytes, whatever they are."""

    async def behave(_received: Received, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        if close:
            writer.close()

    return behave


def broken_after(count: int, *, stall: bool) -> Behave:
    """Stream that many events, then close the connection, or go silent."""

    async def behave(received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD)
        for event in events(received.document, received.path)[:count]:
            writer.write(chunk(event))
        await writer.drain()
        await asyncio.sleep(3600 if stall else 0.3)  # what was sent has left for the caller by then
        writer.close()

    return behave


async def silent(_received: Received, _writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.sleep(3600)
