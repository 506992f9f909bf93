"""What people sign about an incident, as drafts.

Formats: docs/specs/predicates/incident.*.md. Codes, times and counts are claims; reasons, names, references and
addresses are erasable details.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ringfence.incidents.model import Answer, IncidentId
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject

OPENED = PredicateName("incident.opened")
TRIAGE = PredicateName("incident.triage")
CORRECTED = PredicateName("incident.corrected")
REPORT = PredicateName("incident.report")
NOTICE = PredicateName("incident.customer_notice")
BREACH_NOTICE = PredicateName("incident.breach_notice")
CLOSED = PredicateName("incident.closed")
# Fields of the report that a person may fill in or correct; times of the incident have names of their own.
TIMES = frozenset({"aware-at", "occurred-at", "detected-at"})
TOLD = frozenset(
    {
        "entity",
        "contact",
        "member_states_served",
        "affected_services",
        "short_description",
        "suspected_malicious",
        "cross_border",
    }
)
ADDRESSEES = frozenset({"csirt", "authority", "customer", "other"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What the signer saw: the incident, and the end of the chain over its timeline."""

    incident: IncidentId
    position: int
    head: Digest

    @property
    def claims(self) -> dict[str, Any]:
        """Return the claims that every signed act begins with."""
        return {"incident": self.incident, "seen": self.position, "timeline": self.head.hex}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a triage says."""

    significant: bool
    criteria: tuple[str, ...]
    reason: str
    detected_at: datetime
    triaged_at: datetime
    aware_at: datetime | None = None
    occurred_at: datetime | None = None
    malicious: Answer = Answer.UNKNOWN
    cross_border: Answer = Answer.UNKNOWN
    customers: tuple[str, ...] = ()
    measured: Mapping[str, int] = field(default_factory=dict)
    personal_data: Answer = Answer.UNKNOWN
    breached: tuple[str, ...] = ()  # of the customers


def declared(incident: IncidentId, detected_at: datetime, node: str, reason: str) -> Draft:
    """State that a person opens an incident that no detection has seen."""
    claims: dict[str, Any] = {
        "incident": incident,
        "cause": "declared",
        "detectedAt": to_text(detected_at),
        "findings": [],
    }
    claims |= {"node": node} if node else {}
    return Draft(OPENED, (subject(incident),), claims, Strength.DOCUMENTED, {"reason": reason}, f"opened/{incident}")


def triage(seen: Seen, decision: Decision) -> Draft:
    """State what a person decided on significance; the four times stand apart."""
    times = {
        "occurredAt": decision.occurred_at,
        "detectedAt": decision.detected_at,
        "triagedAt": decision.triaged_at,
        "awareAt": decision.aware_at,
    }
    claims = seen.claims | {
        "significant": decision.significant,
        "criteria": sorted(set(decision.criteria)),
        "malicious": decision.malicious.value,
        "crossBorder": decision.cross_border.value,
        "customers": sorted(set(decision.customers)),
        "measured": dict(decision.measured),
        "personalData": decision.personal_data.value,
        "breached": sorted(set(decision.breached)),
        **{name: to_text(at) for name, at in times.items() if at is not None},
    }
    return _draft(TRIAGE, seen, claims, {"reason": decision.reason})


def corrected(
    seen: Seen, what: str, *, reason: str, value: str = "", other: str = "", findings: tuple[str, ...] = ()
) -> Draft:
    """State that a field was corrected, that another incident is merged in, or that findings are split off."""
    claims: dict[str, Any] = seen.claims | {"field": what}
    details = {"reason": reason}
    if what in TIMES:
        claims["value"] = value
    elif what == "merge":
        claims["other"] = other
    elif what == "split":
        claims["findings"] = sorted(set(findings))
    else:
        details["value"] = value
    return _draft(CORRECTED, seen, claims, details)


def reported(
    seen: Seen, stage: str, filed_at: datetime, addressee: str, receipt: Digest, details: Mapping[str, str]
) -> Draft:
    """State that a person filed a report, and what acknowledges it."""
    claims = seen.claims | {
        "stage": stage,
        "filedAt": to_text(filed_at),
        "addressee": addressee,
        "receipt": str(receipt),
    }
    return _draft(REPORT, seen, claims, details)


def noticed(
    seen: Seen,
    customer: str,
    sent_at: datetime,
    receipt: Digest,
    details: Mapping[str, str],
    *,
    about: PredicateName = NOTICE,
) -> Draft:
    """State that a person sent a customer the notice that the contract asks for: of the incident, or of the breach."""
    claims = seen.claims | {"customer": customer, "sentAt": to_text(sent_at), "receipt": str(receipt)}
    return _draft(about, seen, claims, details)


def closed(seen: Seen, handled_at: datetime, reason: str) -> Draft:
    """State that the incident is handled; open clocks stay open."""
    return _draft(CLOSED, seen, seen.claims | {"handledAt": to_text(handled_at)}, {"reason": reason})


def _draft(name: PredicateName, seen: Seen, claims: Mapping[str, Any], details: Mapping[str, str]) -> Draft:
    return Draft(name, (subject(seen.incident),), claims, Strength.DOCUMENTED, details)


def subject(incident: IncidentId) -> Subject:
    """Return the subject of every statement about an incident; the id is random, so its digest tells nothing."""
    return Subject(f"incident/{incident}", Digest.of(incident.encode()))
