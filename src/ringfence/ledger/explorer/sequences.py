"""Gaps of sequences, from numbers that an index has. Pure."""

from collections.abc import Iterable

from ringfence.ledger.explorer.model import Gap, Series

MAX_GAPS = 20  # that are listed of one sequence


def series(count: int, first: int, last: int, jumps: Iterable[tuple[int, int]], *, start: int = 1) -> Series:
    """Return a sequence with its gaps.

    Args:
        count: how many numbers there are.
        first: the smallest.
        last: the largest.
        jumps: pairs of a number and the next larger one, where those are not neighbours; in order.
        start: what the smallest is to be.
    """
    missing = [Gap(start, first - 1)] if first > start else []
    missing += [Gap(low + 1, high - 1) for low, high in jumps]
    return Series(count, first, last, tuple(missing[:MAX_GAPS]), len(missing) > MAX_GAPS)
