"""Backups of artifacts over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.workloads.backups import statements
from ringfence.workloads.backups.service import Backups

PATH = "/api/v1/backups"
Keeper = Annotated[Person, Depends(require("backup.record"))]


def router(service: Backups) -> APIRouter:
    """Return the routes of backups."""
    routes = APIRouter(tags=["artifacts"], prefix="/backups")

    @routes.get("")
    def listed(caller: Annotated[Person, Depends(require("evidence.read"))]) -> dict[str, Any]:
        """List the backups of datasets and models, and the drills that restored them, the newest first."""
        found = [
            {
                "predicate": one.envelope.statement.predicate,
                "entry": one.entry,
                "at": to_text(one.recorded_at),
                **one.envelope.statement.claims,
            }
            for one in reversed(service.all(caller.tenant))
        ]
        return {"backups": found}

    @routes.post("", status_code=201)
    def made(body: PostedStatement, caller: Keeper) -> dict[str, Any]:
        """Record that a backup was made."""
        return {"statement": service.state(caller, statements.MADE, *body.parsed()).to_json()}

    @routes.post("/restored", status_code=201)
    def restored(body: PostedStatement, caller: Keeper) -> dict[str, Any]:
        """Record what a drill came to."""
        return {"statement": service.state(caller, statements.RESTORED, *body.parsed()).to_json()}

    return routes
