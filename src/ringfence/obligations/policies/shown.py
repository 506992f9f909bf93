"""Policies as front ends show them."""

from typing import Any

from ringfence.kernel.clock import to_text
from ringfence.obligations.policies.model import Adopted, Shown


def policy(one: Shown) -> dict[str, Any]:
    """Return a type of policy and the version in force."""
    return {
        "policy": one.name,
        "title": one.title,
        "state": one.stand.value,
        "asked_by": list(one.asked_by),
        "adopted": _adopted(one.adopted) if one.adopted else None,
    }


def _adopted(one: Adopted) -> dict[str, Any]:
    return {
        "entry": one.entry,
        "recorded_at": to_text(one.recorded_at),
        "version": one.version,
        "approved_by": one.approved_by,
        "resolution_entry": one.resolution,
        "next_review": one.next_review.isoformat() if one.next_review else None,
        "observed": [each.to_json() for each in one.observed],
        "contradicted": [each.name for each in one.contradicted],
    }
