"""Packs over HTTP: preview what is to be signed, post it signed, get the finished file."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import from_text
from ringfence.kernel.identifier import predicate_name
from ringfence.ledger.entry import MAX_ENTRY
from ringfence.reports.extent import Openings
from ringfence.reports.service import Packs

Name = Annotated[str, Field(max_length=128)]


class PostedReport(PostedStatement):
    """A `report.exported` statement that the caller signed, and heads of the log to prove beside the exported ones."""

    heads: list[Annotated[int, Field(ge=1, le=MAX_ENTRY)]] = Field(default=[], max_length=256)


def router(service: Packs) -> APIRouter:
    """Return the routes of packs."""
    routes = APIRouter(tags=["reports"], prefix="/reports")

    @routes.get("/pack")
    def preview(
        caller: Annotated[Person, Depends(require("report.pack"))],
        as_of: Annotated[str | None, Query(max_length=40)] = None,
        control: Annotated[list[Name], Query(max_length=64)] = [],  # noqa: B006 - FastAPI copies it
        predicate: Annotated[list[Name], Query(max_length=64)] = [],  # noqa: B006
        openings: Annotated[str, Query(max_length=40)] = Openings.NONE,
    ) -> dict[str, Any]:
        """Return the status line that a pack would carry, and what its report has to state."""
        at: datetime | None = from_text(as_of) if as_of else None
        named = [predicate_name(name) for name in predicate]
        made = service.preview(caller.tenant, at, controls=control, predicates=named, openings=openings)
        return made.to_json()

    @routes.post("/pack", status_code=201)
    def issue(body: PostedReport, caller: Annotated[Person, Depends(require("report.pack"))]) -> dict[str, Any]:
        """Record the signed report and return the finished pack as text."""
        envelope, opening = body.parsed()
        pack = service.issue(envelope, opening, by=caller, sizes=body.heads)
        return {"report": str(envelope.digest), "pack": pack.decode("ascii")}

    return routes
