"""Comparisons of rules over HTTP; they only read: a file that is sent is not kept."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import MAX_BODY, posted_bytes, require
from ringfence.frontends.page import AsOf, instant
from ringfence.kernel.actor import Person
from ringfence.obligations.comparing import sheet
from ringfence.obligations.comparing.service import Comparing

Reader = Annotated[Person, Depends(require("status.read"))]


class File(BaseModel):
    """An edition of the rules, or a pack, in base64."""

    model_config = ConfigDict(extra="forbid")
    file: str = Field(max_length=MAX_BODY)


def router(comparing: Comparing) -> APIRouter:
    """Return the routes of comparisons; they go before the one that takes any name in the same place."""
    routes = APIRouter(tags=["obligations"])

    @routes.get("/frameworks/changes")
    def known(caller: Reader, as_of: AsOf = None) -> dict[str, Any]:
        """List the versions of the rules that are known here, and compare what counts with what ships."""
        at = instant(as_of)
        found = sheet.versions(comparing.versions(caller.tenant, at))
        return {"versions": found, "comparison": sheet.document(comparing.with_shipped(caller.tenant, at))}

    @routes.post("/frameworks/changes")
    def compare(body: File, caller: Reader, as_of: AsOf = None) -> dict[str, Any]:
        """Compare the rules that count with those of a file."""
        at, data = instant(as_of), posted_bytes(body.file, "file")
        found = sheet.document(comparing.with_file(caller.tenant, data, at))
        return {"versions": sheet.versions(comparing.versions(caller.tenant, at)), "comparison": found}

    return routes
