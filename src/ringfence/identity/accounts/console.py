"""The Services page: programs with a key, what each may ask for, until when, and when it was last there."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Pages, View, may
from ringfence.identity.accounts.model import MAX_DAYS, Account, scope, service_id
from ringfence.identity.accounts.service import Issued, ServiceAccounts
from ringfence.identity.policy import open_to_services
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.clock import Clock

PAGE = "/access/services"
SOON = timedelta(days=14)
USUAL_DAYS = 90
_ACTS = ("service.enrol", "service.revoke")
_SHOWN_ENDED = 50

Reason = Annotated[str, Form(max_length=64, pattern=r"^[a-z][a-z0-9-]*$")]


def router(accounts: ServiceAccounts, pages: Pages) -> APIRouter:
    """Return the Services page and its forms."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PAGE)
    def page(request: Request, caller: Annotated[Person, Depends(require("person.read"))]) -> Response:
        """Show the services of the tenant."""
        return _page(accounts, pages, request, caller)

    @routes.post(PAGE)
    def enrol(
        request: Request,
        role: Annotated[Role, Form()],
        days: Annotated[int, Form(ge=1, le=MAX_DAYS)],
        caller: Annotated[Person, Depends(require("service.enrol"))],
        name: Annotated[str, Form(max_length=1000)] = "",
        asked: Annotated[list[str], Form(alias="scope", max_length=32)] = [],  # noqa: B006  # FastAPI copies it
    ) -> Response:
        """Enrol a service; its key stands in this answer, and nowhere else."""
        issued = accounts.enrol(caller, name.strip(), role, scope(asked), days)
        return _page(accounts, pages, request, caller, issued)

    @routes.post(PAGE + "/{service}/revoke")
    def revoke(service: str, reason: Reason, caller: Annotated[Person, Depends(require("service.revoke"))]) -> Response:
        """End a service's access at once."""
        accounts.revoke(caller, service_id(service), reason)
        return RedirectResponse(PAGE, status_code=303)

    return routes


def state_of(account: Account, clock: Clock, *, revoked: bool) -> tuple[str, str]:
    """Return the mark and the word for how a service stands."""
    now = clock.now()
    if account.revoked_at is not None or revoked:
        return "not-applicable", "revoked"
    if now >= account.expires_at:
        return "not-applicable", "expired"
    return ("pending", "ends soon") if account.expires_at - now <= SOON else ("satisfied", "in force")


def _page(
    accounts: ServiceAccounts, pages: Pages, request: Request, caller: Person, issued: Issued | None = None
) -> Response:
    known = accounts.all(caller.tenant)
    shown = [(one, *state_of(one, accounts.clock, revoked=one.id in accounts.revocations)) for one in known]
    in_force = [one for one in shown if one[1] != "not-applicable"]
    ended = [one for one in shown if one[1] == "not-applicable"]
    return pages.respond(
        request,
        "services.html",
        View("Which programs have a key, and for what?", "ringfence service list", caller),
        services=sorted(in_force, key=lambda one: one[0].expires_at),
        ended=sorted(ended, key=lambda one: one[0].revoked_at or one[0].expires_at, reverse=True)[:_SHOWN_ENDED],
        ended_count=len(ended),
        soon=sum(mark == "pending" for _, mark, _ in in_force),
        issued=issued,
        may=may(accounts.policies.allows, caller, _ACTS),
        roles=tuple(Role),
        actions=open_to_services(),
        usual_days=USUAL_DAYS,
        max_days=MAX_DAYS,
    )
