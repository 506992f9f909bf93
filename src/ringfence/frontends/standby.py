"""What a second `ringfence up` answers while another one runs the installation: one sentence, at every address."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import socket
from typing import Protocol

import uvicorn
from fastapi import FastAPI
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from ringfence.frontends import http, page
from ringfence.frontends.page import Pages
from ringfence.frontends.terminal import say
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import RingfenceError, Unavailable

LOOK_EVERY = 0.5  # seconds


class Place(Protocol):
    """The place of the one that runs the installation."""

    def take(self) -> bool:
        """Return whether we run it: from now on, or since before."""
        ...


def wait_for_duty(place: Place, door: socket, who: Callable[[], str], clock: Clock) -> bool:
    """Return once we run the installation; until then say at `door` who does. Return whether that took a while."""
    if place.take():
        return False
    say(f"stands by     http://localhost:{door.getsockname()[1]}: {sentence(who())}")
    with _answering(door, lambda: sentence(who()), clock):
        while not _taken(place):
            time.sleep(LOOK_EVERY)
    say("takes over    whoever ran this installation has ended")
    return True


def sentence(where: str) -> str:
    """Return what is said of an installation that runs elsewhere."""
    return f"this one stands by: `ringfence up` runs this installation at {where or 'another place'}; ask there"


def _taken(place: Place) -> bool:
    try:
        return place.take()
    except RingfenceError:
        return False  # the database is away: for whoever runs, too


@contextmanager
def _answering(door: socket, said: Callable[[], str], clock: Clock) -> Iterator[None]:
    options = uvicorn.Config(answering(said, clock), access_log=False, log_level="warning", server_header=False)
    server = uvicorn.Server(options)
    # A copy: uvicorn closes what it was given, and whoever knocks meanwhile waits at the door for what comes after.
    thread = threading.Thread(target=server.run, args=([door.dup()],), name="standby", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def answering(said: Callable[[], str], clock: Clock) -> FastAPI:
    """Return the app that says who runs the installation."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.pages = Pages(clock)
    http.install(app)

    @app.get("/healthz")
    def stands_by() -> JSONResponse:
        """Say that this is not where to send anybody."""
        return JSONResponse({"status": "stands by"}, status_code=503)

    page.install(app)

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse whatever is asked: there is no other route."""
        del scope, receive, send
        raise Unavailable(_safe(said))

    app.router.default = refuse
    return app


def _safe(said: Callable[[], str]) -> str:
    try:
        return said()
    except RingfenceError as error:
        return f"this one stands by, and who runs is not known now: {error}"
