"""Campaigns and their entries."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, Tenant

ReviewId = NewType("ReviewId", str)
MAX_DAYS = 90

_REVIEW = re.compile(r"review-[0-9a-f]{12}")


class Decision(StrEnum):
    """What a reviewer found of somebody's access."""

    CONFIRMED = "confirmed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Item:
    """The access of one person or service, and what was decided."""

    subject: PersonId
    role: str
    decision: Decision | None = None
    by: PersonId | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """A campaign over everybody who had access when it began."""

    id: ReviewId
    tenant: Tenant
    started_by: PersonId
    started_at: datetime
    due_at: datetime
    items: tuple[Item, ...] = ()
    closed_at: datetime | None = None

    def item(self, subject: str) -> Item | None:
        """Return the entry of one person or service."""
        return next((item for item in self.items if item.subject == subject), None)

    def count(self, decision: Decision | None) -> int:
        """Count the entries with a decision, or without any."""
        return sum(item.decision is decision for item in self.items)


def review_id(text: object) -> ReviewId:
    """Parse a review's id."""
    if not isinstance(text, str) or not _REVIEW.fullmatch(text):
        raise MalformedInput(f"{str(text)[:80]!r} is not a review's id such as review-0123456789ab")
    return ReviewId(text)
