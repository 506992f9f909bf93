"""What a benchmark returns: one row per thing measured, its peer in the same run, and the target that we hold."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Times of ours and of a peer, or of ours alone, and what they are held against.

    Attributes:
        what: the thing measured, as docs/measurements/README.md calls it.
        target: what we hold, in words.
        ours: times, in `unit`, one per repetition.
        unit: of all times: "ms" or "ms CPU".
        peer: what it is measured beside; empty where the target is a limit.
        theirs: the peer's times, in the same unit.
        least_ratio: how often our rate must fit into the peer's, at least: 0.5 is half as fast.
        limit: the most that our median may be.
        note: what a reader must know to judge the row.
    """

    what: str
    target: str
    ours: Sequence[float]
    unit: str = "ms"
    peer: str = ""
    theirs: Sequence[float] = ()
    least_ratio: float | None = None
    limit: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Return our rate as a share of the peer's: above 1 we are faster."""
        return quantile(self.theirs, 0.5) / quantile(self.ours, 0.5) if self.theirs else None

    @property
    def holds(self) -> bool | None:
        """Say whether the target is met; None where there is none."""
        if self.least_ratio is not None and self.ratio is not None:
            return self.ratio >= self.least_ratio
        return quantile(self.ours, 0.5) <= self.limit if self.limit is not None else None


def quantile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank quantile."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def timed(work: Callable[[], object], *, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return how many milliseconds a call takes; pass `time.process_time` for CPU."""
    start = clock()
    work()
    return (clock() - start) * 1000
