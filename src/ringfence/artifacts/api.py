"""Sealed datasets over HTTP: list them, and record what operators state about them."""

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from ringfence.artifacts import statements
from ringfence.artifacts.model import dataset_id, dataset_name
from ringfence.artifacts.service import Artifacts
from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import UsageError


class PostedSeal(PostedStatement):
    """The statement of a seal, and the dataset's name."""

    name: str = Field(max_length=64)


def router(service: Artifacts) -> APIRouter:
    """Return the routes of sealed datasets."""
    routes = APIRouter(tags=["datasets"], prefix="/datasets")

    @routes.get("")
    def listed(caller: Annotated[Person, Depends(require("dataset.read"))]) -> dict[str, Any]:
        """List the newest epoch of every dataset."""
        return {"datasets": [statements.to_json(dataset) for dataset in service.all(caller.tenant)]}

    @routes.get("/epochs")
    def epochs(caller: Annotated[Person, Depends(require("dataset.read"))]) -> dict[str, Any]:
        """List every epoch of every dataset, and which were erased."""
        return {"epochs": [statements.to_json(dataset) for dataset in service.epochs(caller.tenant)]}

    @routes.post("", status_code=201)
    def sealed(body: PostedSeal, caller: Annotated[Person, Depends(require("dataset.seal"))]) -> dict[str, Any]:
        """Record a new epoch."""
        envelope, opening = body.parsed()
        dataset, acknowledgement = service.seal(caller, dataset_name(body.name), envelope, opening)
        same = acknowledgement.envelope == envelope.digest  # else an earlier post of this seal was the one recorded
        return statements.to_json(dataset) | {
            "statement": acknowledgement.to_json(),
            "envelope": base64.b64encode(envelope.data).decode() if same else None,
        }

    @routes.post("/keks", status_code=201)
    def rewrapped(body: PostedStatement, caller: Annotated[Person, Depends(require("dataset.seal"))]) -> dict[str, Any]:
        """Record that the key that wraps dataset keys was replaced."""
        envelope, opening = body.parsed()
        if opening is not None:
            raise UsageError("a statement on the KEK has no side record")
        return {"statement": service.rewrapped(caller, envelope).to_json()}

    _stating(routes, service)
    _erasing(routes, service)
    return routes


def _erasing(routes: APIRouter, service: Artifacts) -> None:
    @routes.get("/{dataset}/statements")
    def stated(dataset: str, caller: Annotated[Person, Depends(require("dataset.read"))]) -> dict[str, Any]:
        """Return the signed statements by which whoever stores a dataset checks it without a key."""
        found = service.stated(caller.tenant, dataset_id(dataset))
        return {"statements": [base64.b64encode(envelope.data).decode() for envelope in found]}

    @routes.post("/{dataset}/erasures", status_code=201)
    def erase(
        dataset: str, body: PostedStatement, caller: Annotated[Person, Depends(require("dataset.erase"))]
    ) -> dict[str, Any]:
        """Record that the key of an epoch is going to be destroyed; from the answer on nobody opens it."""
        return {"statement": service.erase(caller, dataset_id(dataset), *body.parsed()).to_json()}

    @routes.post("/{dataset}/erased", status_code=201)
    def erased(
        dataset: str, body: PostedStatement, caller: Annotated[Person, Depends(require("dataset.seal"))]
    ) -> dict[str, Any]:
        """Record that it is destroyed: what was asked for, so that whoever is there may finish it."""
        envelope, opening = body.parsed()
        if opening is not None:
            raise UsageError("a statement on what was destroyed has no side record")
        return {"statement": service.erased(caller, dataset_id(dataset), envelope).to_json()}


def _stating(routes: APIRouter, service: Artifacts) -> None:
    @routes.post("/{dataset}/opened", status_code=201)
    def opened(
        dataset: str, body: PostedStatement, caller: Annotated[Person, Depends(require("dataset.open"))]
    ) -> dict[str, Any]:
        """Record a use of the key; the answer comes once it is published."""
        return {"statement": service.open(caller, dataset_id(dataset), *body.parsed()).to_json()}

    @routes.post("/{dataset}/verified", status_code=201)
    def verified(
        dataset: str, body: PostedStatement, caller: Annotated[Person, Depends(require("dataset.verify"))]
    ) -> dict[str, Any]:
        """Record the outcome of a verification."""
        done = service.state(caller, dataset_id(dataset), statements.VERIFIED, *body.parsed())
        return {"statement": done.to_json()}

    @routes.post("/{dataset}/provenance", status_code=201)
    def provenance(
        dataset: str, body: PostedStatement, caller: Annotated[Person, Depends(require("dataset.seal"))]
    ) -> dict[str, Any]:
        """Record where a dataset comes from."""
        done = service.state(caller, dataset_id(dataset), statements.PROVENANCE, *body.parsed())
        return {"statement": done.to_json()}
