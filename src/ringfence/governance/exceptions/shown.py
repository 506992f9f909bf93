"""Exceptions as documents, for the API and the pages. Pure."""

from datetime import datetime
from typing import Any

from ringfence.governance.exceptions.model import ControlException
from ringfence.kernel.clock import to_text


def exception(one: ControlException, at: datetime) -> dict[str, Any]:
    """Return an exception with everything that was signed about it."""
    wanted, approval, ended = one.wanted, one.approval, one.ended
    return {
        "exception": one.id,
        "control": wanted.control,
        "state": one.state(at).value,
        "owner": wanted.owner,
        "compensating": list(wanted.compensating),
        "until": str(wanted.until),
        "reason": wanted.reason,
        "request": str(one.request),
        "asked_by": one.asked_by,
        "asked_at": to_text(one.asked_at),
        "approval": None
        if approval is None
        else {
            "by": approval.by,
            "at": to_text(approval.at),
            "entry": approval.entry,
            "new_key": approval.young,
        },
        "ended": None if ended is None else {"by": ended.by, "at": to_text(ended.at), "reason": ended.reason},
        "entries": list(one.entries),
    }
