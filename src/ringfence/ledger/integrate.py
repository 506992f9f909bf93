"""Decide which index and which time each pending statement gets. Pure."""

from collections.abc import Sequence
from datetime import datetime

from ringfence.kernel.clock import recording_time
from ringfence.ledger import entry
from ringfence.storage.rows import Integrated, Pending


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
