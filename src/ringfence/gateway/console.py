"""The Deployments page: what callers reach, what its digest rests on, who may call, and how much was used."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ringfence.frontends.http import require
from ringfence.frontends.live import Live
from ringfence.frontends.page import Pages, View
from ringfence.gateway import keys, shown
from ringfence.gateway.keys import KeyState
from ringfence.gateway.model import ApiKey, Basis, Deployment, DeploymentState
from ringfence.gateway.service import Gateway
from ringfence.gateway.statements import ABOUT_DEPLOYMENTS, ABOUT_KEYS
from ringfence.gateway.usage import Usage, Used
from ringfence.kernel.actor import Person
from ringfence.kernel.evidence import Log, Logged
from ringfence.kernel.identifier import Tenant

MOST_KEYS = 200
STATES = {
    DeploymentState.STARTING: "pending",
    DeploymentState.SERVING: "satisfied",
    DeploymentState.FAILED: "not-satisfied",
    DeploymentState.STOPPED: "not-applicable",
}
_KEYS = {
    KeyState.ACTIVE: "satisfied",
    KeyState.BLOCKED: "not-satisfied",
    KeyState.REVOKED: "not-applicable",
    KeyState.EXPIRED: "not-applicable",
}
_ORDER = (KeyState.BLOCKED, KeyState.ACTIVE, KeyState.EXPIRED, KeyState.REVOKED)

Reader = Annotated[Person, Depends(require("deployment.read"))]


@dataclass(frozen=True, slots=True)
class Row:
    """A deployment in the list."""

    one: Deployment
    mark: str
    basis: str  # loaded, declared or unknown: each has a look of its own
    says: str
    used: Used
    last: Logged | None


@dataclass(frozen=True, slots=True)
class Caller:
    """A key in the list."""

    key: ApiKey
    state: KeyState
    mark: str
    used: Used
    last: Logged | None


def row(one: Deployment, used: Used, last: Logged | None) -> Row:
    """Return the row of a deployment."""
    known = one.model.digest is not None
    basis = "unknown" if not known else "loaded" if one.model.basis is Basis.LOADED else "declared"
    return Row(one, STATES[one.state], basis, shown.basis(one), used, last)


def caller(key: ApiKey, at: datetime, used: Used, last: Logged | None) -> Caller:
    """Return the row of a key."""
    state = keys.state(key, at)
    return Caller(key, state, _KEYS[state], used, last)


@dataclass(frozen=True, slots=True)
class DeploymentPages:
    """The page over one gateway and one log."""

    gateway: Gateway
    counts: Callable[[], Usage]
    pages: Pages
    log: Log
    live: Live

    def listed(self, request: Request, person: Person) -> Response:
        """Return the page."""
        used, now = self.counts(), self.gateway.clock.now()
        about = self._about(person.tenant)
        rows = [
            row(one, used.of_deployment(person.tenant, one.name), about.get(one.subject.value if one.subject else b""))
            for one in self.gateway.deployments(person.tenant)
        ]
        callers = [
            caller(key, now, used.of_key(person.tenant, key.id), about.get(key.secret_hash))
            for key in self.gateway.keys(person.tenant)
        ]
        callers.sort(key=lambda each: (_ORDER.index(each.state), -each.key.created_at.timestamp()))
        return self.pages.respond(
            request,
            "deployments.html",
            View("What do callers reach, and who may call?", "ringfence deploy list", person),
            rows=sorted(rows, key=lambda each: (each.one.state is DeploymentState.STOPPED, each.one.name)),
            serving=sum(each.one.state is DeploymentState.SERVING for each in rows),
            running=sum(each.one.state is not DeploymentState.STOPPED for each in rows),
            callers=callers[:MOST_KEYS],
            total=len(callers),
            blocked=sum(each.state is KeyState.BLOCKED for each in callers),
            since=used.since,
            live=self.live(),
        )

    def _about(self, tenant: Tenant) -> dict[bytes, Logged]:
        """Return the newest statement about each deployment and key."""
        found = self.log.statements(tenant, (*ABOUT_DEPLOYMENTS, *ABOUT_KEYS))
        return {subject.digest.value: logged for logged in found for subject in logged.envelope.statement.subjects}


def router(gateway: Gateway, counts: Callable[[], Usage], pages: Pages, log: Log, live: Live) -> APIRouter:
    """Return the Deployments page."""
    routes = APIRouter(include_in_schema=False)
    shows = DeploymentPages(gateway, counts, pages, log, live)

    @routes.get("/deployments")
    def listed(request: Request, person: Reader) -> Response:
        return shows.listed(request, person)

    return routes
