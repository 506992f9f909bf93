"""Incidents, what people decided about them, and the clocks that follow."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId

IncidentId = NewType("IncidentId", str)
_ID = re.compile(r"i-[0-9a-f]{8}")


def incident_id(text: object) -> IncidentId:
    """Parse an incident's id."""
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise MalformedInput(f"{str(text)[:40]!r} is not an incident such as i-0123abcd; see `ringfence incident list`")
    return IncidentId(text)


@dataclass(frozen=True, slots=True)
class FindingFacts:
    """What a detection says, as far as an incident needs it."""

    id: str
    rule: str
    subject: str  # the node or host that reported; empty: the whole tenant
    source: str
    first_seen: datetime
    last_seen: datetime
    detected_at: datetime
    count: int
    severity: str
    title: str = ""
    technique: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()  # digests of raw lines
    excerpts: tuple[str, ...] = ()  # raw lines, hostile
    envelope: str = ""  # digest of finding.raised
    customer_facing: bool = False

    @property
    def place(self) -> str:
        """Say what was found, and where."""
        return f"{self.rule} on {self.subject}" if self.subject else self.rule


class FactKind(StrEnum):
    """What happened to a node, as far as an incident is concerned."""

    ISOLATED = "isolated"
    RELEASED = "released"
    SOURCE_BLOCKED = "source-blocked"
    KEY_BLOCKED = "key-blocked"
    DATA_READ = "data-read"
    DATA_SENT = "data-sent"
    ALERT = "alert"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that was observed or done; `evidence` names envelopes or raw lines."""

    kind: FactKind
    at: datetime
    node: str = ""
    text: str = ""
    evidence: tuple[str, ...] = ()
    customer_facing: bool = False


class Answer(StrEnum):
    """A person's answer to a question of the form."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Triage:
    """A person's signed decision on significance."""

    by: PersonId
    decided_at: datetime
    significant: bool
    criteria: tuple[str, ...]
    reason: str
    aware_at: datetime | None
    detected_at: datetime
    occurred_at: datetime | None = None
    malicious: Answer = Answer.UNKNOWN
    cross_border: Answer = Answer.UNKNOWN
    customers: tuple[str, ...] = ()
    measured: Mapping[str, int] = field(default_factory=dict)
    envelope: str = ""
    personal_data: Answer = Answer.UNKNOWN  # whether it is a breach of personal data
    breached: tuple[str, ...] = ()  # customers whose personal data is among what is affected


@dataclass(frozen=True, slots=True)
class Awareness:
    """A time that a person signed, and since when it has been in force; None: withdrawn."""

    value: datetime | None
    since: datetime
    by: PersonId
    why: str
    customer: str = ""  # empty: of the significant incident itself
    breach: bool = False  # of the breach of that customer's personal data


@dataclass(frozen=True, slots=True)
class Correction:
    """A corrected field with the value that it had."""

    field: str
    old: str
    new: str
    by: PersonId
    at: datetime
    reason: str
    envelope: str = ""


@dataclass(frozen=True, slots=True)
class Filed:
    """A report that a person filed, or a notice that a person sent."""

    stage: str
    at: datetime
    by: PersonId
    recorded_at: datetime
    addressee: str
    reference: str
    receipt: str  # salted digest of what acknowledges it
    envelope: str = ""
    customer: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline."""

    position: int
    at: datetime
    kind: str
    text: str
    by: str = ""
    envelope: str = ""
    link: Digest = field(default_factory=lambda: Digest(bytes(32)))  # chain over everything up to here


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as its events tell it."""

    id: IncidentId
    opened_at: datetime
    detected_at: datetime
    findings: tuple[FindingFacts, ...] = ()
    facts: tuple[Fact, ...] = ()
    triages: tuple[Triage, ...] = ()
    awareness: tuple[Awareness, ...] = ()
    untriaged_since: datetime | None = None
    told: Mapping[str, tuple[str, PersonId]] = field(default_factory=dict)  # fields that a person filled in
    corrections: tuple[Correction, ...] = ()
    filed: tuple[Filed, ...] = ()
    handled: tuple[Awareness, ...] = ()  # when it was handled, as people said; None: opened again
    merged_into: IncidentId | None = None
    warned: frozenset[str] = frozenset()
    timeline: tuple[Entry, ...] = ()
    envelope: str = ""  # of incident.opened
    title: str = ""

    @property
    def head(self) -> Digest:
        """Return the end of the chain over the timeline."""
        return self.timeline[-1].link if self.timeline else Digest(bytes(32))

    @property
    def triage(self) -> Triage | None:
        """Return the decision that is in force."""
        return self.triages[-1] if self.triages else None

    @property
    def significant(self) -> bool | None:
        """Return the decision; None before there is one."""
        return self.triages[-1].significant if self.triages else None

    @property
    def closing(self) -> Awareness | None:
        """Return the closing that is in force."""
        return self.handled[-1] if self.handled and self.handled[-1].value else None

    @property
    def state(self) -> str:
        """Return one word for lists."""
        if self.merged_into:
            return "merged"
        if self.closing:
            return "closed"
        return "untriaged" if self.untriaged_since else ("significant" if self.significant else "not significant")

    @property
    def nodes(self) -> tuple[str, ...]:
        """Return the nodes that it is about."""
        named = [finding.subject for finding in self.findings] + [fact.node for fact in self.facts]
        return tuple(dict.fromkeys(name for name in named if name))


class ClockState(StrEnum):
    """Where a clock stands; late stays late."""

    PROVISIONAL = "provisional"
    PENDING = "pending"
    MET = "met"
    MET_LATE = "met-late"
    LATE = "late"
    WAITING = "waiting"  # its start has not happened yet
    UNTIMED = "untimed"  # without undue delay, or on request
    UNDETERMINED = "undetermined"  # whether it binds depends on an unfinished classification: plan with the date
    WITHDRAWN = "withdrawn"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class Clock:
    """One deadline."""

    id: str
    regime: str
    title: str
    ref: str
    source: str
    state: ClockState
    counted_from: str
    period: str = ""
    started_at: datetime | None = None
    due_at: datetime | None = None
    met_at: datetime | None = None
    receipt: str = ""
    late_by: timedelta | None = None
    note: str = ""
    customer: str = ""

    @property
    def running(self) -> bool:
        """Tell whether somebody still has to act for it."""
        running = {ClockState.PROVISIONAL, ClockState.PENDING, ClockState.LATE, ClockState.UNDETERMINED}
        return self.state in running and self.met_at is None


@dataclass(frozen=True, slots=True)
class Event:
    """One recorded event of an incident: what the fold reads."""

    position: int
    kind: str
    at: datetime
    by: str
    body: Mapping[str, Any]
    salt: bytes
    envelope: str = ""
