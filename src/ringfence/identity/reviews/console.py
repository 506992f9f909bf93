"""The Reviews pages: who is asked about whose access, what each decided, and what is left."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Allows, Names, Pages, Prepare, View, may
from ringfence.identity.reviews.model import MAX_DAYS, Decision, Review, review_id
from ringfence.identity.reviews.service import AccessReviews, decidable
from ringfence.identity.reviews.statements import decided
from ringfence.kernel.actor import Person

PAGE = "/access/reviews"
USUAL_DAYS = 14
_ACTS = ("review.lead", "review.decide")

Reader = Annotated[Person, Depends(require("person.read"))]
Leader = Annotated[Person, Depends(require("review.lead"))]


def router(reviews: AccessReviews, names: Names, pages: Pages, prepare: Prepare, allows: Allows) -> APIRouter:
    """Return the Reviews pages and their forms."""
    routes = APIRouter(include_in_schema=False)

    def facts(caller: Person) -> dict[str, Any]:
        return {"may": may(allows, caller, _ACTS)}

    @routes.get(PAGE)
    def listed(request: Request, caller: Reader) -> Response:
        """Show the reviews of the tenant."""
        view = View("Was everybody's access looked at, by somebody else?", "ringfence user review list", caller)
        known = reviews.all(caller.tenant)
        own: dict[str, Any] = {
            "reviews": [(one, *state_of(one)) for one in known],
            "usual_days": USUAL_DAYS,
            "max_days": MAX_DAYS,
        }
        return pages.respond(request, "reviews.html", view, open=_open(known), **own, **facts(caller))

    @routes.get(PAGE + "/{review}")
    def one(request: Request, review: str, caller: Reader) -> Response:
        """Show one review with every entry."""
        found = reviews.one(caller.tenant, review_id(review))
        view = View("Who keeps access?", "ringfence user review list", caller)
        items = sorted(found.items, key=lambda item: (item.decision is not None, item.subject))
        own: dict[str, Any] = {"review": found, "items": items, "names": names(caller.tenant), "state": state_of(found)}
        return pages.respond(request, "review.html", view, me=caller.id, **own, **facts(caller))

    _changes(routes, reviews, prepare)
    return routes


def _changes(routes: APIRouter, reviews: AccessReviews, prepare: Prepare) -> None:
    @routes.post(PAGE)
    def start(days: Annotated[int, Form(ge=1, le=MAX_DAYS)], caller: Leader) -> Response:
        """Begin a review of everybody with access now."""
        return RedirectResponse(f"{PAGE}/{reviews.start(caller, days).id}", status_code=303)

    @routes.post(PAGE + "/{review}/decide")
    def decide(
        review: str,
        subject: Annotated[str, Form(max_length=32)],
        decision: Annotated[Decision, Form()],
        caller: Annotated[Person, Depends(require("review.decide"))],
    ) -> Response:
        """Prepare the decision that the caller signs with a passkey."""
        found = reviews.one(caller.tenant, review_id(review))
        decidable(found, subject, caller)  # the use case asks again when it is signed
        return RedirectResponse(prepare(caller, decided(found.id, subject, decision), found.id), status_code=303)

    @routes.post(PAGE + "/{review}/close")
    def close(review: str, caller: Leader) -> Response:
        """End a review; what nobody decided is counted so."""
        reviews.close(caller, review_id(review))
        return RedirectResponse(f"{PAGE}/{review}", status_code=303)


def state_of(review: Review) -> tuple[int, int]:
    """Return how many entries were decided, and how many there are."""
    return len(review.items) - review.count(None), len(review.items)


def _open(known: list[Review]) -> Review | None:
    return next((one for one in known if one.closed_at is None), None)
