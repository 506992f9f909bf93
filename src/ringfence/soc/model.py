"""What the watch sees and what it says: events, findings, and the detector between them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol


class Event(NamedTuple):  # and no dataclass: one is made for every line, in a quarter of the time
    """One thing that a source reported, normalised.

    Times are UTC. `node` is who reported, known from the transport and never from the text. `fields` has the OCSF
    attribute names, dotted ("src_endpoint.ip", "user.name", "status", "activity_name", "auth_protocol"). `repeats` is
    how many such things the line stands for.
    """

    at: datetime
    received_at: datetime
    source: str
    node: str | None
    fields: Mapping[str, object]
    raw: str
    repeats: int = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says about one subject and one source; an ongoing attack keeps its identifier."""

    id: str
    rule: str
    subject: str
    source: str
    first_seen: datetime
    last_seen: datetime
    count: int
    severity: str
    technique: tuple[str, ...] = field(default=())
    evidence: tuple[str, ...] = field(default=())
    title: str = ""


class Detecting(Protocol):
    """A streaming detector: event time, bounded memory, state that survives a restart."""

    def feed(self, event: Event) -> list[Finding]:
        """Take one event and return the findings that it raises or updates."""
        ...

    def snapshot(self) -> dict[str, object]:
        """Return the whole state as JSON values."""
        ...

    def restore(self, state: Mapping[str, object]) -> None:
        """Continue from a snapshot."""
        ...


def finding_id(rule: str, subject: str, source: str, first_seen: datetime) -> str:
    """Derive the identifier of a finding: the same facts, the same identifier."""
    facts = "\0".join((rule, subject, source, first_seen.isoformat()))
    return "f-" + hashlib.sha256(facts.encode("utf-8", "surrogateescape")).hexdigest()[:24]
