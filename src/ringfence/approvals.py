"""What waits for the signature of one person, whichever capability asks for it: page, route, and the gathering."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ringfence.compute.model import Node, Release, ReleaseState
from ringfence.compute.service import Compute
from ringfence.frontends.http import require
from ringfence.frontends.page import Allows, Pages, View
from ringfence.frontends.waiting import Item, Kind, Waiting, most_pressing
from ringfence.identity.acting.api import page_of
from ringfence.identity.acting.model import PreparedAct
from ringfence.identity.acting.service import ActDesk
from ringfence.identity.reviews.model import Review
from ringfence.identity.reviews.service import AccessReviews
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock, to_text

Source = Callable[[Person], Iterable[Item]]
COMMAND = "ringfence status --approvals"

Reader = Annotated[Person, Depends(require("act.sign"))]


@dataclass(frozen=True, slots=True)
class Inbox:
    """Everything that waits for one person; `others` are the sources of further capabilities."""

    desk: ActDesk
    reviews: AccessReviews
    compute: Compute
    waiting: Waiting
    allows: Allows
    clock: Clock
    others: Sequence[Source] = ()

    def __call__(self, person: Person) -> list[Item]:
        """Return it, the nearest deadline first."""
        found = [
            *map(of_act, self.desk.unsigned(person)),
            *self._reviews(person),
            *self._releases(person),
            *self._incidents(person),
        ]
        return most_pressing([*found, *(item for source in self.others for item in source(person))])

    def _reviews(self, person: Person) -> Iterator[Item]:
        if self.allows(person, "review.decide"):
            yield from (item for one in self.reviews.all(person.tenant) for item in of_review(one, person))

    def _releases(self, person: Person) -> Iterator[Item]:
        if not self.allows(person, "node.release"):
            return
        for node in self.compute.all(person.tenant):
            if node.cut_off:
                asked = self.compute.desk.nodes.releases(node.id, node.quarantine)
                yield from of_releases(node, asked, person)

    def _incidents(self, person: Person) -> Iterator[Item]:
        if self.allows(person, "incident.decide"):
            yield from (one for one in self.waiting.waiting(person.tenant) if one.kind is Kind.UNDECIDED)


def of_act(act: PreparedAct) -> Item:
    """Return that an act, prepared in a terminal or on a page, waits some minutes for its signature."""
    text = f"{act.draft.predicate} about {act.draft.subjects[0].name}: prepared, not signed"
    return Item(Kind.TO_SIGN, text, page_of(act), act.until)


def of_review(review: Review, person: Person) -> list[Item]:
    """Return that an open review has entries on which this person can decide: nobody decides about themselves."""
    left = [item for item in review.items if item.decision is None and item.subject != person.id]
    if review.closed_at is not None or not left:
        return []
    text = f"{len(left)} of {len(review.items)} entries of a review of access wait for a decision"
    return [Item(Kind.TO_SIGN, text, f"/access/reviews/{review.id}", review.due_at)]


def of_releases(node: Node, asked: Iterable[Release], person: Person) -> list[Item]:
    """Return that a second person has to agree to a node's release; whoever asked for it cannot."""
    name = node.spec.name
    return [
        Item(
            Kind.TO_SIGN,
            f"the release of {name} waits for a second person",
            f"/nodes/{name}",
            command=f"ringfence node release {name} --approve {one.request}",
        )
        for one in asked
        if one.state is ReleaseState.ASKED and one.asked_by != person.id
    ]


def router(inbox: Inbox, pages: Pages) -> APIRouter:
    """Return the page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/approvals")
    def page(request: Request, caller: Reader) -> Response:
        """Show what waits for the caller's own signature."""
        view = View("What waits for my signature?", COMMAND, caller)
        return pages.respond(request, "approvals.html", view, items=inbox(caller))

    return routes


def api(inbox: Inbox) -> APIRouter:
    """Return the route."""
    routes = APIRouter(tags=["acts"])

    @routes.get("/approvals")
    def approvals(caller: Reader) -> dict[str, Any]:
        """List what waits for the caller's own signature."""
        return document(inbox(caller), inbox.clock.now())

    return routes


def document(items: Sequence[Item], now: datetime) -> dict[str, Any]:
    """Return what waits, as a JSON document."""
    shown = [
        {
            "kind": item.kind.value,
            "text": item.text,
            "page": item.link,
            "due": to_text(item.due) if item.due else None,
            "command": item.command or None,
        }
        for item in items
    ]
    return {"as_of": to_text(now), "approvals": shown}
