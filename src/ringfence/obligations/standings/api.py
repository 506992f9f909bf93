"""Provisions over HTTP; they only read."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from ringfence.frontends.http import require
from ringfence.frontends.page import AsOf, instant
from ringfence.kernel.actor import Person
from ringfence.obligations.ports import Boards
from ringfence.obligations.standings import grouping, sheet

Word = Annotated[str, Query(max_length=20)]
Reader = Annotated[Person, Depends(require("status.read"))]


def router(boards: Boards) -> APIRouter:
    """Return the routes of provisions."""
    routes = APIRouter(tags=["obligations"])

    @routes.get("/obligations")
    def obligations(caller: Reader, act: Word = "", standing: Word = "", as_of: AsOf = None) -> dict[str, Any]:
        """List the provisions of the catalogue with the tenant's standing and the controls that serve each."""
        board = boards.board(caller.tenant, instant(as_of))
        found = grouping.provisions(board)
        return sheet.listed(found, grouping.chosen(found, act=act, column=standing), board)

    @routes.get("/obligations/{obligation}")
    def obligation(obligation: str, caller: Reader, as_of: AsOf = None) -> dict[str, Any]:
        """Return one provision."""
        board = boards.board(caller.tenant, instant(as_of))
        return sheet.single(grouping.provision(board, obligation), board)

    return routes
