"""The practice over HTTP: how it stands, start, end, remove. In a practice itself there is none of this."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.frontends.http import require
from ringfence.kernel.actor import Person
from ringfence.workloads.practice.keeper import Keeper

RUN = "practice.run"
Reader = Annotated[Person, Depends(require("status.read"))]
Practising = Annotated[Person, Depends(require(RUN))]


def router(keeper: Keeper) -> APIRouter:
    """Return the routes of the practice."""
    routes = APIRouter(tags=["practice"], prefix="/practice")

    @routes.get("")
    def standing(caller: Reader) -> dict[str, Any]:  # noqa: ARG001
        """Say whether there is a practice, and whether it runs."""
        return shown(keeper)

    @routes.post("", status_code=201)
    def start(caller: Practising) -> dict[str, Any]:  # noqa: ARG001
        """Start it where it does not run; return a link that opens one session there, once."""
        link = keeper.enter()
        return {**shown(keeper), "link": link}

    @routes.post("/stop")
    def stop(caller: Practising) -> dict[str, Any]:  # noqa: ARG001
        """End it with its nodes; its log stays."""
        ran = keeper.stop()
        return {**shown(keeper), "ran": ran}

    @routes.post("/remove")
    def remove(caller: Practising) -> dict[str, Any]:  # noqa: ARG001
        """End it and remove its folder."""
        removed = keeper.remove()
        return {**shown(keeper), "removed": removed}

    return routes


def shown(keeper: Keeper) -> dict[str, Any]:
    """Return how the practice stands."""
    one = keeper.standing()
    return {
        "made": one.made,
        "runs": one.runs,
        "address": one.address,
        "because": one.because,
    }
