"""What a classification answers: values, each with its reason, provision and source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VERIFIED = "verified"
SECONDARY = "secondary"
FROM_KNOWLEDGE = "from_knowledge_verify"
PROJECT_RULE = "project_rule"
UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an answer is what it is, and where that is written."""

    subject: str
    answer: str
    provision: str
    because: str
    source: str = VERIFIED


@dataclass(frozen=True, slots=True)
class Gap:
    """What could not be determined, what is possible, and the inputs that would decide it."""

    subject: str
    possible: tuple[str, ...]
    decided_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A duty that applies later, or once a national act is in force (`applies_from` is then None)."""

    subject: str
    what: str
    applies_from: str | None
    provision: str
    because: str


@dataclass(frozen=True, slots=True)
class Part:
    """What one act contributes to a classification."""

    rows: tuple[Mapping[str, Any], ...] = ()
    reasons: tuple[Reason, ...] = ()
    gaps: tuple[Gap, ...] = ()
    upcoming: tuple[Upcoming, ...] = ()


@dataclass(slots=True)
class Notes:
    """Collects reasons, gaps and upcoming duties while a part is decided."""

    reasons: list[Reason] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    upcoming: list[Upcoming] = field(default_factory=list)

    def take(self, part: Part) -> tuple[Mapping[str, Any], ...]:
        """Take over the notes of a part and return its rows."""
        self.reasons.extend(part.reasons)
        self.gaps.extend(part.gaps)
        self.upcoming.extend(part.upcoming)
        return part.rows
