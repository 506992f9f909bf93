"""The signed scope over HTTP: the one in force, what it comes to today, and what its signature changed."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import require
from ringfence.frontends.page import AsOf, instant
from ringfence.kernel import drafts
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.obligations.scope.document import MAX_TEXT
from ringfence.obligations.scoping.service import Scopes, Signed, SystemOf
from ringfence.obligations.scoping.views import Seen, seen


class Profile(BaseModel):
    """An organisation, as its file has it."""

    model_config = ConfigDict(extra="forbid")
    profile: str = Field(min_length=1, max_length=MAX_TEXT)


def router(scopes: Scopes) -> APIRouter:
    """Return the routes of the signed scope."""
    routes = APIRouter(tags=["obligations"])

    @routes.get("/scope")
    def in_force(
        caller: Annotated[Person, Depends(require("status.read"))],
        as_of: AsOf = None,
    ) -> dict[str, Any]:
        """Return the scope in force, or nulls where none was signed."""
        return shown(seen(scopes, caller.tenant, instant(as_of)))

    @routes.post("/scope/drafts")
    def drafted(body: Profile, caller: Annotated[Person, Depends(require("statement.add"))]) -> dict[str, Any]:
        """Return what a person signs who agrees to what a profile comes to today: the entity, then each system."""
        _, made = scopes.drafted(caller.tenant, body.profile)
        return {"drafts": [drafts.to_json(draft) for draft in made]}

    return routes


def shown(what: Seen) -> dict[str, Any]:
    """Return what front ends show of the scope in force."""
    return {
        "signed": None if what.signed is None else _signed(what.signed),
        "document": what.document,
        "changed_by_signature": [change.to_json() for change in what.changed],
        "changed_since": [change.to_json() for change in what.drifted],
        "systems": [_system(one) for one in what.systems],
    }


def _signed(signed: Signed) -> dict[str, Any]:
    issuance = signed.logged.envelope.statement.issuance
    return {
        "entry": signed.logged.entry,
        "issued_at": to_text(issuance.issued_at),
        "strength": issuance.strength.text,
        "claims": dict(signed.claims),
        "profile": signed.profile or None,
        "same_rules": signed.same_rules,
    }


def _system(one: SystemOf) -> dict[str, Any]:
    return {"system": one.name, "id": one.id, "class": one.draft.claims["class"], "entry": one.entry}
