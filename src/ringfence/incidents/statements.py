"""What the control plane states about incidents: opened, extended, drafted. Counts and codes; the rest is erasable."""

from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.incidents import codec, document
from ringfence.incidents.acts import OPENED, subject
from ringfence.incidents.model import Fact, FindingFacts, IncidentId
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength

EXTENDED = PredicateName("incident.extended")
DRAFTED = PredicateName("incident.draft")


def opened(incident: IncidentId, finding: FindingFacts, position: int, head: Digest) -> Draft:
    """State that a finding opened an incident; that says nothing about significance."""
    claims = {
        "incident": incident,
        "cause": "finding",
        "detectedAt": to_text(finding.detected_at),
        "findings": [finding.id],
        "position": position,
        "timeline": head.hex,
    }
    return Draft(OPENED, (subject(incident),), claims, Strength.OBSERVED, {"finding": codec.plain(finding)})


def split_off(
    incident: IncidentId, origin: IncidentId, findings: Sequence[str], detected_at: str, position: int, head: Digest
) -> Draft:
    """State that an incident came out of another one, with its decisions."""
    claims = {
        "incident": incident,
        "cause": "split",
        "origin": origin,
        "detectedAt": detected_at,
        "findings": sorted(findings),
        "position": position,
        "timeline": head.hex,
    }
    return Draft(OPENED, (subject(incident),), claims, Strength.OBSERVED)


def extended(incident: IncidentId, what: FindingFacts | Fact, position: int, head: Digest) -> Draft:
    """State that something was added to a timeline."""
    claims: dict[str, Any] = {"incident": incident, "position": position, "timeline": head.hex}
    match what:
        case FindingFacts():
            claims |= {"cause": "finding", "finding": what.id, "count": what.count, "rule": what.rule}
        case Fact():
            claims |= {"cause": what.kind.value, "at": to_text(what.at)}
    return Draft(EXTENDED, (subject(incident),), claims, Strength.OBSERVED, {"what": codec.plain(what)})


def noted(incident: IncidentId, kind: str, other: str, position: int, head: Digest) -> Draft:
    """State that an incident was merged into another, or that a clock of it gave a warning."""
    claims = {"incident": incident, "cause": kind, "position": position, "timeline": head.hex}
    return Draft(EXTENDED, (subject(incident),), claims | {"other": other}, Strength.OBSERVED)


def drafted(incident: IncidentId, drafted_document: Mapping[str, Any], salt: bytes) -> Draft:
    """State that a draft was made: which fields are known, and a salted digest of the document."""
    fields = drafted_document["fields"]
    claims = {
        "incident": incident,
        "stage": drafted_document["stage"],
        "fields": len(fields),
        "unknown": sorted(document.unknown(drafted_document)),
        "contradictions": len(drafted_document["contradictions"]),
        "documentDigest": str(Digest.of(salt + dumps(drafted_document))),
    }
    return Draft(DRAFTED, (subject(incident),), claims, Strength.OBSERVED, {"salt": salt.hex()})
