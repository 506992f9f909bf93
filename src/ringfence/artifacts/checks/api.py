"""Checks of datasets over HTTP: record what an operator's machine found."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.artifacts.checks.service import DatasetChecks
from ringfence.artifacts.model import dataset_id
from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel.actor import Person


def router(service: DatasetChecks) -> APIRouter:
    """Return the route."""
    routes = APIRouter(tags=["datasets"], prefix="/datasets")

    @routes.post("/{dataset}/checked", status_code=201)
    def checked(
        dataset: str, body: PostedStatement, caller: Annotated[Person, Depends(require("dataset.verify"))]
    ) -> dict[str, Any]:
        """Record what a check of an epoch found."""
        return {"statement": service.state(caller, dataset_id(dataset), *body.parsed()).to_json()}

    return routes
