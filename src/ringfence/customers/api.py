"""Customers over HTTP: the register, what each may rely on, answers to their questions, packs."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.customers import clauses, importing, leaf, shown
from ringfence.customers.model import MAX_HOURS, MAX_NAME, MAX_REFERENCE, MAX_THINGS, Handed, customer_id
from ringfence.customers.questions import MAX_LISTED, Pointer, Question
from ringfence.customers.service import MAX_REASON, Customers
from ringfence.customers.tables import MAX_CELL, MAX_ROWS
from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel import drafts
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import MAX_GIVEN, given
from ringfence.kernel.identifier import LogOrigin

Reader = Annotated[Person, Depends(require("customer.read"))]
Changer = Annotated[Person, Depends(require("customer.change"))]
Packer = Annotated[Person, Depends(require("report.pack"))]
_Short = Annotated[str, Field(min_length=1, max_length=128)]
_Words = Annotated[list[_Short], Field(max_length=MAX_LISTED)]
_Names = Annotated[list[_Short], Field(max_length=MAX_THINGS)]
_Hours = Annotated[int, Field(ge=1, le=MAX_HOURS)]


class Entry(BaseModel):
    """What is entered about a customer."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=MAX_NAME)
    reference: str = Field(default="", max_length=MAX_REFERENCE)
    country: str = Field(default="", max_length=2)
    regimes: list[_Short] = Field(default=[], max_length=6)
    hours: dict[_Short, _Hours] = Field(default={}, max_length=3)
    clauses: list[_Short] = Field(default=[], max_length=64)
    datasets: _Names = []
    deployments: _Names = []
    models: _Names = []
    nodes: _Names = []


class Entries(BaseModel):
    """Several of them, all or none."""

    model_config = ConfigDict(extra="forbid")
    customers: list[Entry] = Field(min_length=1, max_length=importing.MAX_CUSTOMERS)


class Removal(BaseModel):
    """End an entry."""

    model_config = ConfigDict(extra="forbid")
    because: str = Field(min_length=1, max_length=MAX_REASON)


class Announcement(BaseModel):
    """A new subprocessor, and whom somebody told of it."""

    model_config = ConfigDict(extra="forbid")
    subprocessor: str = Field(min_length=1, max_length=MAX_NAME)
    customers: list[_Short] = Field(default=[], max_length=importing.MAX_CUSTOMERS)
    announced_at: str = Field(default="", max_length=MAX_GIVEN)


class Asked(BaseModel):
    """One question, and what it is about, as somebody wrote it down."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(min_length=1, max_length=200)
    text: str = Field(default="", max_length=MAX_CELL)
    controls: _Words = []
    provisions: _Words = []
    keywords: _Words = []

    def question(self) -> Question:
        """Return it in our own words."""
        return Question(self.id, self.text, Pointer(tuple(self.controls), tuple(self.provisions), tuple(self.keywords)))


class Questionnaire(BaseModel):
    """A questionnaire."""

    model_config = ConfigDict(extra="forbid")
    file: str = Field(default="", max_length=255)
    questions: list[Asked] = Field(min_length=1, max_length=MAX_ROWS)


def router(service: Customers, log: LogOrigin) -> APIRouter:
    """Return the routes of customers."""
    routes = APIRouter(tags=["customers"])
    routes.include_router(_register(service))
    routes.include_router(_handing(service, log))
    return routes


def _register(service: Customers) -> APIRouter:
    routes = APIRouter()

    @routes.get("/customers")
    def listed(caller: Reader) -> dict[str, Any]:
        """List customers, and the clauses that can be ticked."""
        known = service.register(caller.tenant)
        return {
            "customers": [shown.line(one, known) for one in known.current],
            "clauses": [shown.ground(one) for one in clauses.clauses().values()],
        }

    @routes.post("/customers", status_code=201)
    def added(body: Entries, caller: Changer) -> dict[str, Any]:
        """Enter customers, all or none."""
        wanted = [importing.wanted_of(one.model_dump()) for one in body.customers]
        done = service.add_all(caller, wanted)
        return {"added": [{"customer": name, "statement": each.to_json()} for name, each in done]}

    @routes.get("/customers/{customer}")
    def one(customer: str, caller: Reader) -> dict[str, Any]:
        """Show a customer: contract, things, inherited controls with our status of each, packs."""
        known, name = service.register(caller.tenant), customer_id(customer)
        found = service.one(caller.tenant, name)
        here = service.things(caller.tenant)
        inherited, due = service.inherited(caller.tenant, found), service.due(caller.tenant, name)
        return shown.whole(found, known, inherited, here, due)

    @routes.put("/customers/{customer}")
    def changed(customer: str, body: Entry, caller: Changer) -> dict[str, Any]:
        """Replace what holds of a customer."""
        wanted = importing.wanted_of(body.model_dump())
        done = service.change(caller, customer_id(customer), wanted)
        return {"customer": customer, "statement": done.to_json()}

    @routes.post("/customers/announcements", status_code=201)
    def announced(body: Announcement, caller: Changer) -> dict[str, Any]:
        """Record that customers were told of a new subprocessor; says from when on it may begin for each."""
        at = given(body.announced_at, source="announced_at", zoned=True) if body.announced_at else None
        told = service.announce(caller, body.subprocessor, [customer_id(one) for one in body.customers], at)
        rows = [(one, shown.subprocessor(each), done) for one, each, done in told]
        return {"told": [{"customer": one.id, **each, "statement": done.to_json()} for one, each, done in rows]}

    @routes.post("/customers/{customer}/remove")
    def removed(customer: str, body: Removal, caller: Changer) -> dict[str, Any]:
        """End the entry of a customer; records and running clocks stay."""
        done = service.remove(caller, customer_id(customer), body.because)
        return {"customer": customer, "statement": done.to_json()}

    return routes


def _handing(service: Customers, log: LogOrigin) -> APIRouter:
    routes = APIRouter()

    def handed(caller: Person, made: Handed, data: bytes) -> dict[str, Any]:
        found, demo = service.one(caller.tenant, made.customer), service.boards.board(caller.tenant).demo
        return dict(shown.handed(found, made, data, leaf.text(found, made, caller.tenant, log, demo=demo)))

    @routes.post("/customers/{customer}/answers", status_code=201)
    def answered(customer: str, body: Questionnaire, caller: Changer) -> dict[str, Any]:
        """Answer questions with status, record ids and strength, or with `no evidence`."""
        asked = [one.question() for one in body.questions]
        answers, done = service.answer(caller, customer_id(customer), asked, body.file)
        return {"customer": customer, "answers": answers, "statement": done.to_json()}

    @routes.get("/customers/{customer}/pack")
    def preview(customer: str, caller: Packer) -> dict[str, Any]:
        """Return what a pack for this customer would state, and the report to sign."""
        made, draft = service.draft(caller.tenant, customer_id(customer))
        return {"preview": dict(made), "draft": drafts.to_json(draft)}

    @routes.post("/customers/{customer}/pack", status_code=201)
    def packed(customer: str, body: PostedStatement, caller: Packer) -> dict[str, Any]:
        """Record the signed report and for whom the pack is; return it with its leaf."""
        return handed(caller, *service.pack(caller, customer_id(customer), *body.parsed()))

    @routes.get("/customers/packs/{number}")
    def again(number: int, caller: Packer) -> dict[str, Any]:
        """Return a pack that was made earlier, under the newest head."""
        return handed(caller, *service.again(caller.tenant, number))

    return routes
