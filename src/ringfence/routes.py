"""The routes of the API, wired: what programs and the command line ask of every capability."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence import assurance
from ringfence.approvals import Inbox
from ringfence.artifacts import api as artifacts_api
from ringfence.artifacts.checks import api as dataset_checks_api
from ringfence.artifacts.checks.service import DatasetChecks, DatasetHistories, DatasetScreens
from ringfence.artifacts.models import api as models_api
from ringfence.compute import api as compute_api
from ringfence.customers import api as customers_api
from ringfence.exports import api as exports_api
from ringfence.frontends.http import require
from ringfence.frontends.joining import join
from ringfence.gateway import api as gateway_api
from ringfence.governance.exceptions import api as exceptions_api
from ringfence.governance.opinions import api as opinions_api
from ringfence.governance.oversight import api as oversight_api
from ringfence.governance.resolutions import api as resolutions_api
from ringfence.governance.risks import api as risks_api
from ringfence.identity import api as identity_api
from ringfence.identity import entry
from ringfence.identity.acting import api as acting_api
from ringfence.identity.signin import api as signin_api
from ringfence.incidents import api as incidents_api
from ringfence.kernel.actor import Person
from ringfence.keyrelease import api as keyrelease_api
from ringfence.ledger import api as ledger_api
from ringfence.ledger.anchoring import api as anchoring_api
from ringfence.ledger.explorer import api as explorer_api
from ringfence.lineage import api as lineage_api
from ringfence.obligations import api as obligations_api
from ringfence.obligations.forms import api as forms_api
from ringfence.obligations.overriding import api as overriding_api
from ringfence.obligations.policies import api as policies_api
from ringfence.obligations.profiles import api as profiles_api
from ringfence.obligations.scoping import api as scope_api
from ringfence.redteam import api as redteam_api
from ringfence.reports import api as reports_api
from ringfence.retention import api as retention_api
from ringfence.services import Services
from ringfence.signing import api as signing_api
from ringfence.soc import api as soc_api
from ringfence.workloads import api as workloads_api
from ringfence.workloads import scoping
from ringfence.workloads.backups import api as backups_api
from ringfence.workloads.collecting.observing import Collectors, named
from ringfence.workloads.gating import api as gating_api
from ringfence.workloads.intake import api as intake_api
from ringfence.workloads.mlflow import api as mlflow_api
from ringfence.workloads.practice import wires as practising
from ringfence.workloads.runs import api as runs_api


def routes_of(services: Services, inbox: Inbox, collectors: Collectors) -> APIRouter:
    """Return every route below `/api/v1`; `collectors` are those that somebody may run."""
    routes = APIRouter()
    identity, ledger = services.identity, services.ledger
    join(routes, identity_api.router(identity, log=services.home.log, is_demo=services.demo_tenants.__contains__))
    join(routes, entry.routes(services.access))
    join(routes, signin_api.router(services.signin))
    acting = services.acting
    join(routes, acting_api.router(acting.desk, acting.enrolling))
    join(routes, forms_api.router(acting.forms))
    join(routes, profiles_api.router(services.profiles))
    join(routes, overriding_api.router(services.overriding))
    join(routes, policies_api.router(services.policies))
    join(routes, ledger_api.router(ledger, services.outbox, ledger.publishable, scoping.takers(services.scopes)))
    join(routes, explorer_api.router(services.explorer))
    join(routes, anchoring_api.router(services.anchored.service, services.anchored.configuring))
    join(routes, artifacts_api.router(services.artifacts))
    histories = DatasetHistories(services.artifacts, ledger)
    screens = DatasetScreens(histories, acting.forms.take)
    join(routes, dataset_checks_api.router(DatasetChecks(services.artifacts), histories, screens))
    join(routes, keyrelease_api.router(services.keyrelease))
    join(routes, models_api.router(services.models))
    join(routes, lineage_api.router(services.lineage, services.behind))
    join(routes, obligations_api.router(services.status, services.cutoff.not_working))
    join(routes, redteam_api.router(services.redteam))
    join(routes, _judgements(services))
    join(routes, resolutions_api.router(services.governing))
    join(routes, oversight_api.router(services.overseeing))
    join(routes, reports_api.router(services.packs))
    join(routes, exports_api.router(services.exports))
    join(routes, customers_api.router(services.customers, services.home.log))
    join(routes, exports_api.technical(services.technical))
    join(routes, retention_api.router(services.retention))
    join(routes, runs_api.router(services.runs))
    join(routes, mlflow_api.router(services.foreign_runs))
    join(routes, compute_api.router(services.cutoff.compute))
    join(routes, signing_api.router(services.keys))
    join(routes, soc_api.router(services.cutoff.watch, clock=services.clock))
    join(routes, incidents_api.router(services.cutoff.incidents))
    join(routes, gateway_api.router(services.serving.gateway, services.serving.counts.read))
    join(routes, gateway_api.receipts_router(services.receiving.receipts, services.receiving.intake))
    join(routes, workloads_api.router(services.deploying, services.models.trusted))
    join(routes, intake_api.router(services.gates.intakes))
    join(routes, gating_api.router(services.gates))
    join(routes, backups_api.router(services.backups))
    join(routes, scope_api.router(services.scopes))
    join(routes, assurance.routes_of(services, inbox))
    join(routes, _records(collectors))
    for made in practising.routes(services):
        join(routes, made)
    return routes


def _judgements(services: Services) -> APIRouter:
    routes, judged = APIRouter(), services.judgements
    join(routes, risks_api.router(judged.risks))
    join(routes, exceptions_api.router(judged.exceptions))
    join(routes, opinions_api.router(judged.opinions, judged.documents))
    return routes


def _records(collectors: Collectors) -> APIRouter:
    routes = APIRouter(tags=["records"])

    @routes.post("/records/{evidence_type}", status_code=201)
    def collect(evidence_type: str, caller: Annotated[Person, Depends(require("record.collect"))]) -> dict[str, Any]:
        """Run the collector of an evidence type and record what it found."""
        collector = named(collectors(), evidence_type)
        return {"type": evidence_type, "statement": collector(caller.tenant).to_json()}

    return routes
