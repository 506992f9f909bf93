"""People over HTTP: who am I, who is here, enrol, remove, and a link into the console."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import PostedStatement, require
from ringfence.identity.model import PersonRecord
from ringfence.identity.service import Identity
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import LogOrigin, Tenant, person_id


class Removal(BaseModel):
    """End a person's access."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9-]*$")
    left_at: str | None = None


class Enrolment(PostedStatement):
    """A person whom the root enrolled."""

    name: str = Field(min_length=1, max_length=200)
    role: Role
    token_hash: str = Field(pattern=r"^[0-9a-f]{64}$")


def shown(person: PersonRecord) -> dict[str, Any]:
    """Return what a front end shows of a person."""
    times = {"enrolled_at": person.enrolled_at, "removed_at": person.removed_at, "left_at": person.left_at}
    return {
        "person": person.id,
        "name": person.name,
        "role": person.role.value,
        "key": person.key,
    } | {name: None if at is None else to_text(at) for name, at in times.items()}


def router(identity: Identity, *, log: LogOrigin, is_demo: Callable[[Tenant], bool]) -> APIRouter:
    """Return the routes of identity."""
    routes = APIRouter(tags=["identity"])

    @routes.get("/me")
    def me(caller: Annotated[Person, Depends(require("status.read"))]) -> dict[str, Any]:
        """Say who is asking."""
        return {
            "person": caller.id,
            "tenant": caller.tenant,
            "role": caller.role.value,
            "log": log,
            "demo": is_demo(caller.tenant),
        }

    @routes.get("/people")
    def people(caller: Annotated[Person, Depends(require("person.read"))]) -> dict[str, Any]:
        """List everybody of the tenant."""
        return {"people": [shown(person) for person in identity.register(caller.tenant)]}

    @routes.post("/people", status_code=201)
    def enrol(body: Enrolment, caller: Annotated[Person, Depends(require("person.enrol"))]) -> dict[str, Any]:
        """Enrol a person whose key the root signed."""
        envelope, opening = body.parsed()
        if envelope.statement.issuance.tenant != caller.tenant:
            raise MalformedInput("the enrolment is for another tenant", source="envelope")
        acknowledgement = identity.enrol(
            envelope,
            opening,
            name=body.name,
            role=body.role,
            token_hash=bytes.fromhex(body.token_hash),
        )
        return {"statement": acknowledgement.to_json()}

    @routes.post("/people/{person}/remove")
    def remove(
        person: str, body: Removal, caller: Annotated[Person, Depends(require("person.remove"))]
    ) -> dict[str, Any]:
        """End a person's access at once."""
        left_at: datetime | None = from_text(body.left_at) if body.left_at else None
        done = identity.remove(person_id(person), by=caller, left_at=left_at, reason=body.reason)
        return {"person": person, "statement": done.to_json()}

    @routes.post("/links", status_code=201)
    def link(caller: Annotated[Person, Depends(require("link.issue"))]) -> dict[str, Any]:
        """Make a one-time link into the console for the caller."""
        return {"path": f"/login?token={identity.issue_link(caller)}"}

    return routes
