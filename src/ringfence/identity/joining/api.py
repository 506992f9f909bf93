"""Imports and changed roles over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import posted_bytes, require
from ringfence.identity.joining.proposal import Proposal
from ringfence.identity.joining.scim import MAX_RESOURCES
from ringfence.identity.joining.service import Joining
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import person_id

SOURCE = r"^[a-z][a-z0-9-]{0,31}$"
MAX_POSTED = 6 * 2**20

Changer = Annotated[Person, Depends(require("person.change"))]


class File(BaseModel):
    """A directory's file, in base64."""

    model_config = ConfigDict(extra="forbid")
    source: str = Field(pattern=SOURCE)
    file: str = Field(max_length=MAX_POSTED)


class Confirmed(File):
    """A directory's file whose proposal a person has seen."""

    proposal: str
    many: bool = False
    only: list[str] | None = Field(default=None, max_length=MAX_RESOURCES)  # people; the rest is proposed again


class NewRole(BaseModel):
    """What a person may do from now on."""

    model_config = ConfigDict(extra="forbid")
    role: Role


def shown(proposal: Proposal) -> dict[str, Any]:
    """Return what a front end shows of a proposal."""
    return {
        "proposal": str(proposal.digest),
        "joiners": [{"id": u.id, "name": u.name, "role": u.role.value if u.role else ""} for u in proposal.joiners],
        "leavers": list(proposal.leavers),
        "moves": [{"person": m.person, "before": m.before.value, "after": m.after.value} for m in proposal.moves],
        "namesakes": [{"id": u.id, "name": u.name, "person": person} for u, person in proposal.namesakes],
        "to_owner": list(proposal.to_owner),
        "without_role": proposal.without_role,
        "not_in_file": proposal.not_in_file,
        "surprising": proposal.surprising,
    }


def router(joining: Joining) -> APIRouter:
    """Return the routes of imports and roles."""
    routes = APIRouter(tags=["identity"])

    @routes.post("/imports/proposals")
    def propose(body: File, caller: Changer) -> dict[str, Any]:
        """Show what a directory's file would change; nothing changes."""
        return shown(joining.proposal(caller.tenant, body.source, posted_bytes(body.file, "file")))

    @routes.post("/imports", status_code=201)
    def confirm(body: Confirmed, caller: Changer) -> dict[str, Any]:
        """Do what the caller confirmed."""
        data, seen = posted_bytes(body.file, "file"), Digest.parse(body.proposal)
        only = None if body.only is None else [person_id(one) for one in body.only]
        done = joining.apply(caller, body.source, data, seen, many=body.many, only=only)
        return {"statement": done.to_json()}

    @routes.put("/people/{person}/role")
    def change(person: str, body: NewRole, caller: Changer) -> dict[str, Any]:
        """Give a person another role."""
        return {"person": person, "statement": joining.change_role(caller, person_id(person), body.role).to_json()}

    return routes
