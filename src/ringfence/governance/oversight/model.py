"""What the oversight log and the table of training hold."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.kernel.identifier import PersonId

MANAGEMENT = "management"
NEWCOMER = timedelta(days=90)  # GOV-06: a new member has so long


@dataclass(frozen=True, slots=True)
class Shown:
    """Who was told what, when, and over which head of the log."""

    entry: int
    at: datetime
    what: str
    whom: str
    head: str  # in words; empty where what was handed over names none
    by: PersonId | None  # whose key signed; nobody's where the control plane counted votes


@dataclass(frozen=True, slots=True)
class Course:
    """The newest session of a course, as somebody recorded it."""

    course: str
    held_on: str
    entry: int
    recorded_at: datetime
    required: int
    completed: int
    late: int
    due: datetime | None  # None where no period runs

    @property
    def complete(self) -> bool:
        """Tell whether everybody who had to attend did."""
        return self.required > 0 and self.completed >= self.required and not self.late


@dataclass(frozen=True, slots=True)
class Trained:
    """A member of the body and the course that counts for them."""

    person: PersonId
    name: str
    since: datetime
    session: Course | None  # the newest since they are here; it names nobody, the attached list does
    due: datetime

    @property
    def recorded(self) -> bool:
        """Tell whether a session with everybody's attendance was recorded since they are here."""
        return self.session is not None and self.session.complete
