"""The page of one control: why it is not satisfied, and what the cheapest next step is."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ringfence.frontends.http import require
from ringfence.frontends.live import Live
from ringfence.frontends.page import AsOf, Pages, View, instant
from ringfence.frontends.wording import kept_at
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import NotFound
from ringfence.obligations import domains
from ringfence.obligations.ports import Past, Remarks, nothing_beside
from ringfence.obligations.producers import runnable
from ringfence.obligations.reasons.view import detail

SHOWN = 8  # statements, and members of a population, listed per rule
Reader = Annotated[Person, Depends(require("status.read"))]


def router(service: Past, pages: Pages, live: Live, remarks: Remarks = nothing_beside) -> APIRouter:
    """Return the page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/controls/{domain}/{control}")
    def one(request: Request, domain: str, control: str, caller: Reader, as_of: AsOf = None) -> Response:
        """Show one control, its chain of reasons and its past."""
        at = instant(as_of)
        if domains.of(control) != domain:
            raise NotFound(f"{control[:40]!r} is no control of the domain {domain[:40]!r}")
        past = service.history(caller.tenant, control, at)
        board = service.board(caller.tenant, at)
        found = detail(board, service.catalog, control, past, remarks(caller.tenant, at).get(control, ()))
        command = f"ringfence status --control {control}" + (f" --as-of {to_text(at)}" if at else "")
        title = f"Why does it stand so: {found.result.control.title}?"
        return pages.respond(
            request,
            "control.html",
            View(title, command, caller, at, scrubs=True),
            board=board,
            found=found,
            result=found.result,
            domain=domain,
            domain_name=domains.named(domain),
            runs=runnable(found.result.next_step),
            limit=SHOWN,
            when=kept_at(at),
            live=None if at else live(),
        )

    return routes
