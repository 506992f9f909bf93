"""The Retention page: what is kept, why, until when; the next sweep; holds."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Pages, View, instant
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import Refused, UsageError
from ringfence.kernel.identifier import person_id
from ringfence.retention import shown
from ringfence.retention.erasing import LONGEST_REASON
from ringfence.retention.model import Scope, hold_id
from ringfence.retention.service import Retention

Reader = Annotated[Person, Depends(require("retention.read"))]
Words = Annotated[str, Form(max_length=LONGEST_REASON)]
Short = Annotated[str, Form(max_length=128)]
PAGE = "/retention"


def router(service: Retention, pages: Pages) -> APIRouter:
    """Return the Retention page and its forms."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PAGE)
    def page(request: Request, caller: Reader) -> Response:
        """Show what is kept."""
        return _page(service, pages, request, caller)

    @routes.post(f"{PAGE}/holds")
    def place(
        caller: Annotated[Person, Depends(require("retention.hold"))],
        because: Words,
        person: Short = "",
        incident: Short = "",
        family: Short = "",
        start: Short = "",
        end: Short = "",
    ) -> Response:
        """Place a hold."""
        who = person_id(person.strip()) if person.strip() else ""
        scope = Scope(who, incident.strip(), family.strip(), _time(start), _time(end))
        service.place(caller, scope, because.strip())
        return RedirectResponse(f"{PAGE}#holds", status_code=303)

    @routes.post(PAGE + "/holds/{hold}/release")
    def release(
        hold: str, because: Words, caller: Annotated[Person, Depends(require("retention.release"))]
    ) -> Response:
        """Release a hold."""
        service.release(caller, hold_id(hold), because.strip())
        return RedirectResponse(f"{PAGE}#holds", status_code=303)

    return routes


def _time(text: str) -> datetime | None:
    return instant(text.strip())


def _page(service: Retention, pages: Pages, request: Request, caller: Person) -> Response:
    now, refused = service.runner.clock.now(), ""
    try:
        classes = [shown.kept(one, now) for one in service.overview(caller.tenant)]
        elsewhere = [shown.elsewhere(one) for one in service.schedule(caller.tenant).elsewhere]
    except (Refused, UsageError) as error:  # the team's own periods are not taken: say so, and that nothing is swept
        classes, elsewhere, refused = [], [], str(error)
    holds = service.holds(caller.tenant)
    return pages.respond(
        request,
        "retention.html",
        View("What do we keep, why, and until when?", "ringfence retention list", caller),
        classes=classes,
        elsewhere=elsewhere,
        refused=refused,
        due=sum(one["due"] for one in classes),
        held=sum(one["held"] for one in classes),
        holds=[(hold, shown.hold(hold)) for hold in holds],
        standing=sum(hold.released_at is None for hold in holds),
        last=service.last_sweep(caller.tenant),
    )
