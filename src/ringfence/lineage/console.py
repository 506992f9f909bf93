"""The Lineage pages: what is missing in a tenant; one thing with what it comes from; the data behind an answer."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as InPath
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.live import proof
from ringfence.frontends.page import AsOf, Pages, View, instant
from ringfence.frontends.wording import kept_at
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.lineage import sheet
from ringfence.lineage.drawing import HEIGHT, WIDTH, drawn
from ringfence.lineage.model import Kind, Ref, Role, Thing
from ringfence.lineage.ports import Behind
from ringfence.lineage.service import Lineages

PAGE = "/lineage"
SHOWN = 40  # gaps, and things of a kind, on the first page
Reader = Annotated[Person, Depends(require("evidence.read"))]
Named = Annotated[str, Query(max_length=200)]
_LISTED = (Kind.DEPLOYMENT, Kind.MODEL, Kind.RUN, Kind.DATASET)


def router(service: Lineages, behind: Behind, pages: Pages) -> APIRouter:
    """Return the pages."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PAGE)
    def surveyed(request: Request, caller: Reader, name: Named = "", as_of: AsOf = None) -> Response:
        """Show what is missing, or lead to what somebody names."""
        at = instant(as_of)
        if name:
            return RedirectResponse(f"{PAGE}/{service.named(caller.tenant, name.strip(), at)}{kept_at(at)}", 303)
        lineage, names = service.lineage(caller.tenant, at), service.names(caller.tenant)
        document = sheet.surveyed(service.survey(caller.tenant, at), lineage, names)
        listed = {kind: [one for one in lineage.of_kind(kind) if _stated(one)] for kind in _LISTED}
        rows = {
            kind: [(str(one.ref), sheet.label(one, names), one.ref.digest.hex) for one in found[-SHOWN:][::-1]]
            for kind, found in listed.items()
        }
        view = View("Where do our models and answers come from?", _line("gaps", at), caller, at, scrubs=True)
        return pages.respond(
            request,
            "lineage.html",
            view,
            document=document,
            rows=rows,
            shown=SHOWN,
            when=kept_at(at),
        )

    @routes.get(PAGE + "/answers/{asked}")
    def answer(request: Request, asked: Annotated[str, InPath(max_length=64)], caller: Reader) -> Response:
        """Show what stands behind one answer."""
        document = behind(caller.tenant, asked)
        view = View("Which data are behind this answer?", f"ringfence lineage show {asked}", caller)
        return _respond(pages, request, view, document)

    @routes.get(PAGE + "/{thing}")
    def one(
        request: Request, thing: Annotated[str, InPath(max_length=100)], caller: Reader, as_of: AsOf = None
    ) -> Response:
        """Show one thing."""
        at, ref = instant(as_of), Ref.parse(thing)
        document = sheet.shown(service.show(caller.tenant, ref, at), service.names(caller.tenant))
        question = f"Where does this {ref.kind} come from, and what became of it?"
        return _respond(pages, request, View(question, _line(f"show {ref}", at), caller, at, scrubs=True), document)

    return routes


def _stated(thing: Thing) -> bool:
    """Leave out what only others name, except models that serve."""
    return bool(thing.marked(Role.SEALED, Role.RAN, Role.SIGNED, Role.IMPORTED, Role.DEPLOYED, counted=False))


def _respond(pages: Pages, request: Request, view: View, document: Mapping[str, Any]) -> Response:
    return pages.respond(
        request,
        "lineage_thing.html",
        view,
        document=document,
        answer=document.get("answer"),
        drawing=drawn(document),
        box={"width": WIDTH, "height": HEIGHT},
        chip=_chip,
        known={thing["thing"]: thing for thing in document["things"]},
        when=kept_at(view.as_of),
    )


def _chip(statement: Mapping[str, Any]) -> dict[str, Any]:
    return proof(statement["entry"], Digest.parse(statement["envelope"]), statement["strength"])


def _line(what: str, at: Any) -> str:
    return f"ringfence lineage {what}" + (f" --as-of {to_text(at)}" if at else "")
