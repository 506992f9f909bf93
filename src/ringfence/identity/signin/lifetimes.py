"""When a session ends, and how surely it says who is asking. Pure."""

from datetime import datetime, timedelta

from ringfence.identity.signin.model import ABSOLUTE, FRESH, IDLE, Session
from ringfence.kernel.actor import Assurance

TOUCH_AFTER = timedelta(minutes=1)  # a session is not written to at each request


def alive(session: Session, now: datetime) -> bool:
    """Return whether the session still counts: seen lately, and not older than sessions get."""
    return now - session.seen_at < IDLE and now - session.opened_at < ABSOLUTE


def is_fresh(stepped_up_at: datetime | None, now: datetime) -> bool:
    """Return whether a passkey confirmed lately; a time that lies ahead confirms nothing."""
    return stepped_up_at is not None and timedelta(0) <= now - stepped_up_at < FRESH


def assurance(session: Session, now: datetime, *, has_passkey: bool) -> Assurance:
    """Return how surely the session says who is asking."""
    return Assurance(session.level, is_fresh(session.stepped_up_at, now), has_passkey)
