"""The page of offers: which classes of node can run here, why others cannot, and the form that starts one."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from ringfence.compute import shown
from ringfence.compute.lifecycle import Order, default_memory
from ringfence.compute.model import NodeClass
from ringfence.compute.service import Compute
from ringfence.frontends import cookies
from ringfence.frontends.http import require
from ringfence.frontends.page import Allows, Pages, View
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import MalformedInput

START = "node.start"
Reader = Annotated[Person, Depends(require("node.read"))]
Starter = Annotated[Person, Depends(require(START))]
Fields = Annotated[dict[str, str], Depends(cookies.form_of)]
Drive = Callable[[Person, Order], object]  # goes on with a node that was asked for, beside the request


def free_name(taken: Collection[str]) -> str:
    """Return a name that no node has: nobody has to think of one."""
    number = 1
    while f"node-{number}" in taken:
        number += 1
    return f"node-{number}"


def order(fields: dict[str, str]) -> Order:
    """Return what a form asks for; raise `MalformedInput` where it names no class."""
    try:
        node_class = NodeClass(fields.get("class", ""))
    except ValueError as error:
        raise MalformedInput("a node is of one of the classes that are offered", source="class") from error
    if node_class is NodeClass.OWN:
        raise MalformedInput("a host of your own is added with the key that it must show: ringfence node add")
    memory = default_memory(runtime=False, node_class=node_class)
    return Order(name=fields.get("name", ""), node_class=node_class, memory_mib=memory).checked()


@dataclass(frozen=True, slots=True)
class OfferPages:
    """The page over the nodes of an installation."""

    compute: Compute
    pages: Pages
    drive: Drive
    allows: Allows

    def listed(self, request: Request, caller: Person) -> Response:
        """Return what can run here."""
        view = View("What can run here, and what cannot?", "ringfence node offers", caller)
        return self.pages.respond(
            request,
            "offers.html",
            view,
            offers=self.compute.offers(),
            own=NodeClass.OWN,
            isolation=shown.ISOLATION,
            kind=shown.KIND,
            name=free_name({node.spec.name for node in self.compute.all(caller.tenant)}),
            memory=default_memory(runtime=False),
            may=self.allows(caller, START),
        )

    def start(self, caller: Person, fields: dict[str, str]) -> Response:
        """Ask for a node, and lead to its page, on which it comes up."""
        wanted = order(fields)
        self.compute.start(caller, wanted, wait=False)
        self.drive(caller, wanted)
        return RedirectResponse(f"/nodes/{wanted.name}", status_code=303)


def router(shows: OfferPages) -> APIRouter:
    """Return the page of offers; it goes before that of a node, which takes any name."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/nodes/offers")
    def listed(request: Request, caller: Reader) -> Response:
        return shows.listed(request, caller)

    @routes.post("/nodes")
    def start(caller: Starter, fields: Fields) -> Response:
        return shows.start(caller, fields)

    return routes
