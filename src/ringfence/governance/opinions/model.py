"""An auditor's opinion on a control: a judgement by a person, signed, that runs out."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, handle

OpinionId = NewType("OpinionId", str)
LONGEST = 366  # days
MAX_BASIS = 200  # entries


class Verdict(StrEnum):
    """How an auditor sees the computed status."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    QUALIFIED = "qualified"


class Method(StrEnum):
    """How it was looked at; the words are those of OSCAL."""

    EXAMINE = "examine"
    INTERVIEW = "interview"
    TEST = "test"


class State(StrEnum):
    """Where an opinion stands; none of these changes the status of its control."""

    IN_FORCE = "in force"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Given:
    """What an auditor signs."""

    id: OpinionId
    control: str
    verdict: Verdict
    method: Method
    basis: tuple[int, ...]  # entries of the log that were examined
    rules: Digest
    status: str  # of the control, as computed when it was signed
    until: date
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Opinion:
    """An opinion, and whether it was taken back."""

    given: Given
    by: PersonId
    at: datetime
    entry: int
    withdrawn_at: datetime | None = None
    withdrawn_entry: int | None = None
    because: str = ""

    @property
    def id(self) -> OpinionId:
        """Return its id."""
        return self.given.id

    def state(self, at: datetime) -> State:
        """Return where it stands at a time."""
        if self.withdrawn_at is not None:
            return State.WITHDRAWN
        return State.EXPIRED if at.date() > self.given.until else State.IN_FORCE


def opinion_id(text: object) -> OpinionId:
    """Parse an opinion's id."""
    return OpinionId(handle(text, "opinion"))
