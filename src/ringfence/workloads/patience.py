"""How long to wait before a node that could not be reached is asked again. Pure.

Each try takes a certificate, and each certificate is stated in the log: a node that is gone for good must cost a
handful of statements an hour and not two thousand.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST = timedelta(seconds=15)
LONGEST = timedelta(minutes=30)
FACTOR = 4
SPREAD = 0.25  # of the wait, to either side: nodes that went together are not asked together


@dataclass(frozen=True, slots=True)
class Wait:
    """When to try again, unless what was seen then has changed by now."""

    failures: int
    until: datetime
    began: datetime
    seen: Hashable

    def holds(self, seen: Hashable, now: datetime) -> bool:
        """Tell whether it is too early; a clock that was set back ends the wait."""
        return seen == self.seen and self.began <= now < self.until


def after(failed: Wait | None, seen: Hashable, now: datetime, jitter: float) -> Wait:
    """Return the wait after another failure; `jitter` is a random number from 0 up to 1."""
    failures = failed.failures + 1 if failed is not None and failed.seen == seen else 1
    plain = min(LONGEST, FIRST * FACTOR ** min(failures - 1, 8))
    return Wait(failures, now + plain * (1 - SPREAD + 2 * SPREAD * jitter), now, seen)
