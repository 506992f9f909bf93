"""Policies over HTTP: what is in force, and what in it is no longer true. They are adopted by their form."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.frontends.http import require
from ringfence.kernel.actor import Person
from ringfence.obligations.policies import shown
from ringfence.obligations.policies.service import Policies


def router(service: Policies) -> APIRouter:
    """Return the routes of policies."""
    routes = APIRouter(tags=["records"], prefix="/policies")

    @routes.get("")
    def listed(caller: Annotated[Person, Depends(require("status.read"))]) -> dict[str, Any]:
        """List every type of policy, with the version in force and what contradicts it."""
        return {"policies": [shown.policy(one) for one in service.all(caller.tenant)]}

    @routes.get("/approved-documents")
    def carried(caller: Annotated[Person, Depends(require("record.form"))]) -> dict[str, Any]:
        """Return the salted digests of what the management body approved, so that whoever has a document finds it."""
        return {"documents": [asdict(one) for one in service.carried(caller.tenant)]}

    return routes
