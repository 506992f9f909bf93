"""Packs over HTTP: preview what is to be signed, post it signed, get the finished file."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import posted_bytes, require
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import from_text
from ringfence.kernel.commitment import parse_opening
from ringfence.kernel.envelope import MAX_ENVELOPE, parse
from ringfence.reports.service import Packs


class PostedReport(BaseModel):
    """A `report.exported` statement that the caller signed, and heads of the log to prove beside the exported ones."""

    model_config = ConfigDict(extra="forbid")
    envelope: str = Field(max_length=2 * MAX_ENVELOPE)
    opening: str | None = Field(default=None, max_length=8 * 2**20)
    heads: list[Annotated[int, Field(ge=1, le=2**53)]] = Field(default=[], max_length=256)


def router(service: Packs) -> APIRouter:
    """Return the routes of packs."""
    routes = APIRouter(tags=["reports"], prefix="/reports")

    @routes.get("/pack")
    def preview(
        caller: Annotated[Person, Depends(require("report.pack"))],
        as_of: Annotated[str | None, Query(max_length=40)] = None,
    ) -> dict[str, Any]:
        """Return the status line that a pack would carry, and what its report has to state."""
        at: datetime | None = from_text(as_of) if as_of else None
        return service.preview(caller.tenant, at).to_json()

    @routes.post("/pack", status_code=201)
    def issue(body: PostedReport, caller: Annotated[Person, Depends(require("report.pack"))]) -> dict[str, Any]:
        """Record the signed report and return the finished pack as text."""
        envelope = parse(posted_bytes(body.envelope, "envelope"), source="envelope")
        opening = parse_opening(body.opening) if body.opening else None
        pack = service.issue(envelope, opening, by=caller, sizes=body.heads)
        return {"report": str(envelope.digest), "pack": pack.decode("ascii")}

    return routes
