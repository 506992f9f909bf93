"""A uniform sample of a stream, the same for the same seed and the same rows."""

import heapq
from collections.abc import Iterator

from ringfence.artifacts.checks.model import Row, Value

MAX_TEXT = 4096  # characters of a cell that a sample keeps: the screens look at no more
_MASK = 2**64 - 1


def mixed(seed: int, number: int) -> int:
    """Return 64 well-mixed bits of a number under a seed (splitmix64); not a secret, and not meant to be one."""
    state = (number * 0x9E3779B97F4A7C15 + seed * 0xD1342543DE82EF95 + 0x9E3779B97F4A7C15) & _MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return state ^ (state >> 31)


class Numbers:
    """Numbers that look random and are the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._seed, self._at = seed, 0

    def below(self, bound: int) -> int:
        """Return one of 0 … bound - 1."""
        self._at += 1
        return mixed(self._seed, self._at) % bound

    def unit(self) -> float:
        """Return a number in [0, 1)."""
        self._at += 1
        return (mixed(self._seed, self._at) >> 11) / 2**53

    def normal(self) -> float:
        """Return a nearly normal number: twelve uniform ones, centred."""
        return sum(self.unit() for _ in range(12)) - 6.0


class Sample:
    """Keep the rows with the smallest mixed numbers: each row is as likely as any other."""

    def __init__(self, size: int, seed: int) -> None:
        self._size, self._seed = size, seed
        self._heap: list[tuple[int, int, Row]] = []
        self.seen = 0

    def see(self, row: Row) -> None:
        """Look at the next row."""
        place = self.seen
        self.seen += 1
        priority = -mixed(self._seed, place)
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, (priority, place, _cut(row)))
        elif priority > self._heap[0][0]:
            heapq.heapreplace(self._heap, (priority, place, _cut(row)))

    def rows(self) -> Iterator[Row]:
        """Return what was kept, in the order of the stream."""
        return (row for _, _, row in sorted(self._heap, key=lambda kept: kept[1]))


def _cut(row: Row) -> Row:
    long = [name for name, value in row.cells.items() if isinstance(value, str) and len(value) > MAX_TEXT]
    if not long:
        return row
    cells: dict[str, Value] = dict(row.cells)
    for name in long:
        cells[name] = str(cells[name])[:MAX_TEXT]
    return row._replace(cells=cells)
