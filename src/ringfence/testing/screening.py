"""How often the screens of training data are right: on clean made-up sets, and on sets with faults at a known dose.

The soak test holds these rates against the bounds that docs/how-to/check-data.md states; the benchmark prints them.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ringfence.artifacts.checks import drift, features, labels, outliers, triggers
from ringfence.artifacts.checks.columns import Roles
from ringfence.artifacts.checks.likeness import Likeness
from ringfence.artifacts.checks.model import Outcome, Result, Row
from ringfence.artifacts.checks.profile import take
from ringfence.artifacts.checks.sampling import Numbers
from ringfence.artifacts.checks.shingles import jaccard, triples
from ringfence.testing.training import flipped, reworded, table, texts, triggered

Made = list[dict[str, object]]
ROLES = Roles(label="label", text="text", identifiers=frozenset({"id"}))
NUMBERS = replace(ROLES, text="")
SIMILAR = 0.8


def rows_of(made: Made) -> list[Row]:
    """Return made-up rows as the checks see them."""
    return [Row("made", number, "", cells) for number, cells in enumerate(made)]  # type: ignore[arg-type]


def share(values: Iterable[bool]) -> float:
    """Return the share of what holds."""
    found = list(values)
    return sum(found) / len(found)


def _labels(made: Made, roles: Roles) -> set[int]:
    rows = rows_of(made)
    big = labels.judge(features.gather(rows, roles), roles, 1.0, 1)
    assert big.outcome is Outcome.PASSED, big.reason
    return _all_rows(big)


def _all_rows(result: Result) -> set[int]:
    assert result.total == len(result.findings), "more findings than are kept: make the set smaller"
    return {finding.row for finding in result.findings if finding.row is not None}


def label_noise(runs: int, dose: float, make: Callable[[int], Made], roles: Roles) -> tuple[float, float]:
    """Return the share of planted flips that are flagged, and the share of the other rows that are."""
    found = kept = wrong = right = 0
    for seed in range(runs):
        made = make(seed)
        planted = flipped(made, dose, seed + 1000)
        flagged = _labels(made, roles)
        found, kept = found + len(flagged & planted), kept + len(planted)
        wrong, right = wrong + len(flagged - planted), right + len(made) - len(planted)
    return (found / kept if kept else 0.0), wrong / right


def trigger_found(runs: int, dose: float, make: Callable[[int], Made], trigger: str, *, dirty: bool = True) -> float:
    """Return in which share of sets a planted trigger is found; with a dose of 0, in which share anything is."""
    found = []
    for seed in range(runs):
        made = make(seed)
        if dose:
            triggered(made, dose, seed + 2000, trigger, dirty=dirty)
        roles = ROLES if "text" in made[0] else NUMBERS
        result = triggers.judge(features.gather(rows_of(made), roles), 0.01, 1)
        named = [finding for finding in result.findings if trigger.partition(" ")[0] in finding.text]
        found.append(bool(named if dose else result.findings))
    return share(found)


def drift_found(runs: int, shift: float, size: int = 2000) -> float:
    """Return in which share of comparisons anything moved, where one of seven columns is shifted."""
    found = []
    for seed in range(runs):
        pair = [table(size, 2 * seed), table(size, 2 * seed + 1)]
        for row in pair[1]:
            row["x0"] = float(str(row["x0"])) + shift
        before, now = (take(rows_of(made), size, frozenset({"id"})) for made in pair)
        found.append(drift.judge(before, now, 0.01, 0.1).outcome is Outcome.FAILED)
    return share(found)


def near_recall(runs: int, changed: int, words: int) -> tuple[float, float, int]:
    """Return the share of similar pairs that are found, the share of found pairs that are similar, and how many."""
    found = similar = true = reported = 0
    for seed in range(runs):
        made = texts(400, seed, words=words)
        size = len(made)
        copies = sorted(reworded(made, 0.25, seed, changed))
        likeness = Likeness(ROLES, 1, SIMILAR)
        rows = rows_of(made)
        for row in rows:
            likeness.see(row)
        likeness.candidates()
        for place, row in enumerate(rows):
            likeness.see_again(place, row)
        pairs = {(pair.first, pair.second) for pair in likeness.near()}
        sets = [triples(ROLES.text_of(row)) for row in rows]
        wanted = {(a, b) for b in copies for a in range(size) if SIMILAR <= jaccard(sets[a], sets[b]) < 1}
        found, similar = found + len(pairs & wanted), similar + len(wanted)
        true, reported = true + sum(jaccard(sets[a], sets[b]) >= SIMILAR for a, b in pairs), reported + len(pairs)
    return (found / similar if similar else 1.0), (true / reported if reported else 1.0), similar


def _shaped(count: int, seed: int, shape: Callable[[Numbers], float]) -> Made:
    numbers = Numbers(seed)
    return [{"id": place, **{f"x{column}": shape(numbers) for column in range(5)}} for place in range(count)]


SHAPES: Mapping[str, Callable[[Numbers], float]] = {
    "normal": lambda numbers: numbers.normal(),
    "uniform": lambda numbers: numbers.unit(),
    "exponential": lambda numbers: -math.log(1 - numbers.unit()),
    "log-normal": lambda numbers: math.exp(numbers.normal()),
    "student-3": lambda numbers: numbers.normal() / (sum(numbers.normal() ** 2 for _ in range(3)) / 3) ** 0.5,
}


def outliers_wrong(runs: int, shape: str, size: int = 1000) -> float:
    """Return the share of rows of clean sets that are flagged."""
    wrong = 0
    for seed in range(runs):
        rows = rows_of(_shaped(size, seed, SHAPES[shape]))
        wrong += outliers.judge(rows, Roles(identifiers=frozenset({"id"})), 8.0, 1.0, 1).total
    return wrong / (runs * size)


def outliers_found(runs: int, distance: float, size: int = 1000) -> float:
    """Return the share of ten planted rows that are found, each in one column so many deviations away."""
    found = 0
    for seed in range(runs):
        made = _shaped(size, seed, SHAPES["normal"])
        for place in range(0, size, size // 10):
            made[place]["x2"] = distance
        planted = set(range(0, size, size // 10))
        result = outliers.judge(rows_of(made), Roles(identifiers=frozenset({"id"})), 8.0, 1.0, 1)
        found += len(_all_rows(result) & planted)
    return found / (10 * runs)
