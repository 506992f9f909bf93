"""Keys, deployments and receipts over HTTP."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import require
from ringfence.gateway import address, keys, shown
from ringfence.gateway.deployments import Attach
from ringfence.gateway.intake import Intake, Progress
from ringfence.gateway.keys import DEFAULT_LIMITS, LIFE_DAYS, Wanted
from ringfence.gateway.model import Basis, Limits, Protocol, ServedModel, api_key_id, deployment_name, request_id
from ringfence.gateway.ports import Receipts
from ringfence.gateway.service import Gateway
from ringfence.gateway.usage import Usage
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest


class PostedKey(BaseModel):
    """What a caller is to be given."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=keys.MAX_NAME)
    deployments: list[str] = Field(default_factory=list, max_length=keys.MAX_SCOPE)
    days: int = LIFE_DAYS
    requests_per_minute: int = DEFAULT_LIMITS.requests_per_minute
    concurrent: int = DEFAULT_LIMITS.concurrent
    body_bytes: int = DEFAULT_LIMITS.body_bytes

    def wanted(self) -> Wanted:
        """Return it, checked."""
        limits = Limits(self.requests_per_minute, self.concurrent, self.body_bytes)
        return Wanted(self.name, keys.scope(self.deployments), self.days, limits)


class PostedReason(BaseModel):
    """Why a key is blocked."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=keys.MAX_REASON)


class PostedAttach(BaseModel):
    """An engine that runs already."""

    model_config = ConfigDict(extra="forbid")
    name: str
    url: str = Field(max_length=address.LONGEST)
    protocol: Protocol = Protocol.OPENAI
    model: str = Field(default="", max_length=200)
    digest: str | None = None
    credential: str = Field(default="", max_length=4096)

    def wanted(self) -> Attach:
        """Return it, checked."""
        digest = None if self.digest is None else Digest.parse(self.digest)
        model = ServedModel(self.model, digest, Basis.DECLARED)
        return Attach(deployment_name(self.name), self.url, self.protocol, model, self.credential)


def router(service: Gateway, counts: Callable[[], Usage]) -> APIRouter:
    """Return the routes of keys and deployments."""
    routes = APIRouter(tags=["gateway"])
    _keys(routes, service, counts)
    _cutting_off(routes, service)
    _deployments(routes, service, counts)
    return routes


def receipts_router(receipts: Receipts, intake: Intake) -> APIRouter:
    """Return the routes of receipts, for people; callers fetch theirs from the gateway."""
    routes = APIRouter(tags=["gateway"])

    @routes.get("/receipts/{request}")
    def receipt(request: str, caller: Annotated[Person, Depends(require("evidence.read"))]) -> Response:
        """Return the receipt of an answer, as its caller gets it; 202 while its segment is not published."""
        found = receipts.find(caller.tenant, request_id(request))
        if found.body:
            return Response(found.body, media_type="application/json")
        return Response(status_code=202, headers={"retry-after": str(found.retry_after)})

    @routes.get("/segments")
    def segments(caller: Annotated[Person, Depends(require("evidence.read"))]) -> dict[str, Any]:
        """Show how far the gateway's segments have come into the log, and why the next one is not taken."""
        return (intake.progress.get(caller.tenant) or Progress()).to_json()

    return routes


def _keys(routes: APIRouter, service: Gateway, counts: Callable[[], Usage]) -> None:
    @routes.get("/api-keys")
    def listed(caller: Annotated[Person, Depends(require("key.read"))]) -> dict[str, Any]:
        """List the callers' keys; nobody can read a key's text again."""
        used, now = counts(), service.clock.now()
        held = service.keys(caller.tenant)
        return {
            "keys": [shown.key(key, now, used.of_key(caller.tenant, key.id)) for key in held],
            "counted_since": shown.counted_since(used),
        }

    @routes.post("/api-keys", status_code=201)
    def issue(body: PostedKey, caller: Annotated[Person, Depends(require("key.issue"))]) -> dict[str, Any]:
        """Give a caller a key; its text is in this answer and nowhere else."""
        done = service.issue_key(caller, body.wanted())
        document = shown.key(done.key, service.clock.now(), Usage().of_key(caller.tenant, done.key.id))
        return {"key": document, "secret": done.secret, "statement": done.statement.to_json()}


def _cutting_off(routes: APIRouter, service: Gateway) -> None:
    @routes.post("/api-keys/{key}/revoke")
    def revoke(key: str, caller: Annotated[Person, Depends(require("key.revoke"))]) -> dict[str, Any]:
        """End a key for ever, now."""
        done = service.revoke_key(caller, api_key_id(key))
        return {"key": key, "statement": done.to_json() if done else None}

    @routes.post("/api-keys/{key}/block")
    def block(key: str, body: PostedReason, caller: Annotated[Person, Depends(require("key.block"))]) -> dict[str, Any]:
        """Refuse a key until somebody unblocks it, now."""
        done = service.block_key(caller.tenant, key, because=body.reason, by=caller.id)
        return {"key": key, "statement": done.to_json() if done else None}

    @routes.post("/api-keys/{key}/unblock")
    def unblock(key: str, caller: Annotated[Person, Depends(require("key.block"))]) -> dict[str, Any]:
        """Let a blocked key in again."""
        return {"key": key, "statement": service.unblock_key(caller, api_key_id(key)).to_json()}


def _deployments(routes: APIRouter, service: Gateway, counts: Callable[[], Usage]) -> None:
    @routes.get("/deployments")
    def listed(caller: Annotated[Person, Depends(require("deployment.read"))]) -> dict[str, Any]:
        """List the deployments."""
        used = counts()
        held = service.deployments(caller.tenant)
        return {
            "deployments": [shown.deployment(one, used.of_deployment(caller.tenant, one.name)) for one in held],
            "counted_since": shown.counted_since(used),
        }

    @routes.get("/deployments/{name}")
    def one(name: str, caller: Annotated[Person, Depends(require("deployment.read"))]) -> dict[str, Any]:
        """Show a deployment."""
        found = service.deployment(caller.tenant, deployment_name(name))
        return shown.deployment(found, counts().of_deployment(caller.tenant, found.name))

    @routes.post("/deployments", status_code=201)
    def attach(body: PostedAttach, caller: Annotated[Person, Depends(require("deployment.change"))]) -> dict[str, Any]:
        """Reach an engine that runs already by a name; it is asked once whether it is there."""
        made, seen = service.attach(caller, body.wanted())
        document = shown.deployment(made, Usage().of_deployment(caller.tenant, made.name))
        return document | {"saw": {"ready": seen.ready, "models": list(seen.models)[:20]}}

    @routes.post("/deployments/{name}/stop")
    def stop(name: str, caller: Annotated[Person, Depends(require("deployment.change"))]) -> dict[str, Any]:
        """End a deployment; callers are refused from now on."""
        done = service.stop(caller, deployment_name(name))
        return shown.deployment(done, counts().of_deployment(caller.tenant, done.name))
