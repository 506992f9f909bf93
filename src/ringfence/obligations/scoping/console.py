"""The Scope page: which duties are ours, since when, why; and the wizard that leads to a signed scope."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Allows, AsOf, Pages, Prepare, View, instant
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.ports import Boards
from ringfence.obligations.scope import effects
from ringfence.obligations.scope.organisation import parse
from ringfence.obligations.scope.wizard import about_systems, cards, questions, turn
from ringfence.obligations.scope.wizard.model import Sheet
from ringfence.obligations.scoping.service import PLACE, Scopes, classified
from ringfence.obligations.scoping.views import Seen, seen
from ringfence.obligations.standings import grouping

PAGE = "/scope"
SIGN = "statement.add"
MAX_FIELDS = 2000
Reader = Annotated[Person, Depends(require("status.read"))]
Signer = Annotated[Person, Depends(require("act.sign"))]
System = Annotated[str, Path(max_length=40)]


async def sheet_of(request: Request) -> dict[str, list[str]]:
    """Return every field of the wizard with all its values."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return parse_qs(body, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise MalformedInput(f"the wizard has at most {MAX_FIELDS} fields") from error


Sent = Annotated[dict[str, list[str]], Depends(sheet_of)]


@dataclass(frozen=True, slots=True)
class ScopePages:
    """The pages over the use cases."""

    scopes: Scopes
    status: Boards
    pages: Pages
    allows: Allows

    def shown(self, request: Request, caller: Person, as_of: str | None) -> Response:
        """Return the scope in force."""
        at = instant(as_of)
        found = seen(self.scopes, caller.tenant, at)
        command = "ringfence scope --signed" + (f" --on {at.date()}" if at else "")
        view = View("Which duties are ours, since when, why?", command, caller, at, scrubs=True)
        return self.pages.respond(
            request,
            "scope.html",
            view,
            seen=found,
            columns=self._columns(caller, at) if found.signed else {},
            effects=self._effects(found),
            titles=questions.titles(),
            named=questions.named,
            may=self.allows(caller, SIGN),
        )

    def _effects(self, found: Seen) -> Mapping[str, Any]:
        if found.signed is None or found.document is None:
            return {}
        return effects.of(parse(found.signed.profile.encode()), date.fromisoformat(found.document["on"]))

    def _columns(self, caller: Person, at: Any) -> dict[grouping.Column, int]:
        tally = grouping.tally(grouping.provisions(self.status.board(caller.tenant, at)))
        return {column: sum(row[column] for row in tally.values()) for column in grouping.Column}

    def wizard(self, request: Request, caller: Person, sheet: Sheet) -> HTMLResponse:
        """Return the wizard with the answers so far, or just what they changed, for a page that recomputes."""
        taken = turn.take(sheet, self.scopes.today())
        facts: dict[str, Any] = {
            "sheet": sheet,
            "turn": taken,
            "effects": effects.of(taken.organisation, self.scopes.today()),
            "entity": questions.entity(),
            "system_questions": about_systems.system(),
            "customer_questions": questions.customer(),
            "enterprise_questions": questions.enterprise(),
            "max_enterprises": questions.MAX_ENTERPRISES,
            "groups": cards.GROUPS,
            "named": questions.named,
        }
        live = request.headers.get("hx-target") == "answer"
        facts["stale"] = live and (sheet.get("shown") or [""])[-1] != taken.shown
        template = "scope_answer.html" if live else "scope_wizard.html"
        view = View("Who are you, and what do you run?", "ringfence scope", caller)
        return self.pages.respond(request, template, view, **facts)

    def result(self, request: Request, caller: Person, profile: str, sheet: Sheet) -> Response:
        """Return what a profile comes to, before it is signed."""
        document = classified(profile, self.scopes.today())
        before = self.scopes.in_force(caller.tenant)
        view = View("What does that come to?", "ringfence scope organisation.yaml", caller)
        return self.pages.respond(
            request,
            "scope_result.html",
            view,
            document=document,
            profile=profile,
            before=before,
            changes=turn.changed(before.document if before else None, document),
            sheet=sheet,
            effects=effects.of(parse(profile.encode()), self.scopes.today()),
            titles=questions.titles(),
            named=questions.named,
            may=self.allows(caller, SIGN),
        )


def router(scopes: Scopes, status: Boards, pages: Pages, prepare: Prepare, allows: Allows) -> APIRouter:
    """Return the Scope pages."""
    routes = APIRouter(include_in_schema=False)
    shelf = ScopePages(scopes, status, pages, allows)

    @routes.get(PAGE)
    def shown(request: Request, caller: Reader, as_of: AsOf = None) -> Response:
        """Show the scope in force."""
        return shelf.shown(request, caller, as_of)

    @routes.get(PAGE + "/wizard")
    def empty(request: Request, caller: Reader) -> Response:
        """Show the wizard without any answer."""
        return shelf.wizard(request, caller, {})

    @routes.post(PAGE + "/wizard")
    def answered(request: Request, caller: Reader, sent: Sent) -> Response:
        """Recompute, add a card, or go on to the result; nothing is kept here."""
        asked = _last(sent, "go")
        if asked == "result":
            return shelf.result(request, caller, turn.take(sent, scopes.today()).text, sent)
        if asked == "system":
            sent["systems"] = [str(cards.count(sent) + 1)]
        return shelf.wizard(request, caller, sent)

    @routes.post(PAGE + "/result")
    def pasted(request: Request, caller: Reader, sent: Sent) -> Response:
        """Show what a file comes to, or hand it out."""
        profile = _last(sent, "profile")
        if _last(sent, "go") == "file":
            classified(profile, scopes.today())
            headers = {"content-disposition": 'attachment; filename="organisation.yaml"'}
            return Response(profile, media_type="application/yaml", headers=headers)
        return shelf.result(request, caller, profile, {})

    _signing(routes, scopes, prepare)
    return routes


def _signing(routes: APIRouter, scopes: Scopes, prepare: Prepare) -> None:
    @routes.post(PAGE + "/sign")
    def sign(caller: Signer, sent: Sent) -> Response:
        """Prepare the classification of the entity, which the person signs."""
        _, drafts = scopes.drafted(caller.tenant, _last(sent, "profile"))
        return RedirectResponse(prepare(caller, drafts[0], PLACE), status_code=303)

    @routes.post(PAGE + "/systems/{system}/sign")
    def sign_system(system: System, caller: Signer) -> Response:
        """Prepare the classification of one system of the scope in force."""
        draft = scopes.system(caller.tenant, system).draft
        return RedirectResponse(prepare(caller, draft, PLACE), status_code=303)


def _last(sent: Mapping[str, list[str]], name: str) -> str:
    # A browser sends the lines of a text with carriage returns; the file has none.
    return (sent.get(name) or [""])[-1].replace("\r\n", "\n")
