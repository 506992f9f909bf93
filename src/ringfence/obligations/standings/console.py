"""The Obligations pages: which provisions are ours, since when, why, and what shows that each is met with."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from ringfence.frontends.http import require
from ringfence.frontends.page import AsOf, Pages, View, instant
from ringfence.frontends.wording import kept_at
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.obligations.age import aged
from ringfence.obligations.ports import Past
from ringfence.obligations.results import State
from ringfence.obligations.standings import grouping
from ringfence.obligations.standings.grouping import Column

PAGE = "/obligations"
SHOWN = 60  # provisions on one page
FARTHEST = 8  # open controls that serve the most of them
Reader = Annotated[Person, Depends(require("status.read"))]
Word = Annotated[str, Query(max_length=20)]
Number = Annotated[int, Query(ge=1, le=100)]


def router(service: Past, pages: Pages) -> APIRouter:
    """Return the pages."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PAGE)
    def listed(
        request: Request,
        caller: Reader,
        act: Word = "",
        standing: Word = "",
        state: Word = "",
        page: Number = 1,
        as_of: AsOf = None,
    ) -> Response:
        """Show how many provisions of each act stand where, and those that were asked for."""
        at = instant(as_of)
        board = service.board(caller.tenant, at)
        found = grouping.provisions(board)
        chosen = grouping.chosen(found, act=act, column=standing, state=state)
        narrowed = {name: value for name, value in (("act", act), ("standing", standing), ("state", state)) if value}
        kept = narrowed | ({"as_of": to_text(at)} if at else {})
        shown = chosen[(page - 1) * SHOWN : page * SHOWN] if narrowed else []
        return pages.respond(
            request,
            "obligations.html",
            View("Which duties are ours, since when, and what shows it?", _terminal(narrowed, kept), caller, at, True),  # noqa: FBT003
            board=board,
            tally=grouping.tally(found),
            columns=list(Column),
            groups=grouping.by_column(shown),
            chosen=len(chosen),
            farthest=() if narrowed else grouping.farthest(board, FARTHEST),
            first=(page - 1) * SHOWN + 1,
            narrowed=narrowed,
            states=[state.value for state in State],
            total=len(found),
            everything=_terminal({}, kept),
            of_state=_of_state(state),
            address=lambda **other: _address(kept, **other),
            more=_address(kept, page=str(page + 1)) if narrowed and len(chosen) > page * SHOWN else "",
            when=kept_at(at),
            looked_up=max(one.verified_on for one in service.catalog.obligations.values()),
            aged=aged(service.catalog, board.as_of.date()),
        )

    @routes.get(PAGE + "/{obligation}")
    def one(request: Request, obligation: str, caller: Reader, as_of: AsOf = None) -> Response:
        """Show one provision."""
        at = instant(as_of)
        board = service.board(caller.tenant, at)
        found = grouping.provision(board, obligation)
        of = found.duty.obligation
        command = f"ringfence status --provision {of.id}" + (f" --as-of {to_text(at)}" if at else "")
        view = View(f"What does {of.act} {of.provision} ask of us?", command, caller, at, scrubs=True)
        return pages.respond(request, "obligation.html", view, board=board, found=found, when=kept_at(at))

    return routes


def _of_state(state: str) -> str:
    """Return how the line's document chooses the provisions that the page's own filter leaves."""
    return f"[state={'null' if state == grouping.NO_STATE else state}]" if state else ""


def _terminal(narrowed: dict[str, str], kept: dict[str, str]) -> str:
    """Return the command for the same view; the state of controls is a filter of the page alone."""
    act, standing = narrowed.get("act"), narrowed.get("standing")
    words = ["ringfence status --obligations"]
    words += [f'--act "{act}"' if " " in act else f"--act {act}"] if act else []
    words += [f"--standing {standing}"] if standing else []
    words += [f"--as-of {kept['as_of']}"] if "as_of" in kept else []
    return " ".join(words)


def _address(kept: dict[str, str], **other: str) -> str:
    query = {name: value for name, value in (kept | other).items() if value}
    return PAGE + (f"?{urlencode(query)}" if query else "")
