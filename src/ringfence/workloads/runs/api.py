"""Runs over HTTP: record what an operator states about one."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel.actor import Person
from ringfence.workloads.runs.service import Runs

PATH = "/api/v1/runs"


def router(service: Runs) -> APIRouter:
    """Return the routes of runs."""
    routes = APIRouter(tags=["runs"], prefix="/runs")

    @routes.post("", status_code=201)
    def recorded(body: PostedStatement, caller: Annotated[Person, Depends(require("run.record"))]) -> dict[str, Any]:
        """Record a run."""
        return {"statement": service.record(caller, *body.parsed()).to_json()}

    return routes
