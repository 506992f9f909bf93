"""The Models page: which models were signed, by whom, what their scans said, and where they serve."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ringfence.artifacts.models.model import Recorded, Verdict
from ringfence.artifacts.models.ports import Log
from ringfence.artifacts.models.service import Models
from ringfence.frontends.http import require
from ringfence.frontends.live import Live
from ringfence.frontends.page import Pages, View
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.evidence import TRUSTED
from ringfence.kernel.identifier import PredicateName, Tenant

Reader = Annotated[Person, Depends(require("model.read"))]
# What deployments state is the gateway's and the workloads' affair; the page only shows what the log says.
STARTED, ENDED = "deployment.started", ("deployment.failed", "deployment.stopped")
MARKS = {Verdict.CLEAN: "satisfied", Verdict.UNKNOWN: "pending", Verdict.REFUSED: "not-satisfied"}


@dataclass(frozen=True, slots=True)
class ModelPages:
    """The Models page over the log."""

    models: Models
    pages: Pages
    log: Log
    live: Live

    def listed(self, request: Request, caller: Person) -> Response:
        """Return the list, what a scan refused on top."""
        serving = served(self.log, caller.tenant)
        rows = [row(model, serving.get(model.digest, ())) for model in self.models.all(caller.tenant)]
        rows.sort(key=lambda one: (one["rank"], one["model"].name))
        return self.pages.respond(
            request,
            "models.html",
            View("Which models are signed, and what did their scans say?", "ringfence model list", caller),
            rows=rows,
            clean=sum(one["model"].scan is Verdict.CLEAN for one in rows),
            live=self.live(),
        )


def row(model: Recorded, serving: Iterable[str]) -> dict[str, Any]:
    """Return what the page shows of a model."""
    if model.scan is None:
        mark, said, rank = "not-applicable", "not scanned", 1
    else:
        mark, said = MARKS[model.scan], model.scan.value
        rank = 2 if model.scan is Verdict.CLEAN else 0
    noted = f"{model.noted} to read first" if model.noted else ""
    return {"model": model, "mark": mark, "said": said, "noted": noted, "rank": rank, "serving": sorted(serving)}


def served(log: Log, tenant: Tenant) -> dict[Digest, set[str]]:
    """Return under which names each model's bytes serve, by the digest that was bound when they were loaded."""
    found: dict[str, Digest] = {}
    for logged in log.statements(tenant, tuple(map(PredicateName, (STARTED, *ENDED)))):
        statement = logged.envelope.statement
        name = statement.claims.get("deployment")
        if not isinstance(name, str) or logged.standing != TRUSTED:
            continue
        found.pop(name, None)
        if statement.predicate == STARTED:
            with suppress(MalformedInput):  # an engine whose bytes nobody knows has no digest
                found[name] = Digest.parse(statement.claims.get("digest"))
    return {digest: {name for name, bound in found.items() if bound == digest} for digest in found.values()}


def router(models: Models, pages: Pages, log: Log, live: Live) -> APIRouter:
    """Return the Models page."""
    routes = APIRouter(include_in_schema=False)
    shown = ModelPages(models, pages, log, live)

    @routes.get("/models")
    def listed(request: Request, caller: Reader) -> Response:
        return shown.listed(request, caller)

    return routes
