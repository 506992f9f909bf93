"""A risk as the register shows it: rating, owner, treatment, acceptance, and what is overdue."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, handle

RiskId = NewType("RiskId", str)
STEPS = 5  # of likelihood, and of impact


class Treatment(StrEnum):
    """What is decided about a risk."""

    REDUCE = "reduce"
    AVOID = "avoid"
    TRANSFER = "transfer"
    ACCEPT = "accept"


class Level(StrEnum):
    """A rating in a word; the bands are this project's own."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"
    SEVERE = "severe"


_BANDS = ((4, Level.LOW), (9, Level.MODERATE), (15, Level.HIGH), (STEPS * STEPS, Level.SEVERE))


@dataclass(frozen=True, slots=True)
class Rating:
    """How likely, and how bad: 1 to 5 each."""

    likelihood: int
    impact: int

    @property
    def score(self) -> int:
        """Return the product."""
        return self.likelihood * self.impact

    @property
    def level(self) -> Level:
        """Return the word of the band that the product lies in."""
        return next(word for limit, word in _BANDS if self.score <= limit)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a risk is treated, and what is left of it then."""

    kind: Treatment
    residual: Rating
    controls: tuple[str, ...]
    due_on: date | None
    done: bool
    text: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A risk as somebody enters it."""

    id: RiskId
    rating: Rating
    owner: PersonId | None
    owned: bool  # a person is named, here by id or in the details in words
    threats: tuple[str, ...]
    controls: tuple[str, ...]
    review_on: date
    title: str = ""
    text: str = ""
    owner_words: str = ""  # the role, and a name where there is no id
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Management accepts what is left of a risk, for a time."""

    by: PersonId
    at: datetime
    entry: int
    until: date
    residual: Rating
    reason: str
    young: bool  # one of the two keys was new


@dataclass(frozen=True, slots=True)
class Risk:
    """A risk with everything that was signed about it."""

    row: Row
    registered_by: PersonId
    registered_at: datetime
    entries: tuple[int, ...]  # every statement about it, the oldest first
    basis: Digest  # the statement that changed it last: what an acceptance is about
    basis_by: PersonId
    acceptance: Acceptance | None = None
    reviewed_at: datetime | None = None
    closed_at: datetime | None = None
    notes: tuple[tuple[datetime, PersonId, str], ...] = field(default=())

    @property
    def id(self) -> RiskId:
        """Return its id."""
        return self.row.id

    @property
    def open(self) -> bool:
        """Tell whether it is still one."""
        return self.closed_at is None

    @property
    def left(self) -> Rating:
        """Return what is left by the treatment once that is done; before, the whole risk."""
        plan = self.row.plan
        return plan.residual if plan and (plan.done or plan.kind is Treatment.ACCEPT) else self.row.rating

    def accepted(self, today: date) -> bool:
        """Tell whether an acceptance is in force."""
        return self.acceptance is not None and today <= self.acceptance.until

    def treatment_overdue(self, today: date) -> bool:
        """Tell whether a treatment is past its date."""
        plan = self.row.plan
        return self.open and plan is not None and not plan.done and plan.due_on is not None and plan.due_on < today

    def review_overdue(self, today: date) -> bool:
        """Tell whether it should have been looked at again."""
        return self.open and self.row.review_on < today


def risk_id(text: object) -> RiskId:
    """Parse a risk's id."""
    return RiskId(handle(text, "risk"))
