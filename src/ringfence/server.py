"""The ASGI app: every capability's routes and pages behind one door; and the server that `up` runs."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import APIRouter, Depends, FastAPI
from starlette.responses import JSONResponse

import ringfence
from ringfence import today
from ringfence.admission import FrontDoor
from ringfence.app import Services, open_services
from ringfence.artifacts import api as artifacts_api
from ringfence.artifacts.models import api as models_api
from ringfence.artifacts.models import console as models_console
from ringfence.compute import api as compute_api
from ringfence.compute import console as nodes
from ringfence.cutoff.waiting import EverythingThatWaits
from ringfence.frontends import http, page, parts
from ringfence.frontends.http import MAX_BODY, require
from ringfence.frontends.live import Live
from ringfence.frontends.page import Pages
from ringfence.gateway import api as gateway_api
from ringfence.gateway import console as deployments
from ringfence.identity import api as identity_api
from ringfence.identity import entry
from ringfence.identity.acting import api as acting_api
from ringfence.identity.acting import console as signing_page
from ringfence.identity.signin import api as signin_api
from ringfence.identity.signin import console as own_sign_in
from ringfence.identity.signin import entrance, site
from ringfence.identity.signin.model import Site
from ringfence.incidents import api as incidents_api
from ringfence.incidents import console as rooms
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import NotFound, RingfenceError, Unavailable, UsageError
from ringfence.ledger import api as ledger_api
from ringfence.ledger import console as evidence
from ringfence.ledger.anchoring import api as anchoring_api
from ringfence.ledger.anchoring import console as anchors
from ringfence.ledger.explorer import api as explorer_api
from ringfence.ledger.explorer import console as explorer
from ringfence.obligations import api as obligations_api
from ringfence.redteam import api as redteam_api
from ringfence.redteam import console as probes
from ringfence.reports import api as reports_api
from ringfence.retention import api as retention_api
from ringfence.retention import console as retention
from ringfence.settings import Settings
from ringfence.signing import api as signing_api
from ringfence.signing import console as keys
from ringfence.soc import api as soc_api
from ringfence.soc import console as findings
from ringfence.workloads import api as workloads_api
from ringfence.workloads.runs import api as runs_api

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# FastAPI changes the warning filters of the whole process while it builds a route: two threads that build at once
# would each restore what the other had changed.
_building = threading.Lock()


def create_app(services: Services, *, console: str = site.DEFAULT) -> FastAPI:
    """Return the app over wired services; `console` is its address as browsers show it."""
    with _building:
        return _built(services, site.of(console))


def _built(services: Services, address: Site) -> FastAPI:
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
    app.include_router(_api(services), prefix="/api/v1")
    cut = services.cutoff
    waiting = EverythingThatWaits(cut.compute, cut.incidents, cut.watch, cut.faults)
    pages = Pages(services.clock, services.demo_tenants.__contains__, waiting.clocks)
    app.state.pages = pages
    app.include_router(entrance.router(services.identity, services.signin, pages, address))
    app.include_router(entry.elsewhere(services.access, services.signin, pages))
    acting = services.acting
    app.include_router(own_sign_in.router(services.signin, pages, address, acting.desk.signers))
    app.include_router(signing_page.router(acting.desk, acting.enrolling, pages, address))
    app.include_router(today.router(services.status, services.ledger, pages, services.clock, waiting))
    anchoring = services.anchored.service
    app.include_router(explorer.router(services.explorer, services.ledger, pages, anchoring.covering))
    fate, beside = services.retention.fate, services.explorer.beside
    app.include_router(
        evidence.router(
            services.ledger, pages, anchoring.vouched, fate, anchoring.covering, beside, anchoring.witnesses
        )
    )
    app.include_router(anchors.router(anchoring, pages))
    app.include_router(keys.router(services.keys, services.explorer.stated, pages))
    live = Live(services.ledger)
    app.include_router(nodes.router(cut.compute, pages, services.ledger, live, acting.prepare))
    serving = services.serving
    app.include_router(deployments.router(serving.gateway, serving.counts.read, pages, services.ledger, live))
    app.include_router(findings.router(cut.watch, pages, services.ledger, live))
    app.include_router(rooms.router(cut.incidents, pages, services.ledger, live, acting.prepare))
    app.include_router(probes.router(services.redteam, pages, live))
    app.include_router(models_console.router(services.models, pages, services.ledger, live))
    app.include_router(retention.router(services.retention, pages))
    app.include_router(parts.router(pages))
    page.install(app)

    @app.get("/healthz", include_in_schema=False)
    def alive() -> dict[str, str]:
        """Say that the process answers; nothing more, to nobody in particular."""
        return {"status": "up"}

    @app.get("/api/v1/openapi.json", include_in_schema=False)
    def openapi(caller: Annotated[Person, Depends(require("status.read"))]) -> Any:  # noqa: ARG001
        """Return the OpenAPI document."""
        return JSONResponse(app.openapi())

    return app


def _api(services: Services) -> APIRouter:
    routes = APIRouter()
    identity, ledger = services.identity, services.ledger
    routes.include_router(
        identity_api.router(identity, log=services.home.log, is_demo=services.demo_tenants.__contains__)
    )
    routes.include_router(entry.routes(services.access))
    routes.include_router(signin_api.router(services.signin))
    routes.include_router(acting_api.router(services.acting.desk, services.acting.enrolling))
    routes.include_router(ledger_api.router(ledger, services.outbox, ledger.publishable))
    routes.include_router(explorer_api.router(services.explorer))
    routes.include_router(anchoring_api.router(services.anchored.service, services.anchored.configuring))
    routes.include_router(artifacts_api.router(services.artifacts))
    routes.include_router(models_api.router(services.models))
    routes.include_router(obligations_api.router(services.status, services.cutoff.not_working))
    routes.include_router(redteam_api.router(services.redteam))
    routes.include_router(reports_api.router(services.packs))
    routes.include_router(retention_api.router(services.retention))
    routes.include_router(runs_api.router(services.runs))
    routes.include_router(compute_api.router(services.cutoff.compute))
    routes.include_router(signing_api.router(services.keys))
    routes.include_router(soc_api.router(services.cutoff.watch, clock=services.clock))
    routes.include_router(incidents_api.router(services.cutoff.incidents))
    routes.include_router(gateway_api.router(services.serving.gateway, services.serving.counts.read))
    routes.include_router(gateway_api.receipts_router(services.receiving.receipts, services.receiving.intake))
    routes.include_router(workloads_api.router(services.deploying, services.models.trusted))
    routes.include_router(_records(services))
    return routes


def _records(services: Services) -> APIRouter:
    routes = APIRouter(tags=["records"])

    @routes.post("/records/{evidence_type}", status_code=201)
    def collect(evidence_type: str, caller: Annotated[Person, Depends(require("record.collect"))]) -> dict[str, Any]:
        """Run the collector of an evidence type and record what it found."""
        collector = services.collectors.get(evidence_type)
        if collector is None:
            known = ", ".join(sorted(services.collectors))
            raise NotFound(f"no collector states {evidence_type!r}; collectors state {known}")
        return {"type": evidence_type, "statement": collector(caller.tenant).to_json()}

    return routes


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
        services.replay_journals()
        yield create_app(services)
        with suppress(RingfenceError):  # no loop runs here: what the command recorded counts when it ends
            services.ledger.integrate()
            services.cutoff.rest()


def listen_on_socket(path: Path) -> socket.socket:
    """Open the socket in the home, which only its owner may use."""
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.connect(str(path))
    except FileNotFoundError:
        pass
    except ConnectionRefusedError:
        if not path.is_socket():
            raise Unavailable(f"{path} is in the way of the socket; move it elsewhere") from None
        path.unlink(missing_ok=True)  # left behind by a server that was killed
    except OSError as error:
        raise Unavailable(f"the socket {path} cannot be opened: {error.strerror or error}") from error
    else:
        raise Unavailable(f"`ringfence up` is running for {path.parent} already; use it, or stop it first")
    finally:
        probe.close()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        bound.bind(str(path))
    except OSError as error:
        bound.close()
        raise Unavailable(f"the socket {path} cannot be made: {error.strerror or error}") from error
    finally:
        os.umask(before)
    return bound


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
