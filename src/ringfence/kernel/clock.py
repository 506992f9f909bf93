"""Time as a port: aware UTC instants with millisecond precision, and their text form."""

import re
from datetime import UTC, datetime, timedelta
from typing import Protocol

from ringfence.kernel.errors import MalformedInput, Unavailable

_TEXT = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\d\.\d{3}Z", re.ASCII)
# A clock that is stepped back by less than this is NTP at work: the entry takes the time of the one before it.
BACKWARDS = timedelta(seconds=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Tell the time."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...


def to_text(instant: datetime) -> str:
    """Print an instant as `YYYY-MM-DDTHH:MM:SS.mmmZ`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: object) -> datetime:
    """Parse exactly the form that `to_text` prints; raise `MalformedInput` for anything else."""
    if not isinstance(text, str) or not _TEXT.fullmatch(text):
        raise MalformedInput(f"{str(text)[:40]!r} is not a UTC time of the form 2026-11-22T01:02:03.456Z")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedInput(f"{text!r} is not a time: {error}") from error


def to_millis(instant: datetime) -> int:
    """Return milliseconds since the epoch, rounded down."""
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def from_millis(millis: int) -> datetime:
    """Return the instant that lies `millis` milliseconds after the epoch."""
    return _EPOCH + timedelta(milliseconds=millis)


def recording_time(newest: datetime | None, now: datetime) -> datetime:
    """Return the time that an entry taken in now gets; raise `Unavailable` where the clock went back."""
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    if newest is None or now >= newest:
        return now
    if newest - now > BACKWARDS:
        raise Unavailable(
            f"the clock says {to_text(now)}, but the newest log entry is from {to_text(newest)}; set the clock and "
            "try again: nothing was written"
        )
    return newest
