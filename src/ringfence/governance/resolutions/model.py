"""Resolutions, what was shown for them, and who is asked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, Tenant, handle
from ringfence.kernel.voting import Ballot, Outcome, Rule

ResolutionId = NewType("ResolutionId", str)
MEASURES = "measures"  # what most resolutions are about: the set of measures in force
USUAL_DAYS = 14
MAX_DAYS = 90
MAX_FILES = 20
MAX_RECORDS = 20
MAX_TEXT = 4000
NOT_QUALIFIED = "A signed record, not a qualified electronic signature (eIDAS 3(12), 25(2))."

_CONTROL = re.compile(r"[A-Z]{3}-[0-9]{2}")


class Shown(StrEnum):
    """What the members had before them."""

    MEASURES = "measure-set"
    STATUS = "control-status"
    RISKS = "open-risks"
    EXCEPTIONS = "exceptions"
    INCIDENTS = "incidents"
    FINDINGS = "audit-findings"
    RESOURCES = "resources"


@dataclass(frozen=True, slots=True)
class Attached:
    """A document that stays with the person: its salted digest is signed, name and salt are details."""

    name: str
    salt: bytes
    digest: Digest


@dataclass(frozen=True, slots=True)
class Head:
    """A published head of the log: what every member could recompute."""

    size: int
    root: str


@dataclass(frozen=True, slots=True)
class MeasureSet:
    """What is in force: rules with the team's overrides, and policies."""

    rules: Digest
    policies: tuple[str, ...] = ()  # each with its version

    @property
    def digest(self) -> Digest:
        """Return the digest that names all of it."""
        return Digest.of("\n".join([str(self.rules), *sorted(self.policies)]).encode())


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the role management, here now."""

    id: PersonId
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody puts to the body; nothing is stated yet."""

    about: str  # `MEASURES`, or a control
    title: str
    text: str
    quorum: int = 0  # 0: more than half of those named
    agreements: int = 0  # the same
    days: int = USUAL_DAYS
    members: tuple[PersonId, ...] = ()  # none: everybody of the role management
    shown: frozenset[Shown] = frozenset()
    files: tuple[Attached, ...] = ()
    records: tuple[int, ...] = ()  # entries of the log, for instance of an exported pack
    tasks_overdue: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """What the opening statement fixes for good."""

    id: ResolutionId
    about: str
    rule: Rule
    eligible: int  # people of the role management when it was opened, named or not
    ends_at: datetime
    measures: Digest
    shown: tuple[str, ...]
    files: tuple[Digest, ...]
    records: tuple[Digest, ...]
    head: Head
    tasks_overdue: int


@dataclass(frozen=True, slots=True)
class Closing:
    """How it ended."""

    at: datetime
    outcome: Outcome
    approval: Digest  # of the statement


@dataclass(frozen=True, slots=True)
class Resolution:
    """A resolution as it stands; what it says is in the statement that opened it."""

    tenant: Tenant
    opening: Digest
    opened_by: PersonId
    opened_at: datetime
    terms: Terms
    votes: Mapping[PersonId, Ballot]
    closing: Closing | None = None

    @property
    def id(self) -> ResolutionId:
        """Return its id."""
        return self.terms.id

    def open(self, now: datetime) -> bool:
        """Tell whether votes are taken."""
        return self.closing is None and now < self.terms.ends_at

    @property
    def carried(self) -> bool:
        """Tell whether it ended with an approval."""
        return self.closing is not None and self.closing.outcome is Outcome.APPROVED

    def waits_for(self, person: PersonId, now: datetime) -> bool:
        """Tell whether this member's vote is missing."""
        return self.open(now) and person in self.terms.rule.members and person not in self.votes


@dataclass(frozen=True, slots=True)
class Told:
    """What the erasable side records of a resolution hold; empty where they were erased."""

    title: str = ""
    text: str = ""
    files: Sequence[Mapping[str, Any]] = ()
    sentences: Mapping[PersonId, str] = field(default_factory=dict)  # of members, beside their votes


def resolution_id(text: object) -> ResolutionId:
    """Parse a resolution's id."""
    return ResolutionId(handle(text, "resolution"))


def subject_matter(text: object) -> str:
    """Parse what a resolution is about: the measures, or one control."""
    if text == MEASURES or (isinstance(text, str) and _CONTROL.fullmatch(text)):
        return str(text)
    raise MalformedInput(f"a resolution is about {MEASURES} or a control such as GOV-05, not {str(text)[:40]!r}")
