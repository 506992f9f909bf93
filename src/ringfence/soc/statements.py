"""What the watch states: findings, decisions, alerts, and changes of itself. Pure.

Envelopes name no address, user or line, nor a plain digest of one: those stand in the side record. `finding` is a
random reference.
"""

from collections.abc import Sequence
from datetime import datetime

from ringfence.kernel import digest
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, PredicateName, Tenant
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.soc import policy as settings
from ringfence.soc.action import Response, Ruling, State, Times
from ringfence.soc.policy import Policy
from ringfence.soc.ports import Delivery, Raised, Ruled

RAISED = PredicateName("finding.raised")
DECIDED = PredicateName("response.decided")
SENT = PredicateName("alert.sent")
ALERT_FAILED = PredicateName("alert.failed")
CHANGED = PredicateName("detection.changed")
SETTLED = PredicateName("response.settled")


def subject_of(reference: str) -> Subject:
    """Return the subject of everything about a finding: its reference is random, hence so is the digest."""
    return Subject(f"finding/{reference}", Digest.of(digest.dumps({"finding": reference})))


def finding_raised(raised: Raised) -> Draft:
    """State that a rule has seen something."""
    finding = raised.finding
    claims = {
        "finding": raised.reference,
        "rule": finding.rule,
        "node": raised.node.node if raised.node else "",
        "severity": finding.severity,
        "techniques": list(finding.technique),
        "firstSeen": to_text(finding.first_seen),
        "lastSeen": to_text(finding.last_seen),
        "count": finding.count,
        "evidenceLines": len(finding.evidence),
        "authenticated": raised.authenticated,
    }
    details = {"source": finding.source, "subject": finding.subject, "title": finding.title}
    strength = Strength.OBSERVED if raised.authenticated else Strength.DECLARED
    return Draft(
        RAISED,
        (subject_of(raised.reference),),
        claims,
        strength,
        details=details | {"evidence": list(finding.evidence)},
        idempotency_key=f"finding:{raised.reference}",
    )


def response_decided(
    raised: Raised, response: Response, times: Times, states: Sequence[State], *, emergency: bool = False
) -> Draft:
    """State what was ruled about a finding, what came of it, and how long each step took.

    Args:
        raised: the finding.
        response: the rulings.
        times: of the last line, the finding, the decision, and the act.
        states: how far each act has come, in their order.
        emergency: without side record: the emergency journal keeps none.
    """
    claims = {
        "finding": raised.reference,
        "rule": raised.finding.rule,
        "node": raised.node.node if raised.node else "",
        "turn": response.turn,
        "actions": [
            {"action": act.kind.value, "ruling": act.ruling.value, "reason": act.reason.value, "state": state.value}
            for act, state in zip(response.acts, states, strict=True)
        ],
        "isolationsInWindow": response.isolations,
        "isolationsAllowed": response.cap,
        "dryRun": any(act.ruling is Ruling.WOULD for act in response.acts),
        "lineReceivedAt": to_text(times.line),
        "findingAt": millis(times.line, times.finding),
        "decidedAt": millis(times.line, times.decided),
    }
    if times.acted is not None:
        claims["actedAt"] = millis(times.line, times.acted)
    details = {} if emergency else {"targets": [act.target for act in response.acts]}
    return Draft(
        DECIDED,
        (subject_of(raised.reference),),
        claims,
        Strength.OBSERVED if raised.authenticated else Strength.DECLARED,
        details=details,
        idempotency_key=f"response:{raised.reference}:{response.turn}",
    )


def millis(start: datetime, end: datetime) -> int:
    """Return the whole milliseconds from `start` to `end`; never below zero, whatever a clock did."""
    return max(0, round((end - start).total_seconds() * 1000))


def alert_sent(delivery: Delivery, at: datetime) -> Draft:
    """State that a channel took an alert over."""
    claims = _delivery(delivery) | {"afterMillis": millis(delivery.created_at, at)}
    return Draft(SENT, (subject_of(delivery.alert.about),), claims, Strength.OBSERVED, idempotency_key=_key(delivery))


def alert_failed(delivery: Delivery, error: str, *, final: bool) -> Draft:
    """State that a channel did not take an alert; `final` where it is not tried again."""
    key = f"{_key(delivery)}:{'given-up' if final else 'failed'}"
    claims = _delivery(delivery) | {"final": final}
    subjects = (subject_of(delivery.alert.about),)
    return Draft(ALERT_FAILED, subjects, claims, Strength.OBSERVED, details={"error": error[:500]}, idempotency_key=key)


def _delivery(delivery: Delivery) -> dict[str, object]:
    return {"about": delivery.alert.about, "channel": delivery.channel, "attempts": delivery.attempts}


def _key(delivery: Delivery) -> str:
    return f"alert:{delivery.alert.identifier}:{delivery.channel}"


def settled(reference: str, acts: Sequence[Ruled], lost: Sequence[Delivery], *, by: PersonId, reason: str) -> Draft:
    """State that a person says what was done about something that waited for one; nobody checked that it was."""
    claims: dict[str, object] = {
        "about": reference,
        "by": by,
        "acts": [{"action": one.act.kind.value, "turn": one.turn} for one in acts],
        "alerts": sorted({delivery.channel for delivery in lost}),
    }
    what = [claims["acts"], sorted(_key(delivery) for delivery in lost)]
    key = f"settled:{reference}:{Digest.of(digest.dumps({'what': what})).hex[:24]}"
    return Draft(
        SETTLED,
        (subject_of(reference),),
        claims,
        Strength.DECLARED,
        details={"reason": reason},
        idempotency_key=key,
    )


def detection_changed(tenant: Tenant, version: int, before: Policy, after: Policy, *, by: PersonId) -> Draft:
    """State that somebody changed what is done about findings, or silenced one."""
    claims = {
        "version": version,
        "changed": list(settings.changed_fields(before, after)),
        "by": by,
        "dryRun": after.mode is settings.Mode.DRY_RUN,
        "silences": len(after.silences),
        "rulesOff": len(after.rules_off),
    }
    details = {"before": settings.to_document(before), "after": settings.to_document(after)}
    # Not the digest of the settings: they name addresses, and a digest of so little could be guessed back.
    subject = Subject(f"detection/{tenant}", Digest.of(digest.dumps({"detection": tenant, "version": version})))
    key = f"detection:{version}"
    return Draft(CHANGED, (subject,), claims, Strength.OBSERVED, details=details, idempotency_key=key)
