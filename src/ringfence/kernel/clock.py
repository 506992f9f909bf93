"""Time as a port: aware UTC instants with millisecond precision, and their text form."""

import re
from datetime import UTC, datetime, timedelta
from typing import Protocol

from ringfence.kernel.errors import MalformedInput, Unavailable

_TEXT = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\d\.\d{3}Z", re.ASCII)
# A clock that is stepped back by less than this is NTP at work: the entry takes the time of the one before it.
BACKWARDS = timedelta(seconds=5)
MAX_GIVEN = 40  # characters of a time that a person gives
_FIRST_YEAR, _LAST_YEAR = 1970, 9000  # the log counts from 1970; pages look some days around the time asked for
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


def given(text: str, *, source: str = "", zoned: bool = False) -> datetime:
    """Parse an instant that a person gives: ISO 8601 between 1970 and 9000, in UTC unless it says otherwise.

    `zoned`: what is signed says its zone; to guess one would shift what is stated by hours.

    Raises:
        MalformedInput: for anything else.
    """
    rule = "it says its zone" if zoned else "without a zone it is UTC"
    refused = f"{text[:MAX_GIVEN]!r} is not a time such as 2026-11-22T09:00:00Z; {rule}"
    try:
        parsed = datetime.fromisoformat(text)
        at = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MalformedInput(refused, source=source) from error
    if zoned and parsed.tzinfo is None:
        raise MalformedInput(refused, source=source)
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise MalformedInput(f"a time lies between {_FIRST_YEAR} and {_LAST_YEAR}, not in {at.year}", source=source)
    return at


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
