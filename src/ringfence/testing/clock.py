"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class FakeClock:
    """Tell the time that the test has set; fulfils `ringfence.kernel.clock.Clock`."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the current instant."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move the clock forward; return the new instant."""
        self._now += by
        return self._now
