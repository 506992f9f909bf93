"""An exception from a control: who asked, why, what stands in its place, who agreed, and until when."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, handle

ExceptionId = NewType("ExceptionId", str)
WAITS = timedelta(days=30)  # for somebody's approval


class State(StrEnum):
    """Where an exception stands; none of these changes the status of its control."""

    WAITING = "waiting"
    LAPSED = "lapsed"  # nobody approved it in time
    IN_FORCE = "in force"
    EXPIRED = "expired"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for."""

    id: ExceptionId
    control: str
    owner: PersonId
    compensating: tuple[str, ...]  # controls
    until: date
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """Another person's signature."""

    by: PersonId
    at: datetime
    entry: int
    young: bool  # one of the two keys was new


@dataclass(frozen=True, slots=True)
class Ended:
    """Somebody ended it before its time."""

    by: PersonId
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ControlException:
    """An exception with everything that was signed about it."""

    wanted: Wanted
    asked_by: PersonId
    asked_at: datetime
    request: Digest
    entries: tuple[int, ...]
    approval: Approval | None = None
    ended: Ended | None = None

    @property
    def id(self) -> ExceptionId:
        """Return its id."""
        return self.wanted.id

    def approvable_by(self, person: PersonId) -> bool:
        """Tell whether this is another person than asked for it, and than owns it."""
        return person not in (self.asked_by, self.wanted.owner)

    def state(self, at: datetime) -> State:
        """Return where it stands at a time."""
        if self.ended is not None:
            return State.ENDED
        if at.date() > self.wanted.until:
            return State.EXPIRED if self.approval else State.LAPSED
        if self.approval is not None:
            return State.IN_FORCE
        return State.LAPSED if at >= self.asked_at + WAITS else State.WAITING


def exception_id(text: object) -> ExceptionId:
    """Parse an exception's id."""
    return ExceptionId(handle(text, "exception"))
