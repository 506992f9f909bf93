"""Checks and screens of datasets over HTTP: record what an operator's machine found, and tell what is known."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.artifacts.checks.service import DatasetChecks, DatasetHistories, DatasetScreens
from ringfence.artifacts.model import dataset_id
from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel.actor import Person


def router(service: DatasetChecks, histories: DatasetHistories, screens: DatasetScreens) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["datasets"], prefix="/datasets")

    @routes.post("/{dataset}/checked", status_code=201)
    def checked(
        dataset: str, body: PostedStatement, caller: Annotated[Person, Depends(require("dataset.verify"))]
    ) -> dict[str, Any]:
        """Record what a check of an epoch found."""
        return {"statement": service.state(caller, dataset_id(dataset), *body.parsed()).to_json()}

    @routes.get("/{dataset}/history")
    def history(dataset: str, caller: Annotated[Person, Depends(require("dataset.read"))]) -> dict[str, Any]:
        """Return what the log says of each epoch: opened, verified, checked, screened, used by runs."""
        return histories.of(caller.tenant, dataset_id(dataset))

    @routes.post("/{dataset}/screened", status_code=201)
    def screened(
        dataset: str, body: PostedStatement, caller: Annotated[Person, Depends(require("record.form"))]
    ) -> dict[str, Any]:
        """Record what a screen for poison found, once it says of training and sources what the log says."""
        return {"statement": screens.state(caller, dataset_id(dataset), *body.parsed()).to_json()}

    return routes
