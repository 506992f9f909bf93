"""Exports over HTTP; they only read."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.exports.annexiv.declaration import MAX_DECLARATION
from ringfence.exports.annexiv.service import TechnicalDocumentation
from ringfence.exports.service import Exports
from ringfence.frontends.http import PostedStatement, require
from ringfence.frontends.page import AsOf, instant
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import MAX_GIVEN


class Declared(BaseModel):
    """What people declare of a system."""

    model_config = ConfigDict(extra="forbid")
    declaration: str = Field(max_length=MAX_DECLARATION)
    as_of: str | None = Field(default=None, max_length=MAX_GIVEN)


class PostedDocument(PostedStatement):
    """A `techdoc.exported` statement that the caller signed, with the declaration that it was made from."""

    declaration: str = Field(max_length=MAX_DECLARATION)


def technical(service: TechnicalDocumentation) -> APIRouter:
    """Return the routes of technical documentation."""
    routes = APIRouter(tags=["reports"], prefix="/reports/annex-iv")

    @routes.post("/drafts")
    def draw(body: Declared, caller: Annotated[Person, Depends(require("report.pack"))]) -> dict[str, Any]:
        """Return the document that the log and a declaration yield; nothing is recorded."""
        return service.draw(caller.tenant, body.declaration, instant(body.as_of))

    @routes.post("", status_code=201)
    def record(body: PostedDocument, caller: Annotated[Person, Depends(require("report.pack"))]) -> dict[str, Any]:
        """Record that this document left, signed by whoever took it."""
        envelope, _ = body.parsed()
        return {"statement": service.record(caller, envelope, body.declaration).to_json()}

    return routes


def router(service: Exports) -> APIRouter:
    """Return the routes of the exports: what holds signed statements needs the right to a pack."""
    routes = APIRouter(tags=["reports"], prefix="/reports")

    @routes.get("/oscal")
    def oscal(caller: Annotated[Person, Depends(require("report.pack"))], as_of: AsOf = None) -> dict[str, Any]:
        """Return the OSCAL documents and the envelopes that they name, as files by name."""
        files = service.oscal(caller.tenant, instant(as_of))
        return {"files": {name: data.decode() for name, data in files.items()}}

    @routes.get("/applicability")
    def applicability(caller: Annotated[Person, Depends(require("status.read"))], as_of: AsOf = None) -> dict[str, Any]:
        """Return the statement of applicability: every control, whether it applies, and why."""
        return service.applicability(caller.tenant, instant(as_of))

    @routes.get("/rules")
    def rules(caller: Annotated[Person, Depends(require("status.read"))], as_of: AsOf = None) -> dict[str, Any]:
        """Return one line for each rule, with what it came to."""
        return service.lines(caller.tenant, instant(as_of))

    return routes
