"""What reviews need from the rest of identity, and from the world."""

from datetime import datetime
from typing import Protocol

from ringfence.identity.reviews.model import Decision, Item, Review, ReviewId
from ringfence.kernel.actor import Person
from ringfence.kernel.identifier import PersonId, Tenant


class Reviews(Protocol):
    """The register of reviews."""

    def add(self, review: Review) -> None: ...
    def all(self, tenant: Tenant) -> list[Review]: ...
    def by_id(self, tenant: Tenant, review: ReviewId) -> Review | None: ...

    def decide(self, review: Review, subject: PersonId, decision: Decision, by: PersonId, at: datetime) -> None:
        """Write a decision over whatever was decided before."""
        ...

    def close(self, review: Review, at: datetime) -> bool:
        """Close a review; return whether it was open."""
        ...


class Access(Protocol):
    """Who has access now, and ending it."""

    def entries(self, tenant: Tenant) -> list[Item]:
        """Return an entry for every person and service with access."""
        ...

    def bar(self, subject: PersonId) -> None:
        """Let somebody in no more, durably and outside the database; `end` or the next start do the rest."""
        ...

    def end(self, subject: PersonId, by: Person) -> None:
        """End the access of a person or service, by the ordinary way."""
        ...
