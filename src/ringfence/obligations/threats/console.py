"""The Threats page: a board by the stages of an AI system's life."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from ringfence.frontends.http import require
from ringfence.frontends.page import AsOf, Pages, View, instant
from ringfence.frontends.wording import kept_at
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.obligations.ports import Boards
from ringfence.obligations.results import State
from ringfence.obligations.threats import register, sheet
from ringfence.obligations.threats.board import by_stage, rows
from ringfence.obligations.threats.ports import Assets, Bounds

SHOWN = 4  # assets named per threat
Reader = Annotated[Person, Depends(require("status.read"))]


def router(boards: Boards, assets: Assets, bounds: Bounds, pages: Pages) -> APIRouter:
    """Return the page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/threats")
    def threats(
        request: Request,
        caller: Reader,
        ours: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query
        as_of: AsOf = None,
    ) -> Response:
        """Show every threat, or only those to something that the tenant holds."""
        at = instant(as_of)
        board, known = boards.board(caller.tenant, at), register.load()
        held = assets(caller.tenant)
        found = rows(known, board, held, bounds(caller.tenant))
        shown = [row for row in found if row.here] if ours else found
        view = View("Which threats to our AI does evidence speak of?", _terminal(at), caller, at, scrubs=True)
        return pages.respond(
            request,
            "threats.html",
            view,
            board=board,
            register=known,
            found=found,
            stages=by_stage(known, shown),
            counts={state: sum(row.state is state for row in found) for state in State},
            held=held,
            ours=ours,
            limit=sheet.LIMIT,
            most=SHOWN,
            when=kept_at(at),
        )

    return routes


def _terminal(at: datetime | None) -> str:
    return "ringfence status --threats" + (f" --as-of {to_text(at)}" if at else "")
