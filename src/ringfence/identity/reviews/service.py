"""Begin a review, take signed decisions, end it with a statement."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from ringfence.identity.reviews.model import MAX_DAYS, Decision, Item, Review, ReviewId
from ringfence.identity.reviews.ports import Access, Reviews
from ringfence.identity.reviews.statements import parse_decision, reviewed
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import PersonId, Tenant


@dataclass(frozen=True, slots=True)
class AccessReviews:
    """The use cases of reviews."""

    reviews: Reviews
    access: Access
    recorder: Recorder
    publication: Publication
    transaction: Callable[[], AbstractContextManager[None]]
    clock: Clock
    draw: Callable[[], str]  # twelve hexadecimal digits

    def all(self, tenant: Tenant) -> list[Review]:
        """Return every review of a tenant, the newest first."""
        return self.reviews.all(tenant)

    def one(self, tenant: Tenant, review: ReviewId) -> Review:
        """Return one review; raise `NotFound`."""
        found = self.reviews.by_id(tenant, review)
        if found is None:
            raise NotFound(f"no review here is called {review}; see `ringfence user review list`")
        return found

    def start(self, by: Person, days: int) -> Review:
        """Begin a review of everybody with access now."""
        if not 1 <= days <= MAX_DAYS:
            raise MalformedInput(f"a review is due after 1 to {MAX_DAYS} days")
        now = self.clock.now()
        with self.transaction():
            if any(review.closed_at is None for review in self.reviews.all(by.tenant)):
                raise Conflict("a review is open already; close it first")
            items = tuple(self.access.entries(by.tenant))
            review = Review(ReviewId(f"review-{self.draw()}"), by.tenant, by.id, now, now + timedelta(days=days), items)
            self.reviews.add(review)
        return review

    def decide(self, by: Person, review: ReviewId, envelope: Envelope) -> Acknowledgement:
        """Take a reviewer's signed decision; `removed` ends the access at once.

        Raises:
            Refused: reviewers do not decide about themselves.
        """
        named, subject, decision = parse_decision(envelope.statement)
        found = self.one(by.tenant, review)
        if named != review:
            raise MalformedInput("the decision that was signed is of another review", source="envelope")
        decidable(found, subject, by)
        with self.transaction():
            item = decidable(self.one(by.tenant, review), subject, by)  # again: it may be closed by now
            ends = decision is Decision.REMOVED and item.subject in self._active(by.tenant)
            done = self.recorder.admit(envelope, None, by=by)
            self.reviews.decide(found, item.subject, decision, by.id, self.clock.now())
            if ends:  # before the commit: whoever counts as removed has no access, whenever we are killed
                self.access.bar(item.subject)
        if ends:
            self.access.end(item.subject, by)
        return self.publication.published(done.envelope)

    def close(self, by: Person, review: ReviewId) -> Acknowledgement:
        """End a review, with whatever was not decided left so."""
        now = self.clock.now()
        with self.transaction():
            found = self.one(by.tenant, review)
            if not self.reviews.close(found, now):
                raise Conflict("this review is closed already")
            active = self._active(by.tenant)
            gone = [item.subject for item in found.items if _left(item, active)]
            done = self.recorder.record(reviewed(found, gone, now), tenant=by.tenant)
        return self.publication.published(done.envelope)

    def _active(self, tenant: Tenant) -> frozenset[PersonId]:
        return frozenset(entry.subject for entry in self.access.entries(tenant))


def decidable(review: Review, subject: str, by: Person) -> Item:
    """Return the entry of a review about which somebody can decide; raise where they cannot."""
    item = review.item(subject)
    if item is None:
        raise NotFound(f"{subject[:80]} is not in this review; see `ringfence user review list`")
    if item.subject == by.id:
        raise Refused("nobody reviews their own access; ask somebody else")
    if review.closed_at is not None:
        raise Conflict("this review is closed; begin another")
    return item


def _left(item: Item, active: frozenset[PersonId]) -> bool:
    return item.decision is None and item.subject not in active
