"""The Frameworks pages: what our controls point at in lists of others, what not, and what one asks beyond another."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from ringfence.frontends.http import require
from ringfence.frontends.page import AsOf, Pages, View, instant
from ringfence.frontends.wording import kept_at
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.obligations.frameworks import crosswalk
from ringfence.obligations.frameworks.coverage import LIMIT, beyond, coverage
from ringfence.obligations.frameworks.crosswalk import Framework
from ringfence.obligations.model import Catalog
from ringfence.obligations.ports import Past

PAGE = "/frameworks"
Reader = Annotated[Person, Depends(require("status.read"))]
Name = Annotated[str, Query(max_length=40)]
Yes = Annotated[bool, Query()]


def router(service: Past, pages: Pages) -> APIRouter:
    """Return the pages."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PAGE)
    def listed(request: Request, caller: Reader, as_of: AsOf = None) -> Response:
        """Show every framework with its counts."""
        at = instant(as_of)
        board, catalog = service.board(caller.tenant, at), service.catalog
        found = [coverage(one, catalog, board) for one in crosswalk.load().values()]
        view = View("Where does one deed count more than once?", _terminal("--frameworks", at), caller, at, scrubs=True)
        facts: dict[str, Any] = {"found": found, "limit": LIMIT, "acts": crosswalk.acts(catalog), "when": kept_at(at)}
        return pages.respond(request, "frameworks.html", view, board=board, **facts)

    @routes.get(PAGE + "/{framework}")
    def one(
        request: Request,
        framework: str,
        caller: Reader,
        missing: Yes = False,  # noqa: FBT002 - a query
        against: Name = "",
        as_of: AsOf = None,
    ) -> Response:
        """Show one framework, code by code; those that nothing points at; or what another does not ask."""
        at = instant(as_of)
        catalog = service.catalog
        wanted = crosswalk.one(framework, catalog)
        other = crosswalk.one(against, catalog) if against else None
        board = service.board(caller.tenant, at)
        found = coverage(wanted, catalog, board)
        rows = found.missing if missing else found.rows
        if other is not None:
            rows = tuple(beyond(found, coverage(other, catalog, board)))
        options = f"--framework {wanted.id}" + (" --missing" if missing else "")
        options += f" --against {other.id}" if other else ""
        view = View(_question(wanted, other), _terminal(options, at), caller, at, scrubs=True)
        facts: dict[str, Any] = {"found": found, "rows": rows, "other": other, "missing": missing, "limit": LIMIT}
        others = [each for each in _all(catalog) if each.id != wanted.id]
        facts |= {"others": others, "when": kept_at(at), "title_of": _titles(wanted)}
        return pages.respond(request, "framework.html", view, board=board, **facts)

    return routes


def _all(catalog: Catalog) -> list[Framework]:
    return [*crosswalk.load().values(), *crosswalk.acts(catalog).values()]


def _titles(framework: Framework) -> Callable[[str], str]:
    """Return how a code is written for people: the id of a provision is for programs."""
    return (lambda code: framework.codes[code]) if framework.act else (lambda code: code)


def _question(framework: Framework, other: Framework | None) -> str:
    if other is None:
        return f"What do our controls show towards {framework.title}?"
    return f"What does {framework.title} ask that {other.title} does not?"


def _terminal(options: str, at: datetime | None) -> str:
    return f"ringfence status {options}" + (f" --as-of {to_text(at)}" if at else "")
