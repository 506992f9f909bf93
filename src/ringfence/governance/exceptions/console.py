"""The Exceptions page: what stands beside the computed status of controls, exceptions first, then opinions."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Allows, AsOf, Names, Pages, Prepare, View, instant, may
from ringfence.governance import reading
from ringfence.governance.exceptions import statements
from ringfence.governance.exceptions.model import ExceptionId, State, Wanted, exception_id
from ringfence.governance.exceptions.service import Exceptions, approvable
from ringfence.governance.opinions import statements as opinions
from ringfence.governance.opinions.model import LONGEST, MAX_BASIS, Given, Method, OpinionId, Verdict, opinion_id
from ringfence.governance.opinions.model import State as OpinionState
from ringfence.governance.opinions.service import Opinions, withdrawable
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import MalformedInput

Reader = Annotated[Person, Depends(require("status.read"))]
Signer = Annotated[Person, Depends(require("act.sign"))]  # what is signed asks for an action of its own
Short = Annotated[str, Form(max_length=reading.MAX_LINE)]
Long = Annotated[str, Form(max_length=reading.MAX_TEXT)]
PAGE = "/exceptions"
_ACTS = ("exception.request", "exception.approve", "opinion.give")
MARKS = {
    State.WAITING: "pending",
    State.IN_FORCE: "pending",  # never the colour of a control that is satisfied
    State.LAPSED: "not-applicable",
    State.EXPIRED: "not-satisfied",
    State.ENDED: "not-applicable",
    OpinionState.IN_FORCE: "pending",
    OpinionState.EXPIRED: "not-satisfied",
    OpinionState.WITHDRAWN: "not-applicable",
}


@dataclass(frozen=True, slots=True)
class Remarks:
    """The page over the use cases of exceptions and opinions."""

    exceptions: Exceptions
    opinions: Opinions
    names: Names
    pages: Pages
    prepare: Prepare
    allows: Allows

    def shown(self, request: Request, caller: Person, as_of: str | None) -> Response:
        """Return the page."""
        at = instant(as_of)
        now = at or self.exceptions.desk.clock.now()
        excepted, thought = self.exceptions.all(caller.tenant, at), self.opinions.all(caller.tenant, at)
        # An opinion is kept where the status has changed since; both are shown.
        status = {name: found.state for name, found in self.opinions.computed(caller.tenant).items()} if thought else {}
        view = View("Which controls are excepted, and what do auditors think?", "ringfence exception list", caller, at)
        return self.pages.respond(
            request,
            "exceptions.html",
            view,
            exceptions=[(one, one.state(now), one.approvable_by(caller.id)) for one in excepted],
            opinions=[(one, one.state(now), status.get(one.given.control, "")) for one in thought],
            counts={state: sum(one.state(now) is state for one in excepted) for state in State},
            names=self.names(caller.tenant),
            may=may(self.allows, caller, _ACTS),
            marks=MARKS,
            me=caller.id,
            controls=sorted(self.exceptions.controls),
            verdicts=list(Verdict),
            methods=list(Method),
            latest=now.date() + timedelta(days=reading.LONGEST),
            latest_opinion=now.date() + timedelta(days=LONGEST),
            open_states=(State.WAITING, State.IN_FORCE),
        )

    def signing(self, caller: Person, draft: Any, place: str) -> Response:
        """Lead to the page on which an act is signed."""
        return RedirectResponse(self.prepare(caller, draft, place), status_code=303)


def router(
    exceptions: Exceptions, thought: Opinions, names: Names, pages: Pages, prepare: Prepare, allows: Allows
) -> APIRouter:
    """Return the page and its forms."""
    routes = APIRouter(include_in_schema=False)
    desk = Remarks(exceptions, thought, names, pages, prepare, allows)

    @routes.get(PAGE)
    def shown(request: Request, caller: Reader, as_of: AsOf = None) -> Response:
        """Show what stands beside the computed status of controls."""
        return desk.shown(request, caller, as_of)

    _excepting(routes, desk)
    _judging(routes, desk)
    return routes


def _excepting(routes: APIRouter, desk: Remarks) -> None:
    @routes.post(PAGE)
    def ask(
        caller: Signer, control: Short, until: Short, reason: Long, owner: Short = "", compensating: Short = ""
    ) -> Response:
        """Prepare a request for an exception."""
        who = reading.person(owner, "owner") or caller.id
        day = reading.until(until, "until", desk.exceptions.desk.clock.now().date())
        name = ExceptionId(f"exception-{secrets.token_hex(6)}")
        instead = reading.names(compensating.split(), "compensating", desk.exceptions.controls)
        wanted = Wanted(name, control, who, instead, day, reading.text(reason, "reason"))
        draft = statements.requested(wanted)
        statements.parse_requested(draft.claims, draft.details, desk.exceptions.controls)
        return desk.signing(caller, draft, "exceptions")

    @routes.post(PAGE + "/{exception}/approve")
    def approve(exception: str, caller: Signer) -> Response:
        """Prepare another person's approval."""
        found = desk.exceptions.one(caller.tenant, exception_id(exception))
        approvable(found, caller, desk.exceptions.desk.clock.now())
        return desk.signing(caller, statements.approved(found.id, found.request), found.id)

    @routes.post(PAGE + "/{exception}/end")
    def end(exception: str, reason: Long, caller: Signer) -> Response:
        """Prepare the end of an exception."""
        found = desk.exceptions.one(caller.tenant, exception_id(exception))
        return desk.signing(caller, statements.ended(found.id, reading.text(reason, "reason")), found.id)


def _judging(routes: APIRouter, desk: Remarks) -> None:
    @routes.post("/opinions")
    def give(
        caller: Signer,
        control: Short,
        verdict: Annotated[Verdict, Form()],
        method: Annotated[Method, Form()],
        until: Short,
        sentence: Long,
        basis: Short = "",
    ) -> Response:
        """Prepare an auditor's opinion on the status as it is computed now."""
        about = desk.opinions.on(caller.tenant, control)
        seen = _entries(basis) if basis.strip() else about.entries[:MAX_BASIS]
        name, day = OpinionId(f"opinion-{secrets.token_hex(6)}"), reading.day(until, "until")
        said = reading.text(sentence, "sentence")
        given = Given(name, control, verdict, method, seen, about.rules, about.state, day, said)
        draft = opinions.given(given)
        opinions.parse_given(draft.claims, draft.details, desk.opinions.controls)
        return desk.signing(caller, draft, "opinions")

    @routes.post("/opinions/{opinion}/withdraw")
    def withdraw(opinion: str, reason: Long, caller: Signer) -> Response:
        """Prepare that the caller takes an own opinion back."""
        found = desk.opinions.one(caller.tenant, opinion_id(opinion))
        withdrawable(found, caller, desk.exceptions.desk.clock.now())
        return desk.signing(caller, opinions.withdrawn(found.id, reading.text(reason, "reason")), found.id)


def _entries(text: str) -> tuple[int, ...]:
    words = text.split()
    if not all(word.isascii() and word.isdecimal() and len(word) < 16 for word in words):
        raise MalformedInput("is the numbers of entries, with spaces between", source="basis")
    return tuple(sorted({int(word) for word in words}))
