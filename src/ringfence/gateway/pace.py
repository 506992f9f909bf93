"""How often segments close: at once while few do, so that receipts come soon; once a minute under steady traffic.

Each closing is a statement that every pack of the tenant carries for ever; every five seconds would be 17,000 a day.
"""

from dataclasses import dataclass

AHEAD = 100.0  # closings that may follow one another quickly
EVERY = 60.0  # seconds per closing in the long run


@dataclass(slots=True)
class Pace:
    """A store of closings that fills up by one every `every` seconds; times are seconds of a clock that only grows."""

    left: float = AHEAD
    since: float = 0.0
    most: float = AHEAD
    every: float = EVERY

    def wait(self, now: float) -> float:
        """Return in how many seconds the next segment may close."""
        self._fill(now)
        return max(0.0, (1.0 - self.left) * self.every)

    def spend(self, now: float) -> None:
        """Take note that a segment closed; one that had to, because it was full, is not held against the next."""
        self._fill(now)
        self.left = max(0.0, self.left - 1.0)

    def _fill(self, now: float) -> None:
        self.left = min(self.most, self.left + max(0.0, now - self.since) / self.every)
        self.since = now
