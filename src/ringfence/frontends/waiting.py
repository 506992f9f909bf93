"""What waits for a person, whichever capability it comes from, as the Today page lists it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ringfence.kernel.clock import to_text
from ringfence.kernel.identifier import Tenant


class Kind(StrEnum):
    """What a thing that waits for a person is; without a deadline, the first of these come first."""

    TO_SIGN = "to sign"  # an act of one person
    CUT_OFF = "cut off"  # a node, until two people release it
    UNDECIDED = "undecided"  # an incident, with its provisional clock
    CLOCK = "clock"
    NOT_BEFORE = "not before"  # a moment that a contract sets for us to wait for; it asks for nothing when it comes
    QUEUED = "queued"  # an act that a cap, or a rule, leaves to a person
    NOT_SENT = "not sent"  # an alert
    NOT_WORKING = "not working"  # a part of this installation


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a person has to do; `text` may hold what an attacker wrote."""

    kind: Kind
    text: str
    link: str
    due: datetime | None = None
    command: str = ""

    def presses(self, now: datetime) -> bool:
        """Tell whether its time is past, or it is a failure already."""
        return self.kind in {Kind.NOT_SENT, Kind.NOT_WORKING} or (self.due is not None and self.due < now)


class Waiting(Protocol):
    """Everything that waits for a person now, of every capability; asked for each page, so it is cheap."""

    def waiting(self, tenant: Tenant) -> Sequence[Item]:
        """Return it, in any order."""
        ...


def most_pressing(items: Iterable[Item]) -> list[Item]:
    """Order what waits: the nearest deadline first, then what has none."""
    kinds = list(Kind)
    return sorted(items, key=lambda one: (one.due is None, to_text(one.due) if one.due else "", kinds.index(one.kind)))
