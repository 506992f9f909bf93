"""Resolutions over HTTP: draft one, put it, read it, end it. Votes are signed acts of the console."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import PostedStatement, require
from ringfence.governance.resolutions import views
from ringfence.governance.resolutions.model import (
    MAX_DAYS,
    MAX_FILES,
    MAX_RECORDS,
    MAX_TEXT,
    MEASURES,
    USUAL_DAYS,
    Attached,
    Proposal,
    Shown,
    resolution_id,
    subject_matter,
)
from ringfence.governance.resolutions.service import Governing
from ringfence.kernel import drafts
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import person_id
from ringfence.kernel.voting import MAX_MEMBERS

Reader = Annotated[Person, Depends(require("resolution.read"))]
Opener = Annotated[Person, Depends(require("resolution.open"))]


class Document(BaseModel):
    """A document that stays with the person."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=255)
    salt: str = Field(pattern=r"^[0-9a-f]{64}$")
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")


class Wanted(BaseModel):
    """What is to be put to the body."""

    model_config = ConfigDict(extra="forbid")
    about: str = Field(default=MEASURES, max_length=20)
    title: str = Field(max_length=200)
    text: str = Field(max_length=MAX_TEXT)
    quorum: int = Field(default=0, ge=0, le=MAX_MEMBERS)
    agreements: int = Field(default=0, ge=0, le=MAX_MEMBERS)
    days: int = Field(default=USUAL_DAYS, ge=1, le=MAX_DAYS)
    members: list[str] = Field(default_factory=list, max_length=MAX_MEMBERS)
    shown: list[Shown] = Field(default_factory=list, max_length=len(Shown))
    files: list[Document] = Field(default_factory=list, max_length=MAX_FILES)
    records: list[int] = Field(default_factory=list, max_length=MAX_RECORDS)
    tasks_overdue: int = Field(default=0, ge=0, le=1_000_000)

    def parsed(self) -> Proposal:
        """Return it as the service takes it."""
        return Proposal(
            about=subject_matter(self.about),
            title=self.title,
            text=self.text,
            quorum=self.quorum,
            agreements=self.agreements,
            days=self.days,
            members=tuple(map(person_id, self.members)),
            shown=frozenset(self.shown),
            files=tuple(Attached(one.name, bytes.fromhex(one.salt), Digest.parse(one.digest)) for one in self.files),
            records=tuple(self.records),
            tasks_overdue=self.tasks_overdue,
        )


def router(governing: Governing) -> APIRouter:
    """Return the routes of resolutions."""
    routes = APIRouter(tags=["governance"])

    @routes.get("/resolutions")
    def listed(caller: Reader) -> dict[str, Any]:
        """List the resolutions of the tenant, the newest first."""
        found = governing.all(caller.tenant)
        told = governing.told(caller.tenant, found)
        return {"resolutions": [views.shown(one, told[one.id]) for one in found]}

    @routes.get("/resolutions/{resolution}")
    def one(resolution: str, caller: Reader) -> dict[str, Any]:
        """Show one resolution, with every vote that stands."""
        found = governing.one(caller.tenant, resolution_id(resolution))
        return views.shown(found, governing.told(caller.tenant, [found])[found.id])

    @routes.post("/resolutions/draft")
    def draft(body: Wanted, caller: Opener) -> dict[str, Any]:
        """Return what the caller signs to put this to the body; nothing is stated yet."""
        return drafts.to_json(governing.propose(caller, body.parsed()))

    @routes.post("/resolutions", status_code=201)
    def put(body: PostedStatement, caller: Opener) -> dict[str, Any]:
        """Put to the body what the caller signed."""
        return views.shown(governing.open(caller, *body.parsed()))

    @routes.post("/resolutions/{resolution}/close")
    def close(resolution: str, caller: Opener) -> dict[str, Any]:
        """End what is decided whatever the missing votes say."""
        return views.shown(governing.close(caller, resolution_id(resolution)))

    return routes
