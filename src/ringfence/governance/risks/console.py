"""The Risks pages: the register with its heat map, and one risk with what can be signed about it."""

import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Allows, AsOf, Names, Pages, Prepare, View, instant, may
from ringfence.governance import reading
from ringfence.governance.risks import counts, shelf, statements
from ringfence.governance.risks.model import STEPS, Plan, Rating, RiskId, Row, Treatment, risk_id
from ringfence.governance.risks.service import Risks, may_accept, why_not
from ringfence.governance.risks.shelf import Filters
from ringfence.governance.risks.statements import Accepting, Review
from ringfence.kernel.actor import Person

Reader = Annotated[Person, Depends(require("status.read"))]
Changer = Annotated[Person, Depends(require("act.sign"))]  # what is signed asks for an action of its own
Short = Annotated[str, Form(max_length=reading.MAX_LINE)]
Long = Annotated[str, Form(max_length=reading.MAX_TEXT)]
Step = Annotated[int, Form(ge=1, le=STEPS)]
Asked = Annotated[str, Query(max_length=40)]
Cell = Annotated[int, Query(ge=0, le=STEPS)]
PAGE = "/risks"
_ACTS = ("risk.change", "risk.accept")
LIKELIHOOD = ("rare", "unlikely", "possible", "likely", "expected")
IMPACT = ("slight", "minor", "notable", "grave", "critical")
# Never the colour of a control that is satisfied: a rating, and an acceptance, is what people say.
MARKS = {"low": "not-applicable", "moderate": "pending", "high": "not-satisfied", "severe": "not-satisfied"}


@dataclass(frozen=True, slots=True)
class RiskPages:
    """The pages over the use cases."""

    risks: Risks
    names: Names
    pages: Pages
    prepare: Prepare
    allows: Allows

    def listed(self, request: Request, caller: Person, filters: Filters, as_of: str | None) -> Response:
        """Return the register."""
        filters.check()
        at = instant(as_of)
        today = at.date() if at else self.risks.today()
        found = self.risks.all(caller.tenant, at)
        view = View("What could go wrong, and who bears it?", "ringfence risk list", caller, at)
        return self.pages.respond(
            request,
            "risks.html",
            view,
            risks=filters.chosen(found, today),
            total=len(found),
            counts=counts.counts(found, today),
            heat=counts.heat(found),
            filters=filters,
            lacks=shelf.WAITS,
            **self._facts(caller, today),
        )

    def shown(self, request: Request, caller: Person, name: RiskId, as_of: str | None) -> Response:
        """Return one risk."""
        at = instant(as_of)
        found = self.risks.one(caller.tenant, name, at)
        view = View(found.row.title or "What is this risk?", f"ringfence risk show {name}", caller, at)
        facts = self._facts(caller, at.date() if at else self.risks.today())
        return self.pages.respond(request, "risk.html", view, risk=found, cannot_accept=why_not(found, caller), **facts)

    def signing(self, caller: Person, draft: Any, place: str) -> Response:
        """Lead to the page on which an act is signed."""
        return RedirectResponse(self.prepare(caller, draft, place), status_code=303)

    def _facts(self, caller: Person, today: date) -> dict[str, Any]:
        return {
            "may": may(self.allows, caller, _ACTS),
            "today": today,
            "names": self.names(caller.tenant),
            "likelihoods": LIKELIHOOD,
            "impacts": IMPACT,
            "marks": MARKS,
            "treatments": list(Treatment),
            "controls_of": shelf.controls_of,
            "latest": today + timedelta(days=reading.LONGEST),
        }


def router(risks: Risks, names: Names, pages: Pages, prepare: Prepare, allows: Allows) -> APIRouter:
    """Return the Risks pages and their forms."""
    routes = APIRouter(include_in_schema=False)
    desk = RiskPages(risks, names, pages, prepare, allows)

    @routes.get(PAGE)
    def listed(
        request: Request,
        caller: Reader,
        state: Asked = "open",
        level: Asked = "",
        lacks: Asked = "",
        threat: Asked = "",
        control: Asked = "",
        likelihood: Cell = 0,
        impact: Cell = 0,
        as_of: AsOf = None,
    ) -> Response:
        """Show the register."""
        filters = Filters(state, level, lacks, threat, control, likelihood, impact)
        return desk.listed(request, caller, filters, as_of)

    @routes.get(PAGE + "/{risk}")
    def one(request: Request, risk: str, caller: Reader, as_of: AsOf = None) -> Response:
        """Show one risk with everything that was signed about it."""
        return desk.shown(request, caller, risk_id(risk), as_of)

    _entering(routes, desk)
    _deciding(routes, desk)
    return routes


def _entering(routes: APIRouter, desk: RiskPages) -> None:
    @routes.post(PAGE)
    def enter(
        caller: Changer,
        title: Short,
        likelihood: Step,
        impact: Step,
        review_on: Short,
        text: Long = "",
        owner: Short = "",
        owner_words: Short = "",
        threats: Short = "",
        controls: Short = "",
    ) -> Response:
        """Prepare the entry of a risk."""
        who = reading.person(owner, "owner")
        words = reading.line(owner_words, "owner_words") if owner_words.strip() else ""
        row = Row(
            id=RiskId(f"risk-{secrets.token_hex(6)}"),
            rating=Rating(likelihood, impact),
            owner=who,
            owned=bool(who or words),
            threats=reading.names(threats.split(), "threats", desk.risks.known.threats),
            controls=reading.names(controls.split(), "controls", desk.risks.known.controls),
            review_on=reading.day(review_on, "review_on"),
            title=reading.line(title, "title"),
            text=reading.text(text, "text") if text.strip() else "",
            owner_words=words,
        )
        return desk.signing(caller, statements.registered([row]), "register")

    @routes.post(PAGE + "/{risk}/review")
    def review(
        risk: str,
        caller: Changer,
        likelihood: Step,
        impact: Step,
        review_on: Short,
        note: Long,
        owner: Short = "",
        outcome: Annotated[Literal["open", "closed"], Form()] = "open",
    ) -> Response:
        """Prepare what the caller found who looked again."""
        found = desk.risks.one(caller.tenant, risk_id(risk))
        who, words = reading.person(owner, "owner"), found.row.owner_words
        day = reading.day(review_on, "review_on")
        rating, said = Rating(likelihood, impact), reading.text(note, "note")
        one = Review(found.id, rating, who, bool(who or words), day, outcome == "closed", said)
        return desk.signing(caller, statements.reviewed(one), found.id)


def _deciding(routes: APIRouter, desk: RiskPages) -> None:
    @routes.post(PAGE + "/{risk}/treat")
    def treat(
        risk: str,
        caller: Changer,
        treatment: Annotated[Treatment, Form()],
        plan: Long,
        residual_likelihood: Step,
        residual_impact: Step,
        due: Short = "",
        controls: Short = "",
        done: Annotated[Literal["yes", "no"], Form()] = "no",
    ) -> Response:
        """Prepare a decision about a risk."""
        found = desk.risks.one(caller.tenant, risk_id(risk))
        one = Plan(
            treatment,
            Rating(residual_likelihood, residual_impact),
            reading.names(controls.split(), "controls", desk.risks.known.controls),
            reading.day(due, "due") if due else None,
            done == "yes",
            reading.text(plan, "plan"),
        )
        draft = statements.treated(found.id, one)
        statements.parse_treated(draft.claims, draft.details, desk.risks.known)
        return desk.signing(caller, draft, found.id)

    @routes.post(PAGE + "/{risk}/accept")
    def accept(risk: str, caller: Changer, until: Short, reason: Long) -> Response:
        """Prepare the acceptance of what is left."""
        found = desk.risks.one(caller.tenant, risk_id(risk))
        may_accept(found, caller)
        left = found.row.plan.residual if found.row.plan else found.row.rating
        day = reading.until(until, "until", desk.risks.today())
        one = Accepting(found.id, found.basis, left, day, reading.text(reason, "reason"))
        return desk.signing(caller, statements.accepted(one), found.id)
