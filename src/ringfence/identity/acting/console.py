"""The page on which an act is read and signed."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, RedirectResponse, Response

from ringfence.frontends import cookies
from ringfence.frontends.http import require, require_caller
from ringfence.frontends.page import Pages, View
from ringfence.identity.acting.api import page_of
from ringfence.identity.acting.enrolling import Enrolling
from ringfence.identity.acting.service import ActDesk
from ringfence.identity.signin.browser import Asserted
from ringfence.identity.signin.model import Site
from ringfence.kernel.actor import Caller, Person

Signer = Annotated[Person, Depends(require("act.sign"))]


class Chosen(BaseModel):
    """Which passkey is to sign."""

    model_config = ConfigDict(extra="forbid", strict=True)
    passkey: str = Field(pattern=r"^[0-9a-f]{64}$")


def router(desk: ActDesk, enrolling: Enrolling, pages: Pages, site: Site) -> APIRouter:
    """Return the page of an act, and what its script asks for."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/sign/{act}")
    def page(request: Request, act: str, caller: Signer) -> Response:
        """Show in words what a signature says and does."""
        found = desk.one(caller, act)
        target = desk.target(found.draft.predicate)
        view = View("What do I sign?", "", caller)
        facts: dict[str, Any] = {
            "act": found,
            "target": target,
            "signers": desk.signers(caller),
            "after": target.page(found.place),
            "signed": found.outcome is not None,
            "statement": json.loads(found.outcome or b"{}").get("statement"),
            "site": site,
        }
        return pages.respond(request, "sign.html", view, **facts)

    @routes.post("/sign/{act}/ask")
    def ask(request: Request, act: str, body: Chosen, caller: Signer) -> Response:
        """Ask one passkey to sign the act."""
        browser = cookies.session_of(request)
        return JSONResponse(desk.ask(caller, act, body.passkey, browser=browser, site=site))

    @routes.post("/sign/{act}")
    def sign(
        request: Request, act: str, body: Asserted, caller: Annotated[Caller, Depends(require_caller("act.sign"))]
    ) -> Response:
        """Take the signature, and do what was signed."""
        desk.sign(caller, act, body.parsed(), browser=cookies.session_of(request))
        return JSONResponse({"to": f"/sign/{act}"}, status_code=201)

    @routes.post("/signin/passkeys/{passkey}/sign")
    def let_sign(passkey: str, caller: Annotated[Person, Depends(require("passkey.sign"))]) -> Response:
        """Prepare the enrolment of a passkey that another one of the same person signs."""
        act = desk.prepare(caller, enrolling.draft(caller, passkey), passkey)
        return RedirectResponse(page_of(act), status_code=303)

    return routes
