"""Models over HTTP: list them, and record what operators state about them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from ringfence.artifacts.models import catalogue, statements
from ringfence.artifacts.models.model import MAX_FILES
from ringfence.artifacts.models.service import Models
from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel.actor import Person


class SignedModel(PostedStatement):
    """A signature, and the digest of each file by its name: what is in quarantine is known by its bytes."""

    files: dict[str, str] | None = Field(default=None, max_length=MAX_FILES)


def router(service: Models) -> APIRouter:
    """Return the routes of models."""
    routes = APIRouter(tags=["models"], prefix="/models")

    @routes.get("")
    def listed(caller: Annotated[Person, Depends(require("model.read"))]) -> dict[str, Any]:
        """List the newest signed version of every model, the id of every name, and the keys that count."""
        models = [catalogue.to_json(model) for model in service.all(caller.tenant)]
        trusted = [key.pem for key in service.trusted(caller.tenant)]
        return {"models": models, "names": dict(service.names(caller.tenant)), "trusted": trusted}

    @routes.get("/{name}/materials")
    def materials(name: str, caller: Annotated[Person, Depends(require("model.read"))]) -> dict[str, Any]:
        """Return what the log knows of how a model was made: each fact with the statement that it comes from."""
        return service.materials(caller.tenant, name)

    @routes.post("/signed", status_code=201)
    def signed(body: SignedModel, caller: Annotated[Person, Depends(require("model.sign"))]) -> dict[str, Any]:
        """Record that a model was signed; the names of its files are compared and not kept."""
        done = service.state(caller, statements.SIGNED, *body.parsed(), files=body.files)
        return {"statement": done.to_json()}

    @routes.post("/scanned", status_code=201)
    def scanned(body: PostedStatement, caller: Annotated[Person, Depends(require("model.scan"))]) -> dict[str, Any]:
        """Record what a scan found."""
        return {"statement": service.state(caller, statements.SCAN, *body.parsed()).to_json()}

    @routes.post("/imported", status_code=201)
    def imported(body: PostedStatement, caller: Annotated[Person, Depends(require("model.sign"))]) -> dict[str, Any]:
        """Record that a model was taken in."""
        return {"statement": service.state(caller, statements.IMPORTED, *body.parsed()).to_json()}

    return routes
