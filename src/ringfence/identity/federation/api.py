"""Names elsewhere, over HTTP: list, link, unlink."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import require
from ringfence.identity.federation.model import Alias
from ringfence.identity.federation.service import Federation
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.kernel.identifier import person_id

Changer = Annotated[Person, Depends(require("person.change"))]


class Name(BaseModel):
    """A subject as a source knows it."""

    model_config = ConfigDict(extra="forbid")
    source: str = Field(min_length=1, max_length=255)
    subject: str = Field(min_length=1, max_length=255)


class Link(Name):
    """Whom of ours it means."""

    person: str = Field(max_length=32)


def shown(alias: Alias) -> dict[str, Any]:
    """Return what a front end shows of a name elsewhere."""
    return {
        "source": alias.source,
        "subject": alias.subject,
        "person": alias.person,
        "linked_at": to_text(alias.linked_at),
    }


def router(federation: Federation) -> APIRouter:
    """Return the routes of names elsewhere."""
    routes = APIRouter(tags=["identity"])

    @routes.get("/aliases")
    def listed(caller: Changer) -> dict[str, Any]:
        """List under which names sources know the tenant's people."""
        return {"aliases": [shown(alias) for alias in federation.aliases.of(caller.tenant)]}

    @routes.post("/aliases", status_code=201)
    def link(body: Link, caller: Changer) -> dict[str, Any]:
        """Let a source's subject mean a person of the tenant."""
        done = federation.link(caller, person_id(body.person), body.source, body.subject)
        return {"statement": done.to_json()}

    @routes.post("/aliases/unlink")
    def unlink(body: Name, caller: Changer) -> dict[str, Any]:
        """Let a source's subject mean nobody."""
        return {"statement": federation.unlink(caller, body.source, body.subject).to_json()}

    return routes
