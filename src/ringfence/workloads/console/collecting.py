"""The page that runs a collector: what it is asked for, what it found, and which controls turned, or why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.live import proof
from ringfence.frontends.page import Allows, Pages, View
from ringfence.kernel.actor import Person
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import Tenant
from ringfence.obligations.results import Board, ControlResult, RequirementResult
from ringfence.workloads.collecting.observing import Collectors, named
from ringfence.workloads.console.jobs import PATIENCE, Job, Jobs

COLLECT = "record.collect"
Reader = Annotated[Person, Depends(require("status.read"))]
Collecting = Annotated[Person, Depends(require(COLLECT))]
Name = Annotated[str, Path(max_length=80)]


class Boards(Protocol):
    """Compute the status of every control."""

    def board(self, tenant: Tenant) -> Board:
        """Return the board of a tenant now."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """A control that asks for what was collected: how it stood before, and how it stands now."""

    before: ControlResult
    after: ControlResult

    @property
    def turned(self) -> bool:
        """Tell whether its state is another one."""
        return self.before.verdict.state is not self.after.verdict.state


@dataclass(frozen=True, slots=True)
class Collected:
    """What came of a collector's run."""

    statement: Acknowledgement
    turns: tuple[Turn, ...]


def asking(board: Board, evidence: str) -> list[ControlResult]:
    """Return the controls that ask for an evidence type."""
    return [
        result
        for result in board.controls
        if any(part.requirement.evidence == evidence for part in result.requirements)
    ]


def turns(before: Board, after: Board, evidence: str) -> tuple[Turn, ...]:
    """Return how the controls that ask for an evidence type stood, and stand."""
    now = {result.control.id: result for result in after.controls}
    return tuple(Turn(result, now[result.control.id]) for result in asking(before, evidence))


def asked(result: ControlResult, evidence: str) -> list[RequirementResult]:
    """Return the rules of a control that ask for an evidence type, with how each stands."""
    return [part for part in result.requirements if part.requirement.evidence == evidence]


@dataclass(frozen=True, slots=True)
class CollectorPages:
    """The pages over the collectors of an installation."""

    collectors: Collectors
    boards: Boards
    jobs: Jobs
    pages: Pages
    allows: Allows

    def shown(self, request: Request, caller: Person, evidence: str) -> Response:
        """Return the page of a collector."""
        named(self.collectors(), evidence)
        view = View(f"What does a look at {evidence} say?", f"ringfence record {evidence}", caller)
        job = self.jobs.find(caller.tenant, f"record {evidence}")
        result = job.result if job is not None and isinstance(job.result, Collected) else None
        return self.pages.respond(
            request,
            "collect.html",
            view,
            evidence=evidence,
            controls=asking(self.boards.board(caller.tenant), evidence),
            asked=asked,
            job=job,
            result=result,
            proof=_proof(result),
            may=self.allows(caller, COLLECT),
        )

    def run(self, caller: Person, evidence: str) -> Response:
        """Run a collector, and lead to what came of it."""
        collector = named(self.collectors(), evidence)

        def work(_: Job) -> Collected:
            before = self.boards.board(caller.tenant)
            statement = collector(caller.tenant)
            return Collected(statement, turns(before, self.boards.board(caller.tenant), evidence))

        self.jobs.start(caller.tenant, f"record {evidence}", work).within(PATIENCE)
        return RedirectResponse(f"/records/{evidence}#came", status_code=303)


def _proof(result: Collected | None) -> Mapping[str, object] | None:
    if result is None or result.statement.entry is None:
        return None
    return proof(result.statement.entry, result.statement.envelope, "observed")


def router(shows: CollectorPages) -> APIRouter:
    """Return the pages that run collectors."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/records/{evidence_type}")
    def shown(request: Request, evidence_type: Name, caller: Reader) -> Response:
        return shows.shown(request, caller, evidence_type)

    @routes.post("/records/{evidence_type}")
    def run(evidence_type: Name, caller: Collecting) -> Response:
        return shows.run(caller, evidence_type)

    return routes
