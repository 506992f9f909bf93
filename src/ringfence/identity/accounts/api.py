"""Services over HTTP: list, enrol, revoke."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import require
from ringfence.identity.accounts.model import MAX_DAYS, Account, scope, service_id
from ringfence.identity.accounts.service import ServiceAccounts
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.clock import to_text


class NewService(BaseModel):
    """A service to be enrolled."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=200)
    role: Role
    scope: list[str] = Field(min_length=1, max_length=32)
    days: int = Field(ge=1, le=MAX_DAYS)


class Revocation(BaseModel):
    """End a service's access."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9-]*$")


def shown(account: Account) -> dict[str, Any]:
    """Return what a front end shows of a service."""
    times = {
        "created_at": account.created_at,
        "expires_at": account.expires_at,
        "revoked_at": account.revoked_at,
        "last_used_at": account.last_used_at,
    }
    return {
        "service": account.id,
        "name": account.name,
        "role": account.role.value,
        "scope": sorted(account.scope),
    } | {name: None if at is None else to_text(at) for name, at in times.items()}


def router(accounts: ServiceAccounts) -> APIRouter:
    """Return the routes of services."""
    routes = APIRouter(tags=["services"])

    @routes.get("/services")
    def listed(caller: Annotated[Person, Depends(require("person.read"))]) -> dict[str, Any]:
        """List the services of the tenant."""
        return {"services": [shown(account) for account in accounts.all(caller.tenant)]}

    @routes.post("/services", status_code=201)
    def enrol(body: NewService, caller: Annotated[Person, Depends(require("service.enrol"))]) -> dict[str, Any]:
        """Enrol a service; its key stands in the answer, and nowhere else."""
        issued = accounts.enrol(caller, body.name, body.role, scope(body.scope), body.days)
        return shown(issued.account) | {"secret": issued.secret, "statement": issued.statement.to_json()}

    @routes.post("/services/{service}/revoke")
    def revoke(
        service: str, body: Revocation, caller: Annotated[Person, Depends(require("service.revoke"))]
    ) -> dict[str, Any]:
        """End a service's access at once."""
        done = accounts.revoke(caller, service_id(service), body.reason)
        return {"service": service, "statement": done.to_json()}

    return routes
