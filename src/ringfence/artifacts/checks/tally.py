"""Count repeats among many fingerprints at eight bytes each."""

from array import array
from collections.abc import Iterator

_PARTS = 16  # sorted one after the other, so that the largest part is what memory must hold besides


class Repeats:
    """Fingerprints of 64 bits in the order of the stream; a false repeat among n has a chance of n squared / 2**65."""

    def __init__(self) -> None:
        self.values = array("Q")

    def add(self, value: int) -> None:
        """Take one more."""
        self.values.append(value)

    def repeated(self) -> int:
        """Return how many were there before."""
        return len(self.values) - sum(1 for _ in self._distinct())

    def _distinct(self) -> Iterator[int]:
        for part in range(_PARTS):
            yield from {value for value in self.values if value >> 60 == part}

    def twice(self) -> set[int]:
        """Return the fingerprints that occur more than once."""
        found: set[int] = set()
        for part in range(_PARTS):
            last = None
            for value in sorted(value for value in self.values if value >> 60 == part):
                if value == last:
                    found.add(value)
                last = value
        return found
