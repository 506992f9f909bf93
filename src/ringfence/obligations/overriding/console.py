"""The page of a team's overrides: which files count, what they change, what they set aside, the way to sign that."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Allows, Pages, Prepare, View
from ringfence.kernel.actor import Person
from ringfence.obligations import overrides
from ringfence.obligations.overriding.service import Overriding

PAGE = "/profiles/overrides"
Reader = Annotated[Person, Depends(require("status.read"))]
Signer = Annotated[Person, Depends(require("act.sign"))]
ACT = "control.set-aside"


def router(overriding: Overriding, pages: Pages, prepare: Prepare, allows: Allows) -> APIRouter:
    """Return the page of overrides."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PAGE)
    def shown(request: Request, caller: Reader) -> Response:
        """Show what this team's files change of the rules."""
        known = overriding.catalog
        board = overriding.status.board(caller.tenant)
        return pages.respond(
            request,
            "overrides.html",
            View("Where do we ask for more than the rules as shipped?", "ringfence rules show", caller),
            rules=known,
            shipped=overriding.shipped,
            refused=overriding.refused,
            reasons=list(overrides.reasons(known)),
            changed=overriding.changes().changed,
            asides=overriding.asides(caller.tenant),
            board=board,
            may=allows(caller, ACT),
        )

    @routes.post(PAGE + "/{control}")
    def sign(control: Annotated[str, Path(max_length=16)], caller: Signer) -> Response:
        """Prepare the statement that sets a control aside."""
        draft = overriding.draft(caller.tenant, control)
        return RedirectResponse(prepare(caller, draft, control), status_code=303)

    return routes
