"""Lineage over HTTP; it only reads: nobody can set a link."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi import Path as InPath

from ringfence.frontends.http import require
from ringfence.frontends.page import AsOf, instant
from ringfence.kernel.actor import Person
from ringfence.lineage import sheet
from ringfence.lineage.model import Ref
from ringfence.lineage.ports import Behind
from ringfence.lineage.service import Lineages

PATH = "/lineage"
Reader = Annotated[Person, Depends(require("evidence.read"))]
Wanted = Annotated[str, Query(max_length=200)]


def router(service: Lineages, behind: Behind) -> APIRouter:
    """Return the routes of lineage."""
    routes = APIRouter(tags=["lineage"])

    @routes.get(PATH)
    def surveyed(caller: Reader, as_of: AsOf = None) -> dict[str, Any]:
        """Say what is missing behind every signed model and every deployment that has not ended."""
        at = instant(as_of)
        found, names = service.lineage(caller.tenant, at), service.names(caller.tenant)
        return sheet.surveyed(service.survey(caller.tenant, at), found, names)

    @routes.get(PATH + "/things")
    def named(caller: Reader, name: Wanted, as_of: AsOf = None) -> dict[str, Any]:
        """Return a model, dataset, run or deployment by its name or digest, with what it comes from."""
        at = instant(as_of)
        return _one(service, caller, service.named(caller.tenant, name, at), as_of)

    @routes.get(PATH + "/things/{thing}")
    def one(caller: Reader, thing: Annotated[str, InPath(max_length=100)], as_of: AsOf = None) -> dict[str, Any]:
        """Return one thing by kind and digest, with what it comes from and what became of it."""
        return _one(service, caller, Ref.parse(thing), as_of)

    @routes.get(PATH + "/answers/{request}")
    def answer(caller: Reader, request: Annotated[str, InPath(max_length=64)]) -> dict[str, Any]:
        """Return what stands behind one answer of the gateway, down to the roots of the data."""
        return behind(caller.tenant, request)

    return routes


def _one(service: Lineages, caller: Person, ref: Ref, as_of: str | None) -> dict[str, Any]:
    return sheet.shown(service.show(caller.tenant, ref, instant(as_of)), service.names(caller.tenant))
