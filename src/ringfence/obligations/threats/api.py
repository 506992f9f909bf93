"""The board of threats over HTTP; it only reads."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.frontends.http import require
from ringfence.frontends.page import AsOf, instant
from ringfence.kernel.actor import Person
from ringfence.obligations.ports import Boards
from ringfence.obligations.threats import register, sheet
from ringfence.obligations.threats.board import rows
from ringfence.obligations.threats.ports import Assets, Bounds


def router(boards: Boards, assets: Assets, bounds: Bounds) -> APIRouter:
    """Return the route of the board."""
    routes = APIRouter(tags=["obligations"])

    @routes.get("/threats")
    def threats(
        caller: Annotated[Person, Depends(require("status.read"))],
        as_of: AsOf = None,
    ) -> dict[str, Any]:
        """Join every threat to its controls, to what the tenant holds now and to what was measured."""
        board, known = boards.board(caller.tenant, instant(as_of)), register.load()
        found = rows(known, board, assets(caller.tenant), bounds(caller.tenant))
        return sheet.document(known, found, board)

    return routes
