"""Incidents as every front end shows them: plain JSON, with what others wrote made visible."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from ringfence.incidents import clocks, versions
from ringfence.incidents.document import visible
from ringfence.incidents.model import Answer, Clock, Incident, IncidentId
from ringfence.incidents.service import Assessed, Incidents
from ringfence.incidents.significance import Criterion
from ringfence.incidents.terms import Customer
from ringfence.kernel.clock import to_text
from ringfence.kernel.identifier import Tenant

Named = Callable[[str], str]


def summary(shown: Assessed) -> dict[str, Any]:
    """Return the line of a list."""
    incident, first = shown.incident, clocks.nearest(shown.clocks)
    return {
        "incident": incident.id,
        "title": visible(incident.title),
        "state": incident.state,
        "nodes": [visible(node) for node in incident.nodes],
        "findings": len(incident.findings),
        "detected_at": to_text(incident.detected_at),
        "aware_at": _text(versions.earliest(incident.awareness) if incident.significant else None),
        "clocks_running": sum(one.running for one in shown.clocks),
        "clocks_late": sum(one.late_by is not None for one in shown.clocks),
        "next": clock(first) if first else None,
        "next_command": clocks.command(first, incident.id) if first else None,
    }


def room(service: Incidents, tenant: Tenant, name: IncidentId) -> dict[str, Any]:
    """Return everything about one incident of a tenant, as it stands now."""
    shown = service.room(tenant, name)
    intact = service.intact(tenant, shown.incident)
    return whole(shown, service.draft(tenant, shown), partial(service.names, tenant), intact=intact)


def whole(shown: Assessed, draft: Mapping[str, Any], name: Named, *, intact: bool) -> dict[str, Any]:
    """Return everything about an incident."""
    incident = shown.incident
    return summary(shown) | {
        "timeline_intact": intact,
        "timeline_head": {"position": len(incident.timeline), "digest": incident.head.hex},
        "times": _times(incident),
        "personal_data": incident.triage.personal_data.value if incident.triage else Answer.UNKNOWN.value,
        "standing": {
            "category": shown.bound.standing.category.value,
            "binds_2690": shown.bound.standing.binds_2690,
            "provision": shown.bound.standing.provision,
        },
        "customers": [_customer(one, incident) for one in shown.bound.customers],
        "clocks": [clock(one) for one in shown.clocks],
        "criteria": [criterion(one) for one in shown.criteria],
        "warnings": list(shown.warnings),
        "awareness": _awareness(incident, name),
        "corrections": _corrections(incident, name),
        "filed": _filed(incident, name),
        "merged_into": incident.merged_into,
        "finding_ids": [finding.id for finding in incident.findings],
        "timeline": _timeline(incident, name),
        "draft": dict(draft),
    }


def _customer(one: Customer, incident: Incident) -> dict[str, Any]:
    """Return a customer, whether their things are touched, and whether a triage names them by itself."""
    touched = one.touched(incident.nodes)
    basis = "the contract" if one.agreed else one.basis
    named = one.named(incident.nodes)
    return {
        "customer": one.id,
        "hours": one.hours,
        "basis": basis,
        "breach_hours": one.breach_at(None),
        "touched": touched,
        "named": named,
    }


def clock(one: Clock) -> dict[str, Any]:
    """Return one clock."""
    return {
        "id": one.id,
        "regime": one.regime,
        "title": one.title,
        "ref": one.ref,
        "source": one.source,
        "state": one.state.value,
        "counted_from": one.counted_from,
        "period": one.period,
        "started_at": _text(one.started_at),
        "due_at": _text(one.due_at),
        "met_at": _text(one.met_at),
        "receipt": one.receipt or None,
        "late_by_seconds": int(one.late_by.total_seconds()) if one.late_by else None,
        "customer": one.customer or None,
        "note": one.note,
    }


def criterion(one: Criterion) -> dict[str, Any]:
    """Return one criterion with threshold and measured value."""
    return {
        "code": one.code,
        "text": one.text,
        "threshold": one.threshold,
        "measured": one.measured,
        "verdict": one.verdict.value,
        "proposed": one.proposed,
        "facts": [visible(fact) for fact in one.facts],
        "evidence": list(one.evidence),
    }


def _text(at: datetime | None) -> str | None:
    return to_text(at) if at else None


def _times(incident: Incident) -> dict[str, Any]:
    triage = incident.triage
    aware = versions.current(incident.awareness)
    return {
        "occurred": _text(triage.occurred_at if triage else None),
        "detected": to_text(incident.detected_at),
        "triaged": _text(triage.decided_at if triage else None),
        "aware": _text(aware.value if aware else None),
    }


def _awareness(incident: Incident, name: Named) -> list[dict[str, Any]]:
    return [
        {
            "value": _text(one.value),
            "recorded_at": to_text(one.since),
            "by": one.by,
            "name": visible(name(one.by)),
            "why": visible(one.why),
            "customer": one.customer or None,
            "breach": one.breach,
        }
        for one in incident.awareness
    ]


def _corrections(incident: Incident, name: Named) -> list[dict[str, Any]]:
    return [
        {
            "field": one.field,
            "old": visible(one.old),
            "new": visible(one.new),
            "by": one.by,
            "name": visible(name(one.by)),
            "at": to_text(one.at),
            "reason": visible(one.reason),
            "envelope": one.envelope,
        }
        for one in incident.corrections
    ]


def _filed(incident: Incident, name: Named) -> list[dict[str, Any]]:
    return [
        {
            "stage": one.stage,
            "customer": one.customer or None,
            "at": to_text(one.at),
            "by": one.by,
            "name": visible(name(one.by)),
            "to": visible(one.addressee),
            "reference": visible(one.reference),
            "receipt": one.receipt,
            "envelope": one.envelope,
        }
        for one in incident.filed
    ]


def _timeline(incident: Incident, name: Named) -> list[dict[str, Any]]:
    return [
        {
            "position": one.position,
            "at": to_text(one.at),
            "kind": one.kind,
            "text": visible(one.text),
            "by": one.by or None,
            "name": visible(name(one.by)) if one.by else None,
            "envelope": one.envelope,
        }
        for one in incident.timeline
    ]
