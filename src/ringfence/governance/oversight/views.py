"""What front ends show of oversight."""

from typing import Any

from ringfence.governance.oversight.model import Course, Shown, Trained
from ringfence.kernel.clock import to_text


def shown(one: Shown) -> dict[str, Any]:
    """Return a line of the oversight log."""
    return {
        "entry": one.entry,
        "at": to_text(one.at),
        "what": one.what,
        "whom": one.whom,
        "head": one.head,
        "by": one.by,
    }


def course(one: Course) -> dict[str, Any]:
    """Return the newest session of a course."""
    return {
        "course": one.course,
        "held_on": one.held_on,
        "entry": one.entry,
        "required": one.required,
        "completed": one.completed,
        "late": one.late,
        "due": to_text(one.due) if one.due else None,
    }


def member(one: Trained) -> dict[str, Any]:
    """Return where a member of the body stands."""
    return {
        "person": one.person,
        "name": one.name,
        "since": to_text(one.since),
        "session": one.session.entry if one.session else None,
        "recorded": one.recorded,
        "due": to_text(one.due),
    }
