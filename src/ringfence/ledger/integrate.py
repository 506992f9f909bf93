"""Decide which index and which time each pending statement gets. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import Unavailable
from ringfence.ledger import entry
from ringfence.storage.rows import Integrated, Pending

# A clock that is stepped back by less than this is NTP at work: the entry takes the time of the one before it.
BACKWARDS = timedelta(seconds=5)


def plan(
    size: int, newest: datetime | None, pending: Sequence[Pending], now: datetime
) -> tuple[list[Integrated], list[bytes]]:
    """Return the indexes from `size` on, and the bytes of the log entries.

    Args:
        size: of the tree so far.
        newest: when its last entry was recorded.
        pending: in the order of their sequencing.
        now: the time that the entries get; never earlier than `newest`.

    Raises:
        Unavailable: the clock stands before the log's newest entry.
    """
    at = recording_time(newest, now)
    integrated = [Integrated(item.id, size + offset, at) for offset, item in enumerate(pending)]
    return integrated, [entry.encode(at, item.digest) for item in pending]


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
