"""Decide which parts of a dataset a worker reads, and in which order: the same everywhere, from seed and round alone.

No random generator of a library is used: an order must be the same on every machine, release and year, or a training
run cannot be repeated.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ringfence.kernel.errors import UsageError

T = TypeVar("T")

PART = 16 * 2**20  # bytes of a file that one worker reads at a stretch
MAX_SHARES = 2**20


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """A stretch of one file; of formats that cannot be cut, the whole file."""

    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Share:
    """Which reader this is among all: worker `worker` of `workers` in process `rank` of `ranks`."""

    rank: int = 0
    ranks: int = 1
    worker: int = 0
    workers: int = 1

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        whole = 0 < self.ranks <= MAX_SHARES and 0 < self.workers <= MAX_SHARES
        if not whole or not 0 <= self.rank < self.ranks or not 0 <= self.worker < self.workers:
            raise UsageError("a rank and a worker count from 0 and are below their numbers")

    @property
    def number(self) -> int:
        """Return which reader this is."""
        return self.rank * self.workers + self.worker

    @property
    def total(self) -> int:
        """Return how many readers there are."""
        return self.ranks * self.workers


class Draws:
    """Numbers that depend on the seed and what they are for, and on nothing else (SHA-256 in counter mode)."""

    def __init__(self, seed: int, *purpose: object) -> None:
        label = "\0".join(("ringfence samples v1", str(seed), *map(str, purpose)))
        self._key, self._count = hashlib.sha256(label.encode()).digest(), 0
        self._words: Iterator[int] = iter(())

    def _word(self) -> int:
        word = next(self._words, None)
        if word is None:
            block = hashlib.sha256(self._key + self._count.to_bytes(8, "big")).digest()
            self._count += 1
            self._words = iter([int.from_bytes(block[at : at + 8], "big") for at in range(0, 32, 8)])
            word = next(self._words)
        return word

    def below(self, bound: int) -> int:
        """Return a number from 0 to below `bound`, each as likely as any other."""
        limit = 2**64 - 2**64 % bound
        while (word := self._word()) >= limit:
            pass
        return word % bound

    def permuted(self, items: Sequence[T]) -> list[T]:
        """Return the items in an order of which all are equally likely (Fisher and Yates)."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order


def parts(path: str, size: int, *, step: int = PART) -> list[Part]:
    """Cut a file into stretches of `step` bytes; an empty file has none."""
    return [Part(path, start, min(start + step, size)) for start in range(0, size, step)]


def shared(whole: Sequence[Part], share: Share, *, seed: int, turn: int, shuffle: bool) -> list[Part]:
    """Return what one reader reads in one round: every part has exactly one reader.

    Without `shuffle` the parts are read in the order of their files. The number of samples may differ from reader to
    reader: whoever needs equal numbers stops all at the shortest.
    """
    order = Draws(seed, "parts", turn).permuted(sorted(whole)) if shuffle else sorted(whole)
    return order[share.number :: share.total]
