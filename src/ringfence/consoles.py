"""The pages of the console, wired: what people see of every capability."""

from functools import partial

from fastapi import APIRouter

from ringfence import assurance, today
from ringfence.approvals import Inbox
from ringfence.artifacts.checks import console as datasets
from ringfence.artifacts.checks.service import DatasetHistories
from ringfence.artifacts.models import console as models_console
from ringfence.compute import console as nodes
from ringfence.customers import console as customers
from ringfence.cutoff.waiting import EverythingThatWaits
from ringfence.frontends import parts
from ringfence.frontends.joining import join
from ringfence.frontends.live import Live
from ringfence.frontends.page import Pages
from ringfence.frontends.places import PLACES, PRACTICE, PRACTISE, with_tab
from ringfence.gateway import console as deployments
from ringfence.governance import console as decisions
from ringfence.governance.console import Decisions
from ringfence.governance.exceptions import console as exceptions
from ringfence.governance.risks import console as risks
from ringfence.identity import entry
from ringfence.identity.acting import console as signing_page
from ringfence.identity.signin import console as own_sign_in
from ringfence.identity.signin import entrance
from ringfence.identity.signin.model import Site
from ringfence.incidents import console as rooms
from ringfence.keyrelease import console as releases
from ringfence.ledger import console as evidence
from ringfence.ledger.anchoring import console as anchors
from ringfence.ledger.explorer import console as explorer
from ringfence.lineage import console as lineages
from ringfence.obligations.forms import console as forms
from ringfence.obligations.overriding import console as overriding
from ringfence.obligations.policies import console as policies
from ringfence.obligations.profiles import console as profiles
from ringfence.obligations.scoping import console as scope
from ringfence.redteam import console as probes
from ringfence.retention import console as retention
from ringfence.services import Services
from ringfence.signing import console as keys
from ringfence.soc import console as findings
from ringfence.workloads.collecting.observing import Collectors
from ringfence.workloads.console import wires
from ringfence.workloads.gating import console as gate
from ringfence.workloads.gating.console import GatePages
from ringfence.workloads.governing import ProofChips
from ringfence.workloads.practice import wires as practising


def pages_of(services: Services, waiting: EverythingThatWaits) -> Pages:
    """Return what renders every page."""
    provider = partial(entry.provider_of, services.access)
    places = with_tab(PLACES, "/incidents", PRACTISE if practising.is_ground(services) else PRACTICE)
    return Pages(services.clock, services.demo_tenants.__contains__, waiting.clocks, places, provider)


def console(
    services: Services, pages: Pages, waiting: EverythingThatWaits, inbox: Inbox, address: Site, collectors: Collectors
) -> APIRouter:
    """Return every page; `collectors` are what a person may run from one."""
    routes = APIRouter()
    cut = services.cutoff
    ground, practice = practising.beside(services), practising.is_ground(services)
    join(routes, entrance.router(services.identity, services.signin, pages, address, practice=practice))
    join(routes, entry.elsewhere(services.access, services.signin, pages))
    acting = services.acting
    join(routes, own_sign_in.router(services.signin, pages, address, acting.desk.signers))
    join(routes, signing_page.router(acting.desk, acting.enrolling, pages, address))
    first = wires.first_steps(services, acting.signs)
    join(routes, today.router(services.status, services.ledger, pages, services.clock, waiting, inbox, first, ground))
    anchoring = services.anchored.service
    join(routes, explorer.router(services.explorer, services.ledger, pages, anchoring.covering))
    fate, beside = services.retention.fate, services.explorer.beside
    join(
        routes,
        evidence.router(
            services.ledger, pages, anchoring.vouched, fate, anchoring.covering, beside, anchoring.witnesses
        ),
    )
    join(routes, anchors.router(anchoring, pages))
    join(routes, keys.router(services.keys, services.explorer.stated, pages))
    live = Live(services.ledger)
    for made in wires.routers(services, pages, live, collectors, acting.prepare, acting.signs):
        join(routes, made)  # they go before those that take any name in the same place
    join(routes, nodes.router(cut.compute, pages, services.ledger, live, acting.prepare))
    serving = services.serving
    join(routes, deployments.router(serving.gateway, serving.counts.read, pages, services.ledger, live))
    join(routes, findings.router(cut.watch, pages, services.ledger, live))
    join(routes, rooms.router(cut.incidents, pages, services.ledger, live, acting.prepare, ground))
    for made in practising.routers(services, pages):
        join(routes, made)
    join(routes, probes.router(services.redteam, pages, live))
    join(routes, lineages.router(services.lineage, services.behind, pages))
    join(routes, releases.router(services.keyrelease, pages, services.ledger))
    join(routes, models_console.router(services.models, pages, services.ledger, live))
    join(routes, datasets.router(DatasetHistories(services.artifacts, services.ledger), pages, live))
    join(routes, gate.router(_gate(services, pages, live)))
    join(routes, _about_duties(services, pages))
    join(routes, assurance.pages_of(services, pages, live, inbox))
    join(routes, _about_judgements(services, pages))
    join(routes, decisions.router(_decisions(services, pages)))
    join(routes, _about_access(services, pages))
    join(routes, parts.router(pages))
    return routes


def _about_duties(services: Services, pages: Pages) -> APIRouter:
    routes, prepare, allows = APIRouter(), services.acting.prepare, services.identity.policies.allows
    join(routes, retention.router(services.retention, pages))
    join(routes, forms.router(services.acting.forms, pages, prepare))
    join(routes, overriding.router(services.overriding, pages, prepare, allows))
    join(routes, profiles.router(services.profiles, pages, prepare, allows))
    join(routes, policies.router(services.policies, pages))
    join(routes, customers.router(services.customers, pages, prepare, allows, services.home.log))
    join(routes, scope.router(services.scopes, services.status, pages, prepare, allows))
    return routes


def _about_judgements(services: Services, pages: Pages) -> APIRouter:
    routes, judged, prepare = APIRouter(), services.judgements, services.acting.prepare
    names, allows = partial(entry.names, services.access, services.identity), services.identity.policies.allows
    join(routes, risks.router(judged.risks, names, pages, prepare, allows))
    join(routes, exceptions.router(judged.exceptions, judged.opinions, names, pages, prepare, allows))
    return routes


def _gate(services: Services, pages: Pages, live: Live) -> GatePages:
    names, allows = partial(entry.names, services.access, services.identity), services.identity.policies.allows
    return GatePages(services.gates, names, pages, live, services.acting.prepare, allows)


def _decisions(services: Services, pages: Pages) -> Decisions:
    return Decisions(
        services.governing,
        services.overseeing,
        services.judgements,
        ProofChips(services.ledger),
        pages,
        services.acting.prepare,
        services.identity.policies.allows,
    )


def _about_access(services: Services, pages: Pages) -> APIRouter:
    beside = entry.Beside(services.acting.prepare, services.holdings)
    return entry.pages_about_access(services.access, services.identity, services.signin, pages, beside)
