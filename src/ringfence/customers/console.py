"""The Customers pages: what we owe each customer, what we can show them today, and the pack that shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from ringfence.customers import clauses, importing, leaf, shown
from ringfence.customers.model import MAX_NAME, MAX_REFERENCE, Occasion, Regime, ThingKind, customer_id
from ringfence.customers.service import MAX_REASON, Customers
from ringfence.frontends.http import require
from ringfence.frontends.page import Allows, Pages, Prepare, View, may
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import from_text
from ringfence.kernel.identifier import LogOrigin

Reader = Annotated[Person, Depends(require("customer.read"))]
Changer = Annotated[Person, Depends(require("customer.change"))]
Packer = Annotated[Person, Depends(require("report.pack"))]
PAGE = "/customers"
_ACTIONS = ("customer.change", "report.pack")
_Short = Annotated[str, Form(max_length=40)]
_Line = Annotated[str, Form(max_length=4000)]
_Ticked = Annotated[list[str], Form(max_length=64)]


@dataclass(frozen=True, slots=True)
class CustomerPages:
    """The pages over the use cases."""

    service: Customers
    pages: Pages
    prepare: Prepare
    allows: Allows
    log: LogOrigin

    def listed(self, request: Request, caller: Person) -> Response:
        """Return the list, and the form for one more."""
        known = self.service.register(caller.tenant)
        rows = [shown.line(one, known) for one in known.current]
        facts = {
            "rows": rows,
            "agreed": sum(row["notice_hours"]["incident"]["agreed"] for row in rows),
            "handed": sum(row["last_pack"] is not None for row in rows),
            "clauses": clauses.clauses().values(),
            "regimes": list(Regime),
            "occasions": _OCCASIONS,
            "kinds": _KINDS,
            "there": self.service.things(caller.tenant),
            "may": self._may(caller),
        }
        view = View("What do we owe whom, and what can we show them?", "ringfence customer list", caller)
        return self.pages.respond(request, "customers.html", view, **facts)

    def one(self, request: Request, caller: Person, name: str) -> Response:
        """Return one customer."""
        known, wanted = self.service.register(caller.tenant), customer_id(name)
        found = self.service.one(caller.tenant, wanted)
        inherited = self.service.inherited(caller.tenant, found)
        here, due = self.service.things(caller.tenant), self.service.due(caller.tenant, wanted)
        document = shown.whole(found, known, inherited, here, due)
        satisfied = document["inherited_counts"].get("satisfied", 0)
        view = View(
            f"What do we owe {found.called}, and what can we show today?", f"ringfence customer show {found.id}", caller
        )
        facts = {
            "one": document,
            "instant": from_text,
            "satisfied": satisfied,
            "occasions": _OCCASIONS,
            "is_not": leaf.IS_NOT,
            "may": self._may(caller),
        }
        return self.pages.respond(request, "customer.html", view, **facts)

    def packed(self, caller: Person, name: str) -> Response:
        """Lead to the page on which the report that closes the pack is signed."""
        wanted = customer_id(name)
        _, draft = self.service.draft(caller.tenant, wanted)
        return RedirectResponse(self.prepare(caller, draft, wanted), status_code=303)

    def again(self, caller: Person, number: int) -> Response:
        """Return a pack as a file."""
        made, data = self.service.again(caller.tenant, number)
        return _file(data, f"{made.customer}-{number}.pack")

    def leaf(self, caller: Person, number: int) -> Response:
        """Return the leaf beside a pack as a file."""
        made = self.service.made(caller.tenant, number)
        found, demo = self.service.one(caller.tenant, made.customer), self.pages.is_demo(caller.tenant)
        text = leaf.text(found, made, caller.tenant, self.log, demo=demo)
        return _file(text.encode(), f"{made.customer}-{number}.pack.txt")

    def _may(self, caller: Person) -> frozenset[str]:
        return may(self.allows, caller, _ACTIONS)


_OCCASIONS: Mapping[str, str] = {
    Occasion.INCIDENT: "an incident that affects them",
    Occasion.BREACH: "a breach of personal data",
    Occasion.SUBPROCESSOR: "a change of subprocessor",
}
_KINDS: Mapping[str, str] = {kind: f"{kind.capitalize()}s" for kind in ThingKind}


def router(service: Customers, pages: Pages, prepare: Prepare, allows: Allows, log: LogOrigin) -> APIRouter:
    """Return the Customers pages."""
    routes, shows = APIRouter(include_in_schema=False), CustomerPages(service, pages, prepare, allows, log)

    @routes.get(PAGE)
    def listed(request: Request, caller: Reader) -> Response:
        """Show the list."""
        return shows.listed(request, caller)

    @routes.post(PAGE)
    def added(caller: Changer, entry: Annotated[dict[str, Any], Depends(_entry)]) -> Response:
        """Enter a customer."""
        name, _ = service.add(caller, importing.wanted_of(entry))
        return RedirectResponse(f"{PAGE}/{name}", status_code=303)

    @routes.get(PAGE + "/{customer}")
    def one(request: Request, customer: str, caller: Reader) -> Response:
        """Show one customer."""
        return shows.one(request, caller, customer)

    @routes.post(PAGE + "/{customer}/remove")
    def removed(customer: str, caller: Changer, because: Annotated[str, Form(max_length=MAX_REASON)]) -> Response:
        """End the entry."""
        service.remove(caller, customer_id(customer), because)
        return RedirectResponse(PAGE, status_code=303)

    @routes.post(PAGE + "/{customer}/pack")
    def packed(customer: str, caller: Packer) -> Response:
        """Prepare a pack."""
        return shows.packed(caller, customer)

    @routes.get(PAGE + "/packs/{number}/file")
    def file(number: int, caller: Packer) -> Response:
        """Hand out a pack."""
        return shows.again(caller, number)

    @routes.get(PAGE + "/packs/{number}/leaf")
    def beside(number: int, caller: Packer) -> Response:
        """Hand out the leaf beside it."""
        return shows.leaf(caller, number)

    return routes


def _entry(
    name: Annotated[str, Form(max_length=MAX_NAME)],
    country: _Short = "",
    reference: Annotated[str, Form(max_length=MAX_REFERENCE)] = "",
    incident: _Short = "",
    breach: _Short = "",
    subprocessor: _Short = "",
    regime: _Ticked = [],  # noqa: B006 - FastAPI copies it
    clause: _Ticked = [],  # noqa: B006
    dataset: _Line = "",
    deployment: _Line = "",
    model: _Line = "",
    node: _Line = "",
) -> dict[str, Any]:
    """Return what the form says, in the form in which the API takes it."""
    hours = {"incident": incident, "breach": breach, "subprocessor": subprocessor}
    things = {"datasets": dataset, "deployments": deployment, "models": model, "nodes": node}
    return {
        "name": name.strip(),
        "country": country.strip().upper(),
        "reference": reference.strip(),
        "regimes": regime,
        "clauses": clause,
        "hours": {occasion: importing.hours_of(text.strip()) for occasion, text in hours.items() if text.strip()},
        **{kind: text.replace(",", " ").split() for kind, text in things.items()},
    }


def _file(data: bytes, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(data, media_type="text/plain", headers=headers)
