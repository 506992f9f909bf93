"""The pages and routes by which somebody judges where a tenant stands, joined."""

from fastapi import APIRouter

from ringfence import approvals, proof
from ringfence.approvals import Inbox, Source
from ringfence.frontends.joining import join
from ringfence.frontends.live import Live
from ringfence.frontends.page import Pages
from ringfence.frontends.waiting import Waiting
from ringfence.obligations.comparing import api as comparing_api
from ringfence.obligations.comparing import console as comparing
from ringfence.obligations.frameworks import api as frameworks_api
from ringfence.obligations.frameworks import console as frameworks
from ringfence.obligations.reasons import api as reasons_api
from ringfence.obligations.reasons import console as reasons
from ringfence.obligations.standings import api as standings_api
from ringfence.obligations.standings import console as standings
from ringfence.obligations.threats import api as threats_api
from ringfence.obligations.threats import console as threats
from ringfence.services import Services
from ringfence.workloads.assets import Held, Measured


def pages_of(services: Services, pages: Pages, live: Live, inbox: Inbox) -> APIRouter:
    """Return the pages."""
    status, joined = services.status, APIRouter()
    join(joined, standings.router(status, pages))
    join(joined, reasons.router(status, pages, live, services.judgements.beside))
    join(joined, comparing.router(services.comparing, pages))  # before the one that takes any name in the same place
    join(joined, frameworks.router(status, pages))
    join(joined, threats.router(status, _held(services), Measured(services.redteam), pages))
    join(joined, proof.router(_shown(services), pages))
    join(joined, approvals.router(inbox, pages))
    return joined


def routes_of(services: Services, inbox: Inbox) -> APIRouter:
    """Return the routes of the API."""
    status, joined = services.status, APIRouter()
    join(joined, standings_api.router(status))
    join(joined, reasons_api.router(status, services.judgements.beside))
    join(joined, comparing_api.router(services.comparing))  # as above
    join(joined, frameworks_api.router(status))
    join(joined, threats_api.router(status, _held(services), Measured(services.redteam)))
    join(joined, proof.api(_shown(services)))
    join(joined, approvals.api(inbox))
    return joined


def inbox_of(services: Services, waiting: Waiting, *others: Source) -> Inbox:
    """Return what waits for one person's signature; `others` are the sources of further capabilities."""
    allows = services.identity.policies.allows
    reviews, compute = services.access.reviews, services.cutoff.compute
    return Inbox(services.acting.desk, reviews, compute, waiting, allows, services.clock, others)


def _held(services: Services) -> Held:
    return Held(services.belongings)


def _shown(services: Services) -> proof.Shown:
    explorer, keys = services.explorer, services.keys
    return proof.Shown(services.ledger, services.anchored.service, explorer.sources, keys.history, services.clock)
