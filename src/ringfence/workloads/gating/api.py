"""The gate over HTTP: verdicts, approvals, and what follows from them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel import drafts
from ringfence.kernel.actor import Person
from ringfence.workloads.gating import shown
from ringfence.workloads.gating.model import Mode
from ringfence.workloads.gating.service import Gates

PATH = "/api/v1/gates"
MAX_NAME = 80
Reader = Annotated[Person, Depends(require("model.read"))]


class Named(BaseModel):
    """A model, by its name or by sha256:… ."""

    model_config = ConfigDict(extra="forbid")
    model: str = Field(min_length=1, max_length=MAX_NAME)


class Approving(Named):
    """An approval that somebody is about to sign."""

    decision: str = Field(max_length=16)
    reason: str = Field(max_length=2000)


class Setting(BaseModel):
    """A mode that somebody is about to sign."""

    model_config = ConfigDict(extra="forbid")
    mode: Mode


def router(service: Gates) -> APIRouter:
    """Return the routes of the gate."""
    routes = APIRouter(tags=["models"], prefix="/gates")

    @routes.get("")
    def listed(caller: Reader) -> dict[str, Any]:
        """List the newest stated verdict on every signed model, and what follows from a verdict in this tenant."""
        tenant = caller.tenant
        found = [shown.stated(one, service.verdict(tenant, one.digest)) for one in service.signed(tenant)]
        passed = sum(one["verdict"] is not None and one["verdict"]["verdict"] == "pass" for one in found)
        return {
            "models": found,
            "passed": passed,
            "in_force": shown.in_force(service.mode(tenant), service.files(tenant)),
        }

    @routes.post("", status_code=201)
    def judge(body: Named, caller: Annotated[Person, Depends(require("gate.judge"))]) -> dict[str, Any]:
        """Compute the conditions on a model, and state the verdict."""
        found, done = service.state(caller, body.model)
        return shown.judgement(found) | {"statement": done.to_json()}

    @routes.post("/approvals/draft")
    def drafted(body: Approving, caller: Annotated[Person, Depends(require("model.approve"))]) -> dict[str, Any]:
        """Say what an approval would state, where it could be taken."""
        return {"draft": drafts.to_json(service.approval(caller, body.model, body.decision, body.reason))}

    @routes.post("/approvals", status_code=201)
    def approve(body: PostedStatement, caller: Annotated[Person, Depends(require("model.approve"))]) -> dict[str, Any]:
        """Take a person's signed approval, or its withdrawal."""
        return {"statement": service.approve(caller, *body.parsed()).to_json()}

    @routes.post("/mode/draft")
    def setting(body: Setting, caller: Annotated[Person, Depends(require("gate.change"))]) -> dict[str, Any]:
        """Say what a change of mode would state."""
        return {"draft": drafts.to_json(service.setting(caller.tenant, body.mode))}

    @routes.post("/mode", status_code=201)
    def set_mode(body: PostedStatement, caller: Annotated[Person, Depends(require("gate.change"))]) -> dict[str, Any]:
        """Take a person's signature over a mode, and over the tenant's gate file as it is."""
        envelope, _ = body.parsed()
        done = service.set_mode(caller, envelope)
        current = shown.in_force(service.mode(caller.tenant), service.files(caller.tenant))
        return current | {"statement": done.to_json()}

    return routes
