"""A small HTTP/1.1 client: one kept connection per worker, one request at a time."""

import asyncio
from dataclasses import dataclass
from typing import cast

import httptools

from ringfence.redteam.answers import MAX_ANSWER
from ringfence.redteam.runner.address import Address

MAX_HEADERS = 100
MAX_RAW = 2 * MAX_ANSWER  # of a response in all: its headers and the frames of its chunks too
CONNECT_TIMEOUT = 10.0


@dataclass(slots=True)
class Response:
    """A response that has come in whole."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection(asyncio.Protocol):
    """One connection; requests on it follow one another."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Response] | None = None
        self._fresh()

    def _fresh(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._received = 0
        self._whole = False  # whether the headers are complete
        self.usable = True

    async def ask(self, address: Address, body: bytes) -> Response:
        """Send a request and return its response; raise `OSError` where the connection breaks."""
        if self._transport is None:
            raise ConnectionError("not connected")
        self._fresh()
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(b"%bcontent-length: %d\r\n\r\n%b" % (address.head, len(body), body))
        return await self._waiting

    def close(self) -> None:
        """Close it."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop has a class of its own

    def data_received(self, data: bytes) -> None:
        if self._waiting is None or self._waiting.done():
            self.close()  # it talks without being asked
            return
        self._received += len(data)
        if self._received > MAX_RAW:
            self._broken("the answer is too long")
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._broken("the answer is not HTTP")

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        waiting = self._waiting
        if waiting is None or waiting.done():
            return
        until_the_end = self._whole and not {"content-length", "transfer-encoding"} & self._headers.keys()
        if exc is None and until_the_end:
            self._answer()
        else:
            self._broken("the connection ended in the middle of an answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        if len(self._headers) >= MAX_HEADERS:
            self._broken("the answer has too many headers")
            return
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        """Note that what follows is the body."""
        self._whole = True

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self._body += body
        if len(self._body) > MAX_ANSWER:
            self._broken("the answer is too long")

    def on_message_complete(self) -> None:
        """Hand the response over; an interim one is followed by another."""
        if self._parser.get_status_code() < 200:
            self._headers, self._whole = {}, False
            return
        self.usable = self._parser.should_keep_alive()
        self._answer()

    def _answer(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Response(self._parser.get_status_code(), self._headers, bytes(self._body)))

    def _broken(self, why: str) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError(why))
        self.close()


async def connect(address: Address) -> Connection:
    """Open a connection; raise `OSError`."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_TIMEOUT):
        _, connection = await loop.create_connection(Connection, address.host, address.port, ssl=address.tls)
    return connection
