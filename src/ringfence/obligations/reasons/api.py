"""One control over HTTP; it only reads."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.frontends.http import require
from ringfence.frontends.page import AsOf, instant
from ringfence.kernel.actor import Person
from ringfence.obligations.ports import Past, Remarks, nothing_beside
from ringfence.obligations.reasons.view import detail, document


def router(service: Past, remarks: Remarks = nothing_beside) -> APIRouter:
    """Return the route of one control."""
    routes = APIRouter(tags=["obligations"])

    @routes.get("/controls/{control}")
    def one(
        control: str,
        caller: Annotated[Person, Depends(require("status.read"))],
        as_of: AsOf = None,
    ) -> dict[str, Any]:
        """Return the status of one control with its rules in words, its turns and what people say beside it."""
        at = instant(as_of)
        past = service.history(caller.tenant, control, at)
        board = service.board(caller.tenant, at)
        beside = remarks(caller.tenant, at).get(control, ())
        return document(detail(board, service.catalog, control, past, beside), board)

    return routes
