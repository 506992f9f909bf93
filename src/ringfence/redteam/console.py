"""The Red team page: how often attacks succeeded at most, by family and run."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ringfence.frontends.http import require
from ringfence.frontends.live import Live, proof
from ringfence.frontends.page import Pages, View
from ringfence.kernel.actor import Person
from ringfence.redteam import heat
from ringfence.redteam.service import RedTeam
from ringfence.redteam.statistics import percent

Reader = Annotated[Person, Depends(require("evidence.read"))]
LISTED = "ringfence ledger list --predicate redteam.run"


def router(service: RedTeam, pages: Pages, live: Live) -> APIRouter:
    """Return the Red team page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/redteam")
    def shown(request: Request, caller: Reader) -> Response:
        """Return the heat map and the runs behind it."""
        runs = service.runs(caller.tenant)
        drawn = heat.drawn(runs)
        return pages.respond(
            request,
            "redteam.html",
            View("How often do attacks on our models succeed, at most?", LISTED, caller),
            map=drawn,
            total=len(runs),
            width=heat.WIDTH,
            percent=percent,
            proofs=[proof(column.logged.entry, column.logged.envelope.digest, "observed") for column in drawn.columns],
            endpoints=[
                str(column.logged.opening.details.get("endpoint", "")) if column.logged.opening else "erased"
                for column in drawn.columns
            ],
            live=live(),
        )

    return routes
