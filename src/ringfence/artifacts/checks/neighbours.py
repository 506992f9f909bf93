"""Votes of the nearest rows by their numbers: for relations between columns that naive Bayes cannot see."""

import heapq
import math
from collections.abc import Sequence
from operator import itemgetter

REFERENCE = 1000  # rows among which neighbours are looked for
NEAREST = 15


def votes(points: Sequence[Sequence[float]], labels: Sequence[int], kinds: int) -> list[list[float]]:
    """Return for each row the share of each label among its neighbours; a row is never its own."""
    step = max(1, len(points) // REFERENCE)
    chosen = range(0, len(points), step)
    reference = [(points[place], labels[place], place) for place in chosen]
    found = []
    for place, point in enumerate(points):
        near = heapq.nsmallest(
            NEAREST,
            ((math.dist(point, other), label) for other, label, where in reference if where != place),
            key=itemgetter(0),
        )
        counts = [1 / kinds] * kinds
        for _, label in near:
            counts[label] += 1
        total = sum(counts)
        found.append([count / total for count in counts])
    return found


def scaled(columns: Sequence[Sequence[float | None]]) -> list[tuple[float, ...]]:
    """Return the rows of columns, each column less its median and by its quartile range; what is missing is 0."""
    ready = []
    for column in columns:
        points = sorted(value for value in column if value is not None)
        if not points:
            continue
        middle = points[len(points) // 2]
        width = points[3 * len(points) // 4] - points[len(points) // 4] or (points[-1] - points[0]) or 1.0
        ready.append([0.0 if value is None else max(-20.0, min(20.0, (value - middle) / width)) for value in column])
    return list(zip(*ready, strict=True))
