"""Red-team runs over HTTP: record one, list them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.kernel.evidence import Logged
from ringfence.redteam.service import RedTeam


def router(service: RedTeam) -> APIRouter:
    """Return the routes of red-team runs."""
    routes = APIRouter(tags=["redteam"], prefix="/redteam/runs")

    @routes.get("")
    def listed(caller: Annotated[Person, Depends(require("evidence.read"))]) -> dict[str, Any]:
        """List the runs that were stated, newest first."""
        return {"runs": [_shown(logged) for logged in service.runs(caller.tenant)]}

    @routes.post("", status_code=201)
    def stated(body: PostedStatement, caller: Annotated[Person, Depends(require("statement.add"))]) -> dict[str, Any]:
        """Record a run that the caller made and signed."""
        return {"statement": service.state(caller, *body.parsed()).to_json()}

    return routes


def _shown(logged: Logged) -> dict[str, Any]:
    statement = logged.envelope.statement
    return {
        "entry": logged.entry,
        "recorded_at": to_text(logged.recorded_at),
        "digest": str(statement.subjects[0].digest),
        "endpoint": str(logged.opening.details.get("endpoint", "")) if logged.opening else None,
        "claims": dict(statement.claims),
    }
