"""How long the next attempt to sign in waits: free at first, then twice as long each time, up to a cap. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ringfence.identity.signin.model import Attempts


@dataclass(frozen=True, slots=True)
class Limit:
    """How patient we are with one person, or with one place."""

    free: int
    first: timedelta
    cap: timedelta

    def delay(self, failures: int) -> timedelta:
        """Return how long after the last of so many failures the next attempt is looked at."""
        beyond = failures - self.free
        if beyond < 0:
            return timedelta(0)
        # Bounded before the power, so that no count of failures overflows.
        return min(self.first * (1 << min(beyond, 32)), self.cap)


PERSON = Limit(free=5, first=timedelta(seconds=30), cap=timedelta(hours=1))
PLACE = Limit(free=30, first=timedelta(seconds=10), cap=timedelta(minutes=15))
ASKED = Limit(free=30, first=timedelta(seconds=1), cap=timedelta(seconds=30))  # questions that nobody answers
FORGOTTEN_AFTER = timedelta(hours=24)


def waits(attempts: Attempts | None, limit: Limit, now: datetime) -> timedelta:
    """Return how long the next attempt has to wait; zero where it need not."""
    if attempts is None:
        return timedelta(0)
    # A clock that was set back must not open what is closed, nor close it for longer than the delay.
    passed = max(now - attempts.last_at, timedelta(0))
    return max(limit.delay(attempts.failures) - passed, timedelta(0))


def counted(attempts: Attempts | None, subject: bytes, now: datetime) -> Attempts:
    """Count one more attempt as failed; it is taken back where it turns out right."""
    if attempts is None or now - attempts.last_at >= FORGOTTEN_AFTER:
        return Attempts(subject, 1, now)
    return replace(attempts, failures=attempts.failures + 1, last_at=max(now, attempts.last_at))


def taken_back(attempts: Attempts | None) -> Attempts | None:
    """Return what is left of attempts once the last one was right; None where nothing is."""
    if attempts is None or attempts.failures <= 1:
        return None
    return replace(attempts, failures=attempts.failures - 1)
