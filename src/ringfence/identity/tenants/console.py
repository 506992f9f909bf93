"""The Tenants page: the own tenant with what it holds, and for who looks after the installation the names of others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Allows, Pages, View
from ringfence.identity.tenants.service import Tenants
from ringfence.kernel.actor import Person
from ringfence.kernel.identifier import Tenant

PAGE = "/access/tenants"


@dataclass(frozen=True, slots=True)
class Held:
    """How many things of a kind a tenant has, and where they are shown."""

    what: str
    count: int
    link: str = ""


Holdings = Callable[[Tenant], Sequence[Held]]


def router(tenants: Tenants, holdings: Holdings, pages: Pages, allows: Allows) -> APIRouter:
    """Return the Tenants page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PAGE)
    def page(request: Request, caller: Annotated[Person, Depends(require("person.read"))]) -> Response:
        """Show the own tenant, counted; of others only that they are there, to whoever may add them."""
        known = tenants.seen_by(caller)
        keeps = allows(caller, "tenant.add") and caller.tenant == tenants.first
        return pages.respond(
            request,
            "tenants.html",
            View("What does my tenant hold, and who shares this installation?", "ringfence tenant list", caller),
            own=next(one for one in known if one.tenant == caller.tenant),
            holdings=holdings(caller.tenant),
            others=[one for one in known if one.tenant != caller.tenant] if keeps else [],
            keeps=keeps,
            first=tenants.first,
        )

    return routes
