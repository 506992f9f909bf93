"""Leases, denials and appraisals as JSON and in words. Pure."""

from datetime import datetime
from typing import Any

from ringfence.kernel.clock import to_text
from ringfence.keyrelease import statements
from ringfence.keyrelease.model import Lease, PlaceKind, Refusal

PLACE: dict[str, str] = {
    PlaceKind.NONE: "nobody says where the node stands",
    PlaceKind.DECLARED: "declared: the person who asked says so, and nobody checked",
    PlaceKind.PROVIDER_SIGNED: (
        "provider-signed: the provider's register lists the device; the device itself shows no place"
    ),
}
STRENGTH: dict[str, str] = {
    "attested": "a device of a maker signed it",
    "lab-attested": (
        "a TPM that a program plays: it shows nothing against whoever runs it, and counts in demo tenants only"
    ),
}
DOES_NOT_SHOW = (
    "That a key which was released stayed on the node: the end of a lease stops renewal, it cannot recall a key.",
    "That the workload that was named is the one that runs: evidence covers what was booted, and which files ran.",
    "Where the node stands: no quote attests a place.",
    "Anything against the host, where a program on it plays the TPM.",
)


def lease(found: Lease, at: datetime) -> dict[str, Any]:
    """Return a lease as front ends show it."""
    return {
        "lease": found.id,
        "dataset": found.name,
        "dataset_id": found.dataset,
        "epoch": found.epoch,
        "node": found.node_name,
        "node_id": found.node,
        "purpose": found.purpose,
        "workload": str(found.workload),
        "device": found.device,
        "strength": found.strength.text,
        "state": found.state.value,
        "because": found.because,
        "granted_at": to_text(found.granted_at),
        "renewed_at": to_text(found.renewed_at),
        "expires_at": to_text(found.expires_at),
        "ended_at": to_text(found.ended_at) if found.ended_at else None,
        "seconds_left": max(0, int((found.expires_at - at).total_seconds())) if found.ended_at is None else 0,
        "statement": str(found.statement) if found.statement else None,
        "by": found.by,
    }


def refusal(found: Refusal) -> dict[str, Any]:
    """Return a denial as front ends show it."""
    return {
        "node": found.node,
        "dataset": found.dataset,
        "because": list(found.because),
        "sentences": [statements.sentence(one) for one in found.because],
        "reasons": list(found.reasons),
        "at": to_text(found.at),
    }
