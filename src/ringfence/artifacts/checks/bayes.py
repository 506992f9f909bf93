"""A naive Bayes classifier over sets of facts, cross-validated: how likely each label is by what other rows show."""

import math
from collections.abc import Sequence

from ringfence.artifacts.checks.sampling import mixed

FOLDS = 5


def out_of_fold(
    of_row: Sequence[Sequence[int]], labels: Sequence[int], kinds: int, facts: int, seed: int
) -> list[list[float]]:
    """Return for each row the probability of each label by a model that has not seen the row."""
    folds = [mixed(seed, place) % FOLDS for place in range(len(labels))]
    whole = _counts(of_row, labels, kinds, facts)
    found: list[list[float]] = [[] for _ in labels]
    for fold in range(FOLDS):
        inside = [place for place, other in enumerate(folds) if other == fold]
        held = _counts([of_row[place] for place in inside], [labels[place] for place in inside], kinds, facts)
        weights, priors = _weights(whole, held, kinds, facts)
        for place in inside:
            scores = list(priors)
            for fact in of_row[place]:
                row = weights[fact]
                for kind in range(kinds):
                    scores[kind] += row[kind]
            found[place] = _shares(scores)
    return found


def _counts(
    of_row: Sequence[Sequence[int]], labels: Sequence[int], kinds: int, facts: int
) -> tuple[list[list[int]], list[int]]:
    counts = [[0] * kinds for _ in range(facts)]
    sizes = [0] * kinds
    for row, label in zip(of_row, labels, strict=True):
        sizes[label] += 1
        for fact in row:
            counts[fact][label] += 1
    return counts, sizes


def _weights(
    whole: tuple[list[list[int]], list[int]], held: tuple[list[list[int]], list[int]], kinds: int, facts: int
) -> tuple[list[list[float]], list[float]]:
    left = [[a - b for a, b in zip(all_, out, strict=True)] for all_, out in zip(whole[0], held[0], strict=True)]
    totals = [sum(row[kind] for row in left) + facts for kind in range(kinds)]
    logs = [math.log(total) for total in totals]
    weights = [[math.log(count + 1) - logs[kind] for kind, count in enumerate(row)] for row in left]
    sizes = [a - b + 1 for a, b in zip(whole[1], held[1], strict=True)]
    return weights, [math.log(size) for size in sizes]


def _shares(scores: list[float]) -> list[float]:
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def balanced_accuracy(found: Sequence[Sequence[float]], labels: Sequence[int], kinds: int) -> float:
    """Return the mean over labels of how often the likeliest label is the one given."""
    right, size = [0] * kinds, [0] * kinds
    for shares, label in zip(found, labels, strict=True):
        size[label] += 1
        right[label] += max(range(kinds), key=shares.__getitem__) == label
    return sum(a / b for a, b in zip(right, size, strict=True) if b) / sum(map(bool, size))
