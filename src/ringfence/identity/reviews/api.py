"""Reviews over HTTP: list, begin, decide, close."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.frontends.http import PostedStatement, require
from ringfence.identity.reviews.model import MAX_DAYS, Review, review_id
from ringfence.identity.reviews.service import AccessReviews
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text


class Start(BaseModel):
    """Begin a review."""

    model_config = ConfigDict(extra="forbid")
    days: int = Field(ge=1, le=MAX_DAYS)


def shown(review: Review) -> dict[str, Any]:
    """Return what a front end shows of a review."""
    return {
        "review": review.id,
        "started_by": review.started_by,
        "started_at": to_text(review.started_at),
        "due_at": to_text(review.due_at),
        "closed_at": None if review.closed_at is None else to_text(review.closed_at),
        "entries": [
            {"subject": item.subject, "role": item.role, "decision": item.decision, "by": item.by}
            for item in review.items
        ],
    }


def router(reviews: AccessReviews) -> APIRouter:
    """Return the routes of reviews."""
    routes = APIRouter(tags=["reviews"])

    @routes.get("/reviews")
    def listed(caller: Annotated[Person, Depends(require("person.read"))]) -> dict[str, Any]:
        """List the reviews of the tenant."""
        return {"reviews": [shown(review) for review in reviews.all(caller.tenant)]}

    @routes.get("/reviews/{review}")
    def one(review: str, caller: Annotated[Person, Depends(require("person.read"))]) -> dict[str, Any]:
        """Show one review."""
        return shown(reviews.one(caller.tenant, review_id(review)))

    @routes.post("/reviews", status_code=201)
    def start(body: Start, caller: Annotated[Person, Depends(require("review.lead"))]) -> dict[str, Any]:
        """Begin a review of everybody with access now."""
        return shown(reviews.start(caller, body.days))

    @routes.post("/reviews/{review}/decisions", status_code=201)
    def decide(
        review: str, body: PostedStatement, caller: Annotated[Person, Depends(require("review.decide"))]
    ) -> dict[str, Any]:
        """Take a decision that the caller signed."""
        envelope, _ = body.parsed()
        return {"review": review, "statement": reviews.decide(caller, review_id(review), envelope).to_json()}

    @routes.post("/reviews/{review}/close")
    def close(review: str, caller: Annotated[Person, Depends(require("review.lead"))]) -> dict[str, Any]:
        """End a review."""
        return {"review": review, "statement": reviews.close(caller, review_id(review)).to_json()}

    return routes
