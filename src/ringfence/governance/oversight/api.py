"""Oversight over HTTP: what management was told, and who was trained."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.frontends.http import require
from ringfence.governance.oversight import views
from ringfence.governance.oversight.service import Oversight
from ringfence.kernel.actor import Person


def router(oversight: Oversight) -> APIRouter:
    """Return the routes of oversight."""
    routes = APIRouter(tags=["governance"])

    @routes.get("/oversight")
    def listed(caller: Annotated[Person, Depends(require("resolution.read"))]) -> dict[str, Any]:
        """Return what management was told, and the table of training."""
        return {
            "shown": [views.shown(one) for one in oversight.shown(caller.tenant)],
            "courses": [views.course(one) for one in oversight.courses(caller.tenant)],
            "members": [views.member(one) for one in oversight.members(caller.tenant)],
        }

    return routes
