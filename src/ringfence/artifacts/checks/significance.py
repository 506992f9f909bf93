"""Tests of hypotheses in plain Python: tails of distributions, and what is left of them when many are asked.

Sources: Abramowitz and Stegun 6.5 (incomplete gamma function); Kolmogorov's limit with the correction of Stephens
(1970); Holm (1979); Benjamini and Yekutieli (2001).
"""

import math
from bisect import bisect_right
from collections.abc import Sequence

_TINY = 1e-300
_STEPS = 500


def chi_square_tail(statistic: float, freedom: int) -> float:
    """Return P[X >= statistic] of chi-square with `freedom` degrees."""
    if statistic <= 0 or freedom <= 0:
        return 1.0
    shape, at = freedom / 2, statistic / 2
    scale = math.exp(-at + shape * math.log(at) - math.lgamma(shape))
    tail = 1 - scale * _series(shape, at) if at < shape + 1 else scale * _fraction(shape, at)
    return min(1.0, max(0.0, tail))


def _series(shape: float, at: float) -> float:
    term = total = 1 / shape
    for step in range(1, _STEPS):
        term *= at / (shape + step)
        total += term
        if term < total * 1e-15:
            break
    return total


def _fraction(shape: float, at: float) -> float:
    """Return the continued fraction by Lentz's method."""
    b = at + 1 - shape
    c, d = 1 / _TINY, 1 / b
    total = d
    for step in range(1, _STEPS):
        a = -step * (step - shape)
        b += 2
        d = 1 / _away(a * d + b)
        c = _away(b + a / c)
        total *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return total


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def kolmogorov_tail(distance: float, first: int, second: int) -> float:
    """Return the asymptotic P[D >= distance] of two samples of these sizes."""
    if not first or not second:
        return 1.0
    root = math.sqrt(first * second / (first + second))
    at = (root + 0.12 + 0.11 / root) * distance
    if at < 0.2:
        return 1.0
    total = sum((1.0 if k % 2 else -1.0) * math.exp(-2 * k * k * at * at) for k in range(1, 101))
    return min(1.0, max(0.0, 2 * total))


def distance(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the greatest distance of the distribution functions of two sorted samples (Kolmogorov and Smirnov)."""
    places = sorted({*first, *second})
    return max(
        (abs(bisect_right(first, at) / len(first) - bisect_right(second, at) / len(second)) for at in places),
        default=0.0,
    )


def binomial_tail(hits: int, trials: int, chance: float) -> float:
    """Return P[X >= hits] of a binomial distribution, exactly up to rounding."""
    if hits <= 0 or chance >= 1:
        return 1.0
    if chance <= 0 or hits > trials:
        return 0.0
    at, far = math.log(chance), math.log1p(-chance)
    total = 0.0
    for k in range(hits, trials + 1):
        term = math.exp(_log_choose(trials, k) + k * at + (trials - k) * far)
        total += term
        if k > trials * chance and term < total * 1e-15:
            break
    return min(1.0, total)


def fisher_tail(both: int, first: int, second: int, total: int) -> float:
    """Return P[overlap >= both] of a set of `first` and one of `second` among `total` (hypergeometric)."""
    if both <= max(0, first + second - total):
        return 1.0
    whole = _log_choose(total, second)
    terms = (
        math.exp(_log_choose(first, k) + _log_choose(total - first, second - k) - whole)
        for k in range(both, min(first, second) + 1)
    )
    return min(1.0, sum(terms))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def holm(values: Sequence[float]) -> list[float]:
    """Adjust p-values so that the chance of *any* false one is bounded, however they hang together."""
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted, highest = [1.0] * len(values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, values[place] * (len(values) - rank)))
        adjusted[place] = highest
    return adjusted


def benjamini_yekutieli(values: Sequence[float], tested: int | None = None) -> list[float]:
    """Adjust p-values so that the expected share of false ones is bounded, however they hang together.

    Args:
        values: the smallest p-values of a family.
        tested: how many were tested, where `values` leaves out some with larger ones.
    """
    count = max(tested or 0, len(values))
    harmonic = sum(1 / k for k in range(1, count + 1)) if count < 1000 else math.log(count) + 0.5773 + 1 / (2 * count)
    order = sorted(range(len(values)), key=values.__getitem__, reverse=True)
    adjusted, lowest = [1.0] * len(values), 1.0
    for back, place in enumerate(order):
        rank = len(values) - back
        lowest = min(lowest, values[place] * count * harmonic / rank)
        adjusted[place] = lowest
    return adjusted
