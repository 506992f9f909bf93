"""The gateway beside nginx, in front of the same engine: CPU per request and per stream, and what it adds to the wait.

A relay that does nothing but forward (`relay.py`) runs beside them: below it, nothing in Python can be.

All run with one worker. The CPU is that of their processes, journal and its fsync included, as the kernel counts it.
nginx comes from Debian: `scripts/install_tools.py bench` fetches it; without it our own figures are printed alone.
"""

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop
from measurement import Row, quantile

from ringfence import components
from ringfence.kernel.errors import Unavailable
from ringfence.testing.gateway import SECRET, api_key, deployment
from ringfence.testing.gateway_process import GatewayProcess

CHUNKS = 33
CALLERS = 32
ROUNDS = 7
PLAIN, PACED, STREAMS, ALONE = 2000, 500, 300, 300  # per round
PACE = 500  # requests a second, of all callers together
HERE = Path(__file__)
TOOLS = Path(__file__).resolve().parents[1] / ".tools/bench/root"

ASKED = json.dumps(
    {"model": "small", "messages": [{"role": "user", "content": "How are you? " * 20}], "max_tokens": 64}
)
STREAMED = ASKED[:-1] + ', "stream": true}'
TEXT = "An answer of an ordinary length, as a small model gives it. " * 5
ANSWER = json.dumps(
    {
        "id": "cmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "small",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": TEXT}}],
        "usage": {"prompt_tokens": 31, "completion_tokens": 64, "total_tokens": 95},
    }
).encode()
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b'data: {"id":"cmpl-1","object":"chat.completion.chunk","created":1,"model":"small","choices":[{"index":0,'
EVENT += b'"delta":{"content":"word "},"finish_reason":null}]}\n\n'
LAST = b"data: [DONE]\n\n"


def framed(data: bytes) -> bytes:
    """Return a chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class EngineProtocol(asyncio.Protocol):
    """Answer at once: in one write, or in one write per event."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)
        self.data = b""

    def data_received(self, data: bytes) -> None:
        """Answer when the request is whole."""
        self.data += data
        head, end, body = self.data.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]):
            return
        self.data = b""
        if b'"stream": true' in body:
            self.pieces = [HEAD, *[framed(EVENT)] * CHUNKS, framed(LAST) + b"0\r\n\r\n"]
            self.write_next()
        else:
            self.transport.write(WHOLE)

    def write_next(self) -> None:
        """Write one event per turn of the loop, so that each is a write of its own."""
        self.transport.write(self.pieces.pop(0))
        if self.pieces:
            asyncio.get_running_loop().call_soon(self.write_next)


async def engine() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(EngineProtocol, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


@dataclass
class CallerProtocol(asyncio.Protocol):
    """Send one request after the other; keep how long each took."""

    request: bytes
    streamed: bool
    left: list[int]
    ended: "asyncio.Future[None]"
    every: float = 0.0  # seconds between its requests, at the least
    times: list[float] = field(default_factory=list)
    data: bytes = b""
    since: float = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)
        self.due = asyncio.get_running_loop().time() + random.uniform(0, self.every)  # noqa: S311 -- no secret
        self.pause()

    def pause(self) -> None:
        """Wait until the next request is due."""
        if self.every:
            asyncio.get_running_loop().call_at(self.due, self.again)
            self.due += self.every
        else:
            self.again()

    def again(self) -> None:
        """Send the next request, if there is one."""
        if self.left[0] <= 0:
            self.transport.close()
            if not self.ended.done():
                self.ended.set_result(None)
            return
        self.left[0] -= 1
        self.data, self.since = b"", time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Go on when the answer is whole."""
        self.data += data
        if self.is_whole():
            assert self.data.startswith(b"HTTP/1.1 200"), self.data[:300]
            self.times.append(time.perf_counter() - self.since)
            self.pause()

    def is_whole(self) -> bool:
        """Return whether the answer has ended."""
        if self.streamed:
            return self.data.endswith(b"\r\n0\r\n\r\n")
        head, end, body = self.data.partition(b"\r\n\r\n")
        return bool(end) and len(body) >= int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])

    def connection_lost(self, error: Exception | None) -> None:
        """Fail where it was not our own end."""
        if not self.ended.done():
            self.ended.set_exception(error or ConnectionError("the connection was closed"))


def call(port: int, *, streamed: bool, count: int, callers: int, rate: float = 0.0) -> list[float]:
    """Send requests over that many connections, as fast as they can or so many a second; return their times, in ms."""
    body = (STREAMED if streamed else ASKED).encode()
    request = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n" % SECRET.encode()
    request += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    async def run() -> list[float]:
        loop, left, every = asyncio.get_running_loop(), [count], callers / rate if rate else 0.0
        made = [CallerProtocol(request, streamed, left, loop.create_future(), every) for _ in range(callers)]
        for each in made:
            await loop.create_connection(lambda one=each: one, "127.0.0.1", port)
        await asyncio.gather(*(each.ended for each in made))
        return [1000 * took for each in made for took in each.times]

    return uvloop.run(run())


def cpu(pids: list[int]) -> float:
    """Return the milliseconds of CPU that processes have used, all their threads together."""
    threads = [task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in threads) / 1e6


@contextmanager
def started(*arguments: str) -> Iterator[tuple[int, int]]:
    """Run one of our scripts that prints its port; yield port and process."""
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.kill()


CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log {folder}/access.log; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 1000000;
  upstream engine {{ server 127.0.0.1:{engine}; keepalive 64; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://engine; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
}}
"""


@contextmanager
def started_nginx(folder: Path, engine_port: int) -> Iterator[tuple[int, int]]:
    """Run nginx; yield its port and process.

    Raises:
        Unavailable: it is not here.
    """
    found = components.find("nginx", environment={"RINGFENCE_TOOLS": str(TOOLS), "PATH": os.environ.get("PATH", "")})
    port = free_port()
    folder.mkdir(mode=0o755)
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, engine=engine_port, port=port))
    arguments = [str(found.path), "-e", str(folder / "error.log"), "-c", str(configuration)]
    with subprocess.Popen(arguments, env=dict(found.environment), stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process)
            yield port, process.pid
        finally:
            process.terminate()


def free_port() -> int:
    """Return a port that nobody uses at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until somebody listens."""
    for _ in range(100):
        if process.poll() is not None:
            raise Unavailable("nginx did not start")
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise Unavailable("nginx does not listen")


@dataclass
class Contestant:
    """A way to the engine, and what was measured on it."""

    name: str
    port: int
    pids: list[int]
    refresh: Callable[[], None] = lambda: None
    plain: list[float] = field(default_factory=list)  # ms CPU per request
    paced: list[float] = field(default_factory=list)  # the same, at a pace
    streams: list[float] = field(default_factory=list)  # ms CPU per stream
    alone: list[float] = field(default_factory=list)  # ms, one caller

    def round(self) -> None:
        """Measure each once."""
        self.refresh()
        for kept, count, rate in ((self.plain, PLAIN, 0.0), (self.paced, PACED, PACE), (self.streams, STREAMS, 0.0)):
            before = cpu(self.pids)
            call(self.port, streamed=kept is self.streams, count=count, callers=CALLERS, rate=rate)
            kept.append((cpu(self.pids) - before) / count)
        self.alone += call(self.port, streamed=False, count=ALONE, callers=1)


def contestants(stack: ExitStack, folder: Path) -> dict[str, Contestant]:
    """Start everybody that is here."""
    port, _ = stack.enter_context(started(str(HERE), "engine"))
    gateway = stack.enter_context(GatewayProcess(folder / "home"))
    assert gateway.process is not None

    def refresh() -> None:
        gateway.publish([api_key()], [deployment("small", f"http://127.0.0.1:{port}/v1")])
        time.sleep(1)

    found = {"gateway": Contestant("gateway", gateway.port, [gateway.process.pid], refresh)}
    found["direct"] = Contestant("direct", port, [])
    relay_port, relay = stack.enter_context(started(str(HERE.with_name("relay.py")), str(port)))
    found["relay"] = Contestant("relay", relay_port, [relay])
    try:
        peer_port, pid = stack.enter_context(started_nginx(folder / "nginx", port))
        found["nginx"] = Contestant("nginx", peer_port, [pid])
    except Unavailable as problem:
        print(f"gateway: measured without nginx: {problem}", file=sys.stderr)
    for each in found.values():
        each.refresh()
        call(each.port, streamed=False, count=500, callers=CALLERS)
        call(each.port, streamed=True, count=50, callers=CALLERS)
    return found


def measure() -> list[Row]:
    """Run everybody in turn, so that all of them see the same machine."""
    with ExitStack() as stack:
        found = contestants(stack, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        for _ in range(ROUNDS):
            for each in found.values():
                each.round()
    ours, peer, floor = found["gateway"], found.get("nginx", Contestant("", 0, [])), found["relay"]
    bare = quantile(found["direct"].alone, 0.5)
    added = [took - bare for took in ours.alone]
    theirs = [took - bare for took in peer.alone]
    note = f"key check, JSON, two durable records; {CALLERS} callers as fast as they can, {PLAIN} requests a round"
    pace = f"{CALLERS} callers, {PACE} requests a second together: few share a sync, and everybody sleeps in between"
    least = "a relay of uvloop and httptools that parses both messages and does nothing else: the floor for Python"
    many = f"{CHUNKS} events, each a write of the engine; {STREAMS} streams a round"
    return [
        Row("gateway, one request", "<= 4 x nginx", ours.plain, "ms CPU", peer.name, peer.plain, 0.25, note=note),
        Row("a bare relay, one request", "printed", floor.plain, "ms CPU", peer.name, peer.plain, note=least),
        Row("gateway, one request at a pace", "printed", ours.paced, "ms CPU", peer.name, peer.paced, note=pace),
        Row("a bare relay, one request at a pace", "printed", floor.paced, "ms CPU", peer.name, peer.paced),
        Row("gateway, one stream", "<= 2 x nginx", ours.streams, "ms CPU", peer.name, peer.streams, 0.5, note=many),
        Row("a bare relay, one stream", "printed", floor.streams, "ms CPU", peer.name, peer.streams),
        Row("gateway, added wait, one caller", "printed", added, "ms", peer.name, theirs, note="fsync included"),
    ]


if __name__ == "__main__" and sys.argv[1:] == ["engine"]:
    uvloop.run(engine())
