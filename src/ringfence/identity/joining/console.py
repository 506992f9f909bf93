"""The Import page: what a directory's file proposes, and a person's yes to each change of it."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Pages, View
from ringfence.identity.joining.api import SOURCE, Changer
from ringfence.identity.joining.scim import MAX_RESOURCES
from ringfence.identity.joining.service import Joining
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, person_id

PAGE = "/access/import"
MAX_TEXT = 4 * 2**20  # characters; in a form three bytes may stand for one

Source = Annotated[str, Form(max_length=255)]
Text = Annotated[str, Form(max_length=MAX_TEXT)]


def router(joining: Joining, pages: Pages) -> APIRouter:
    """Return the Import page and its forms."""
    routes = APIRouter(include_in_schema=False)

    def shown(request: Request, caller: Person, **facts: Any) -> Response:
        view = View("Who joined, moved or left, by the directory's file?", "ringfence user import FILE", caller)
        named = {person.id: person for person in joining.people.all(caller.tenant)}
        empty: dict[str, Any] = {"proposal": None, "source": "", "text": ""}
        return pages.respond(request, "import.html", view, people=named, **empty | facts)

    @routes.get(PAGE)
    def page(
        request: Request,
        caller: Annotated[Person, Depends(require("person.read"))],
    ) -> Response:
        """Show the form."""
        return shown(request, caller)

    @routes.post(PAGE)
    def propose(request: Request, caller: Changer, source: Source = "", file: Text = "") -> Response:
        """Show what a file would change; nothing changes."""
        proposal = joining.proposal(caller.tenant, named(source), sent(file))
        return shown(request, caller, proposal=proposal, source=source, text=file)

    @routes.post(PAGE + "/apply")
    def apply(
        source: Source,
        file: Text,
        proposal: Annotated[str, Form(max_length=80)],
        caller: Changer,
        person: Annotated[list[str], Form(max_length=MAX_RESOURCES)] = [],  # noqa: B006  # FastAPI copies it
        many: Annotated[bool, Form()] = False,  # noqa: FBT002
    ) -> Response:
        """Do what the caller confirmed, person by person."""
        joining.apply(caller, named(source), sent(file), Digest.parse(proposal), many=many, only=chosen(person))
        return RedirectResponse("/access", status_code=303)

    return routes


def named(source: str) -> str:
    """Return the short name of a directory; raise `MalformedInput`."""
    if not re.fullmatch(SOURCE, source):
        raise MalformedInput("a directory's short name has 1 to 32 small letters, digits and hyphens, a letter first")
    return source


def sent(file: str) -> bytes:
    """Return what was picked or pasted; raise `MalformedInput` where that is nothing."""
    if not file.strip():
        raise MalformedInput("pick the directory's file, or paste what is in it")
    return file.encode()


def chosen(people: list[str]) -> frozenset[PersonId]:
    """Return whom the caller ticked."""
    return frozenset(map(person_id, people))
