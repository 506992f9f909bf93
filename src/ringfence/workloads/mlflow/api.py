"""Runs of other systems over HTTP: record what an operator wrote down of one."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel.actor import Person
from ringfence.workloads.mlflow.service import ForeignRuns

PATH = "/api/v1/runs/imported"


def router(service: ForeignRuns) -> APIRouter:
    """Return the routes of runs that another system saw."""
    routes = APIRouter(tags=["runs"], prefix="/runs/imported")

    @routes.post("", status_code=201)
    def recorded(body: PostedStatement, caller: Annotated[Person, Depends(require("run.record"))]) -> dict[str, Any]:
        """Record what another system says of a run."""
        return {"statement": service.record(caller, *body.parsed()).to_json()}

    return routes
