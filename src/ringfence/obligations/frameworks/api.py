"""Frameworks over HTTP; they only read."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from ringfence.frontends.http import require
from ringfence.frontends.page import AsOf, instant
from ringfence.kernel.actor import Person
from ringfence.obligations.frameworks import crosswalk, sheet
from ringfence.obligations.frameworks.coverage import beyond, coverage
from ringfence.obligations.ports import Past

Reader = Annotated[Person, Depends(require("status.read"))]
MAX_NAME = 40


def router(service: Past) -> APIRouter:
    """Return the routes of frameworks."""
    routes = APIRouter(tags=["obligations"])

    @routes.get("/frameworks")
    def frameworks(caller: Reader, as_of: AsOf = None) -> dict[str, Any]:
        """Count the codes of each framework by what our controls show."""
        board, catalog = service.board(caller.tenant, instant(as_of)), service.catalog
        return sheet.overview([coverage(one, catalog, board) for one in crosswalk.load().values()], board)

    @routes.get("/frameworks/{framework}")
    def framework(
        framework: str,
        caller: Reader,
        as_of: AsOf = None,
        missing: bool = False,  # noqa: FBT001, FBT002 - a query
        against: Annotated[str | None, Query(max_length=MAX_NAME)] = None,
    ) -> Any:
        """Return one framework, or one act, code by code."""
        catalog = service.catalog
        wanted = crosswalk.one(framework, catalog)
        other = crosswalk.one(against, catalog) if against else None
        board = service.board(caller.tenant, instant(as_of))
        found = coverage(wanted, catalog, board)
        compared = (other, beyond(found, coverage(other, catalog, board))) if other else None
        return sheet.one(found, board, missing=missing, against=compared)

    return routes
