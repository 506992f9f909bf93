"""Models from outside over HTTP: which there are, what is asked of them, and the decisions that people sign."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel import drafts
from ringfence.kernel.actor import Person
from ringfence.kernel.identifier import Tenant
from ringfence.workloads.intake import shown
from ringfence.workloads.intake.service import Intakes, why_not

PATH = "/api/v1/intakes"
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


class Asked(BaseModel):
    """A decision that somebody is about to sign."""

    model_config = ConfigDict(extra="forbid")
    decision: str = Field(max_length=16)
    reason: str = Field(max_length=2000)


def router(service: Intakes) -> APIRouter:
    """Return the routes of models from outside."""
    routes = APIRouter(tags=["models"], prefix="/intakes")

    def document(tenant: Tenant) -> dict[str, Any]:
        file = service.files(tenant)
        found = [shown.intake(one, why_not(one, file.intake)) for one in service.all(tenant)]
        return {"intakes": found, "rules": shown.rules(file)}

    @routes.get("")
    def listed(caller: Annotated[Person, Depends(require("model.read"))]) -> dict[str, Any]:
        """List every model that came from outside, and what this tenant asks of them."""
        return document(caller.tenant)

    @routes.post("", status_code=201)
    def bring(body: PostedStatement, caller: Annotated[Person, Depends(require("model.intake"))]) -> dict[str, Any]:
        """Record what lies in quarantine."""
        intake, done = service.bring(caller, *body.parsed())
        return {"intake": intake, "statement": done.to_json()}

    @routes.post("/{intake}/draft")
    def drafted(intake: Id, body: Asked, caller: Annotated[Person, Depends(require("model.decide"))]) -> dict[str, Any]:
        """Say what a decision would state, where it could be taken."""
        return {"draft": drafts.to_json(service.draft(caller, intake, body.decision, body.reason))}

    @routes.post("/{intake}/decision", status_code=201)
    def decide(
        intake: Id, body: PostedStatement, caller: Annotated[Person, Depends(require("model.decide"))]
    ) -> dict[str, Any]:
        """Take a person's signed decision."""
        found, done = service.decide(caller, intake, *body.parsed())
        return shown.intake(found, "") | {"statement": done.to_json()}

    return routes
