"""The witness over HTTP: c2sp.org/tlog-witness, and a page that says whose witness it is."""

import asyncio
from collections.abc import Callable

import uvicorn
from h11 import IDLE
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from ringfence.kernel.errors import RingfenceError
from ringfence.ledger.anchors.exchange import MAX_BODY, PATH
from ringfence.ledger.witness.model import Answer
from ringfence.ledger.witness.service import Witnessing

READ_WITHIN = 10.0  # seconds for the headers of a request to arrive, and again for a whole submission
AT_ONCE = 64  # connections; a submission takes milliseconds


def create_app(witness: Witnessing) -> Starlette:
    """Return the app of a witness."""

    async def add_checkpoint(request: Request) -> Response:
        body = await _bounded(request)
        return _response(body if isinstance(body, Answer) else await _answered(witness.add_checkpoint, body))

    async def introduction(_: Request) -> Response:
        try:
            return _response(Answer(200, await run_in_threadpool(witness.introduction)))
        except RingfenceError as error:
            return _response(Answer(503, f"{error}\n"))

    return Starlette(routes=[Route(PATH, add_checkpoint, methods=["POST"]), Route("/", introduction, methods=["GET"])])


class Hurried(H11Protocol):
    """HTTP/1.1 by uvicorn; a connection that brings no whole headers in time is closed, else few would fill it up."""

    within = READ_WITHIN
    _hurry: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._wait()

    def _wait(self) -> None:
        self._stop()
        self._hurry = self.loop.call_later(self.within, self._late)

    def _stop(self) -> None:
        if self._hurry is not None:
            self._hurry.cancel()

    def _late(self) -> None:
        if self.conn.their_state is IDLE:  # else the headers are here, and the app bounds the body
            self.transport.abort()


def config(app: Starlette, protocol: type[H11Protocol] = Hurried) -> uvicorn.Config:
    """Return how a witness is served."""
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=5,
        limit_concurrency=AT_ONCE,
        h11_max_incomplete_event_size=64 * 2**10,
    )


async def _answered(add: Callable[[bytes], Answer], body: bytes) -> Answer:
    try:
        return await run_in_threadpool(add, body)
    except RingfenceError as error:  # the disk is full, the folder is damaged: nothing was cosigned
        return Answer(503, f"{error}\n")


async def _bounded(request: Request) -> bytes | Answer:
    async def read() -> bytes | Answer:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY:
                return Answer(413, f"a submission has at most {MAX_BODY} bytes\n")
        return body

    try:
        return await asyncio.wait_for(read(), READ_WITHIN)
    except TimeoutError:
        return Answer(408, "the submission did not arrive in time\n")
    except ClientDisconnect:
        return Answer(400, "the submission ended early\n")


def _response(answer: Answer) -> Response:
    return Response(answer.text, answer.status, headers={"content-type": answer.kind})  # as it is, without a charset
