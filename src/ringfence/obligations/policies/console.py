"""The Policies page: what is in force, who approved it, and which of its sentences are no longer true."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import PlainTextResponse
from starlette.responses import Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Pages, View
from ringfence.kernel.actor import Person
from ringfence.obligations.policies import shelf
from ringfence.obligations.policies.model import Shown, Stand
from ringfence.obligations.policies.service import Policies

Reader = Annotated[Person, Depends(require("status.read"))]
PAGE = "/policies"


def router(service: Policies, pages: Pages) -> APIRouter:
    """Return the Policies page and the templates."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PAGE)
    def page(request: Request, caller: Reader) -> Response:
        """Show every type of policy."""
        found = service.all(caller.tenant)
        view = View("Which policies are in force, and do they still hold?", "ringfence policy list", caller)
        asked = [one for one in found if one.asked_by]
        return pages.respond(
            request,
            "policies.html",
            view,
            policies=[*sorted(asked, key=_order), *(one for one in found if not one.asked_by)],
            in_force=sum(one.adopted is not None for one in found),
            contradicted=sum(one.stand is Stand.CONTRADICTED for one in found),
            stands=Stand,
        )

    @routes.get(PAGE + "/{name}/template")
    def template(name: Annotated[str, Path(max_length=40)], caller: Reader) -> Response:
        """Give a template as a file."""
        del caller
        said = f'attachment; filename="{name}.md"'
        text = shelf.template(name, service.catalog)
        return PlainTextResponse(text, headers={"content-disposition": said}, media_type="text/markdown")

    return routes


def _order(one: Shown) -> int:
    order = (Stand.CONTRADICTED, Stand.OVERDUE, Stand.IN_FORCE, Stand.NONE)
    return order.index(one.stand)
