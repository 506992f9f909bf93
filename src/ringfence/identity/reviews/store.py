"""Reviews in the database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, String, Table, insert, select, update

from ringfence.identity.reviews.model import Decision, Item, Review, ReviewId
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.storage.database import METADATA, Database

REVIEWS = Table(
    "identity_reviews",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("review", String(32), primary_key=True),
    Column("started_by", String(32), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
)
ITEMS = Table(
    "identity_review_items",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("review", String(32), primary_key=True),
    Column("subject", String(32), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("decision", String(16)),
    Column("by", String(32)),
    Column("decided_at", BigInteger),
)


@dataclass(frozen=True, slots=True)
class ReviewTables:
    """`Reviews` in the database."""

    database: Database

    def add(self, review: Review) -> None:
        """Add a review with its entries."""
        own = {"tenant": review.tenant, "review": review.id}
        connection = self.database.connection()
        times = {"started_at": to_millis(review.started_at), "due_at": to_millis(review.due_at)}
        connection.execute(insert(REVIEWS), [own | times | {"started_by": review.started_by}])
        rows = [own | {"subject": item.subject, "role": item.role} for item in review.items]
        connection.execute(insert(ITEMS), rows)

    def all(self, tenant: Tenant) -> list[Review]:
        """Return every review of a tenant, the newest first."""
        return self._found(REVIEWS.c.tenant == tenant)

    def by_id(self, tenant: Tenant, review: ReviewId) -> Review | None:
        """Return one review."""
        return next(iter(self._found(REVIEWS.c.tenant == tenant, REVIEWS.c.review == review)), None)

    def decide(self, review: Review, subject: PersonId, decision: Decision, by: PersonId, at: datetime) -> None:
        """Write a decision over whatever was decided before."""
        own = (ITEMS.c.tenant == review.tenant, ITEMS.c.review == review.id, ITEMS.c.subject == subject)
        change = update(ITEMS).where(*own).values(decision=decision.value, by=by, decided_at=to_millis(at))
        self.database.connection().execute(change)

    def close(self, review: Review, at: datetime) -> bool:
        """Close a review; return whether it was open."""
        own = (REVIEWS.c.tenant == review.tenant, REVIEWS.c.review == review.id, REVIEWS.c.closed_at.is_(None))
        change = update(REVIEWS).where(*own).values(closed_at=to_millis(at))
        return self.database.connection().execute(change).rowcount == 1

    def _found(self, *conditions: Any) -> list[Review]:
        query = select(REVIEWS).where(*conditions).order_by(REVIEWS.c.started_at.desc(), REVIEWS.c.review)
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
            return [_review(row, connection.execute(_items(row)).all()) for row in rows]


def _items(row: Any) -> Any:
    own = (ITEMS.c.tenant == row.tenant, ITEMS.c.review == row.review)
    return select(ITEMS).where(*own).order_by(ITEMS.c.subject)


def _review(row: Any, items: Any) -> Review:
    return Review(
        ReviewId(row.review),
        Tenant(row.tenant),
        PersonId(row.started_by),
        from_millis(row.started_at),
        from_millis(row.due_at),
        tuple(_item(item) for item in items),
        None if row.closed_at is None else from_millis(row.closed_at),
    )


def _item(row: Any) -> Item:
    if row.decision is None:
        return Item(PersonId(row.subject), row.role)
    return Item(PersonId(row.subject), row.role, Decision(row.decision), PersonId(row.by), from_millis(row.decided_at))
