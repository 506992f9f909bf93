"""The register as documents, for the API and the pages. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from ringfence.governance.risks import counts
from ringfence.governance.risks.model import Plan, Rating, Risk
from ringfence.kernel.clock import to_text


def rating(one: Rating) -> dict[str, Any]:
    """Return a rating with its word."""
    return {"likelihood": one.likelihood, "impact": one.impact, "score": one.score, "level": one.level.value}


def plan(one: Plan) -> dict[str, Any]:
    """Return a treatment."""
    return {
        "kind": one.kind.value,
        "residual": rating(one.residual),
        "controls": list(one.controls),
        "due_on": str(one.due_on) if one.due_on else None,
        "done": one.done,
        "plan": one.text,
    }


def risk(one: Risk, today: date) -> dict[str, Any]:
    """Return a risk with everything that was signed about it."""
    row = one.row
    return {
        "risk": one.id,
        "title": row.title,
        "text": row.text,
        **rating(row.rating),
        "owner": row.owner,
        "owner_words": row.owner_words,
        "owned": row.owned,
        "threats": list(row.threats),
        "controls": list(row.controls),
        "review_on": str(row.review_on),
        "treatment": plan(row.plan) if row.plan else None,
        "acceptance": _acceptance(one, today),
        "state": "open" if one.open else "closed",
        "treatment_overdue": one.treatment_overdue(today),
        "review_overdue": one.review_overdue(today),
        "basis": str(one.basis),
        "basis_by": one.basis_by,
        "registered_by": one.registered_by,
        "registered_at": to_text(one.registered_at),
        "reviewed_at": to_text(one.reviewed_at) if one.reviewed_at else None,
        "closed_at": to_text(one.closed_at) if one.closed_at else None,
        "entries": list(one.entries),
        "notes": [{"at": to_text(at), "by": by, "text": text} for at, by, text in one.notes],
    }


def _acceptance(one: Risk, today: date) -> dict[str, Any] | None:
    given = one.acceptance
    if given is None:
        return None
    return {
        "state": "in force" if one.accepted(today) else "expired",
        "by": given.by,
        "at": to_text(given.at),
        "entry": given.entry,
        "until": str(given.until),
        "residual": rating(given.residual),
        "reason": given.reason,
        "new_key": given.young,
    }


def register(risks: Sequence[Risk], today: date) -> dict[str, Any]:
    """Return the whole register with its counts and its heat map."""
    return {
        "counts": dict(counts.counts(risks, today)),
        "heat": [[{"level": level.value, "risks": count} for level, count in line] for line in counts.heat(risks)],
        "risks": [risk(one, today) for one in risks],
    }
