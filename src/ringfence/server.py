"""The ASGI app: every capability's routes and pages behind one door; and the server that `up` runs."""

import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI
from starlette.responses import JSONResponse

import ringfence
from ringfence import assurance
from ringfence.admission import FrontDoor
from ringfence.app import open_services
from ringfence.approvals import Inbox
from ringfence.consoles import console, pages_of
from ringfence.cutoff.waiting import EverythingThatWaits
from ringfence.frontends import http, page
from ringfence.frontends.hosts import KnownHosts
from ringfence.frontends.http import MAX_BODY, require
from ringfence.frontends.joining import join
from ringfence.frontends.waiting import Item
from ringfence.governance.resolutions.waiting import for_member
from ringfence.identity import entry
from ringfence.identity.signin import entrance, site
from ringfence.identity.signin.model import Site
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import RingfenceError, UsageError
from ringfence.routes import routes_of
from ringfence.services import Services
from ringfence.settings import Settings
from ringfence.storage.duty import check_alone
from ringfence.workloads import judging
from ringfence.workloads.collecting.isolation import isolating
from ringfence.workloads.collecting.observing import Recorded

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# FastAPI changes the warning filters of the whole process while it builds a route: two threads that build at once
# would each restore what the other had changed.
_building = threading.Lock()


def create_app(services: Services, *, console: str = site.DEFAULT, hosts: Sequence[str] = ()) -> FastAPI:
    """Return the app over wired services.

    Args:
        services: what it is about.
        console: its address as browsers show it.
        hosts: further names under which it is asked.
    """
    with _building:
        return _built(services, site.of(console), hosts)


def _built(services: Services, address: Site, hosts: Sequence[str]) -> FastAPI:
    app = FastAPI(
        title="Ringfence",
        version=ringfence.__version__,
        docs_url=None,  # the interactive pages load scripts from a foreign host
        redoc_url=None,
        openapi_url=None,  # served below, to callers only
    )
    app.state.door = FrontDoor(services.identity, services.signin, services.access.accounts)
    app.state.behind_proxy = address.origin.startswith("https://")  # we speak plain HTTP: TLS is a proxy's
    http.install(app)
    app.add_middleware(BoundedBodies)
    app.add_middleware(KnownHosts, names=(address.rp_id, *hosts))
    cut = services.cutoff
    waiting = EverythingThatWaits(cut.compute, cut.incidents, cut.watch, cut.faults, services.customers.beginnings)
    inbox = _inbox(services, waiting)
    collectors = partial(_collectors, services)
    app.include_router(routes_of(services, inbox, collectors), prefix="/api/v1")
    pages = app.state.pages = pages_of(services, waiting)
    join(app.router, console(services, pages, waiting, inbox, address, collectors))
    page.install(app)
    _plain(app)
    return app


def _plain(app: FastAPI) -> None:
    """Add what is no page and no route of a capability."""

    @app.get("/healthz", include_in_schema=False)
    def alive() -> dict[str, str]:
        """Say that the process answers; nothing more, to nobody in particular."""
        return {"status": "up"}

    @app.get("/api/v1/openapi.json", include_in_schema=False)
    def openapi(caller: Annotated[Person, Depends(require("status.read"))]) -> Any:  # noqa: ARG001
        """Return the OpenAPI document."""
        return JSONResponse(app.openapi())


def _inbox(services: Services, waiting: EverythingThatWaits) -> Inbox:
    judged = partial(judging.wishes, services.judgements, services.identity.policies.allows)
    return assurance.inbox_of(services, waiting, partial(_votes, services), judged)


def _votes(services: Services, person: Person) -> list[Item]:
    return for_member(services.governing.all(person.tenant), person.id, services.clock.now())


def _collectors(services: Services) -> dict[str, Recorded]:
    return services.collectors | isolating(services, partial(create_app, services))


OPEN_PATHS = frozenset({*entrance.OPEN_PATHS, *entry.OPEN_PATHS, "/healthz"})
# ^ the only routes without `require`; a test holds this list


class BoundedBodies:
    """Refuse bodies beyond the limit before they are read into memory."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what arrives."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        seen = 0

        async def bounded() -> MutableMapping[str, Any]:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > MAX_BODY:
                raise UsageError(f"the request is longer than {MAX_BODY} bytes")
            return message

        await self.app(scope, bounded, send)


@contextmanager
def in_process(settings: Settings) -> Iterator[FastAPI]:
    """Open the app for one command of this process."""
    with open_services(settings) as services:
        check_alone(services.database)
        services.replay_journals()
        yield create_app(services)
        with suppress(RingfenceError):  # no loop runs here: what the command recorded counts when it ends
            services.ledger.integrate()
            services.cutoff.rest()


def run_server(app: FastAPI, sockets: list[socket.socket]) -> None:
    """Serve until a signal ends it."""
    # uvicorn raises the signal again once it has stopped; by default that would end us before anything is closed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.Server(config(app)).run(sockets=sockets)


def config(app: FastAPI) -> uvicorn.Config:
    """Return how the app is served.

    Where a request comes from, and whether over TLS, is believed of a proxy on this machine; without a proxy, where
    the console is at its own address, anybody could say so.
    """
    return uvicorn.Config(
        app,
        proxy_headers=app.state.behind_proxy,
        access_log=False,  # addresses of people are not ours to keep
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=5,
        limit_concurrency=512,
        h11_max_incomplete_event_size=64 * 2**10,
    )
