"""Tenants over HTTP: which there are, what the root signs for a new one, and adding it."""

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import PostedStatement, require
from ringfence.identity.model import TenantRecord
from ringfence.identity.tenants.service import Founding, Tenants
from ringfence.kernel import identifier
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text

Keeper = Annotated[Person, Depends(require("tenant.add"))]


class NewTenant(BaseModel):
    """A tenant whose keys the root enrolled."""

    model_config = ConfigDict(extra="forbid")
    tenant: str = Field(max_length=32)
    demo: bool
    services: list[PostedStatement] = Field(min_length=1, max_length=16)
    owner: PostedStatement
    name: str = Field(min_length=1, max_length=200)
    token_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    salt: str = Field(pattern=r"^[0-9a-f]{64}$")  # under which the log names the tenant

    def founding(self) -> Founding:
        """Return the parsed form; raise `MalformedInput`."""
        return Founding(
            identifier.tenant(self.tenant),
            self.demo,
            tuple(posted.parsed() for posted in self.services),
            self.owner.parsed(),
            self.name,
            bytes.fromhex(self.token_hash),
            bytes.fromhex(self.salt),
        )


def shown(record: TenantRecord) -> dict[str, Any]:
    """Return what a front end shows of a tenant."""
    return {"tenant": record.tenant, "demo": record.demo, "created_at": to_text(record.created_at)}


def router(tenants: Tenants) -> APIRouter:
    """Return the routes of tenants."""
    routes = APIRouter(tags=["tenants"])

    @routes.get("/tenants")
    def listed(caller: Keeper) -> dict[str, Any]:
        """List the tenants that the caller may know of."""
        return {"tenants": [shown(record) for record in tenants.seen_by(caller)]}

    @routes.get("/tenants/keys")
    def keys(caller: Keeper) -> dict[str, Any]:
        """Return the enrolments that the root signs again for a new tenant."""
        return {"enrolments": [base64.b64encode(envelope.data).decode() for envelope in tenants.to_enrol(caller)]}

    @routes.post("/tenants", status_code=201)
    def found(body: NewTenant, caller: Keeper) -> dict[str, Any]:
        """Add a tenant with its first owner."""
        return {"tenant": body.tenant, "statement": tenants.found(body.founding(), by=caller).to_json()}

    return routes
