"""The page of rules that changed: what counts here beside what ships, or beside a file that somebody chose."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ringfence.frontends import multipart
from ringfence.frontends.http import require
from ringfence.frontends.multipart import Upload
from ringfence.frontends.page import AsOf, Pages, View, instant
from ringfence.frontends.wording import kept_at
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.comparing import sheet
from ringfence.obligations.comparing.model import Comparison
from ringfence.obligations.comparing.service import MAX_FILE, Comparing

PAGE = "/frameworks/changes"
SHOWN = 200  # rows of each table; the terminal has all of them
Reader = Annotated[Person, Depends(require("status.read"))]
Sent = Annotated[Upload | None, Depends(multipart.sent)]


def router(comparing: Comparing, pages: Pages) -> APIRouter:
    """Return the page; it goes before the one that takes any name in the same place."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PAGE)
    def known(request: Request, caller: Reader, as_of: AsOf = None) -> Response:
        """Show the versions that are known here, and what a team's own files change."""
        at = instant(as_of)
        return shown(request, caller, at, comparing.with_shipped(caller.tenant, at), "")

    @routes.post(PAGE)
    def compare(request: Request, caller: Reader, sent: Sent) -> Response:
        """Show what differs from the rules of a file; nothing of it is kept."""
        at = instant(sent.fields.get("as_of") if sent else None)
        try:
            name, data = _only(sent)
            found = comparing.with_file(caller.tenant, data, at)
        except MalformedInput as error:
            return shown(request, caller, at, comparing.with_shipped(caller.tenant, at), "", str(error))
        return shown(request, caller, at, found, name)

    def shown(
        request: Request, caller: Person, at: datetime | None, found: Comparison, name: str, wrong: str = ""
    ) -> Response:
        terminal = f"ringfence rules changes{' FILE' if name else ''}" + (f" --as-of {to_text(at)}" if at else "")
        facts: dict[str, Any] = {"found": sheet.document(found), "versions": comparing.versions(caller.tenant, at)}
        facts |= {
            "name": name,
            "wrong": wrong,
            "shown": SHOWN,
            "largest": MAX_FILE,
            "when": kept_at(at),
            "board": found.here,
        }
        view = View("What do other rules ask, and where would we stand by them?", terminal, caller, at, scrubs=not name)
        status = MalformedInput.http_status if wrong else 200
        return pages.respond(request, "changes.html", view, status=status, **facts)

    return routes


def _only(sent: Upload | None) -> tuple[str, bytes]:
    if sent is None or len(sent.files) != 1:
        raise MalformedInput("choose one file: an edition of the rules, or a pack", source="file")
    return sent.files[0]
