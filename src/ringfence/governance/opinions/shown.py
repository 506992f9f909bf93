"""Opinions as documents, for the API and the pages. Pure."""

from datetime import datetime
from typing import Any

from ringfence.governance.opinions.model import Opinion
from ringfence.kernel.clock import to_text


def opinion(one: Opinion, at: datetime) -> dict[str, Any]:
    """Return an opinion."""
    given = one.given
    return {
        "opinion": one.id,
        "control": given.control,
        "state": one.state(at).value,
        "verdict": given.verdict.value,
        "method": given.method.value,
        "basis": list(given.basis),
        "rules": str(given.rules),
        "status_then": given.status,
        "until": str(given.until),
        "sentence": given.sentence,
        "by": one.by,
        "at": to_text(one.at),
        "entry": one.entry,
        "withdrawn_at": to_text(one.withdrawn_at) if one.withdrawn_at else None,
        "withdrawn_because": one.because,
    }
