"""Drift against a baseline: columns that came or went, and distributions that moved.

A column is reported where the move is *significant* and *large*: two-sample Kolmogorov-Smirnov for numbers and
lengths of text, chi-square for categories and for missing values, all p-values of one comparison adjusted by Holm, so
that the chance of any false report over all columns is at most `alpha`; and a population stability index (PSI) of at
least `psi` over ten bins of the baseline, since with enough rows every difference is significant.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ringfence.artifacts.checks.masking import quoted
from ringfence.artifacts.checks.model import Check, Finding, Findings, Result
from ringfence.artifacts.checks.profile import Column, Profile
from ringfence.artifacts.checks.significance import chi_square_tail, distance, holm, kolmogorov_tail

BINS = 10
_LEAST = 5.0  # expected count of a cell of the chi-square test; rarer categories are taken together
_NEW_ROWS = 5  # rows of a category that the baseline does not know, and their share, before it is reported
_NEW_SHARE = 0.005


@dataclass(frozen=True, slots=True)
class Move:
    """How far one column moved."""

    column: str
    what: str
    p: float
    psi: float


def judge(before: Profile, now: Profile, alpha: float, psi: float) -> Result:
    """Compare two profiles."""
    findings = Findings()
    for name in sorted(before.columns.keys() - now.columns.keys()):
        findings.add(Finding("drift/missing-column", f"Column {quoted(name)} of the baseline is missing", column=name))
    for name in sorted(now.columns.keys() - before.columns.keys()):
        findings.add(Finding("drift/new-column", f"Column {quoted(name)} is not in the baseline", column=name))
    moves: list[Move] = []
    for name in sorted(before.columns.keys() & now.columns.keys()):
        old, new = before.columns[name], now.columns[name]
        if old.kind != new.kind:
            text = f"Column {quoted(name)} was of kind {old.kind} and is of kind {new.kind}"
            findings.add(Finding("drift/kind", text, column=name))
            continue
        moves += _moves(name, old, new)
        _new_categories(findings, name, old, new)
    adjusted = holm([move.p for move in moves])
    moved = [(move, p) for move, p in zip(moves, adjusted, strict=True) if p < alpha and move.psi >= psi]
    for move, p in moved:
        text = f"Column {quoted(move.column)}: {move.what} moved (PSI {move.psi:.3f}, adjusted p {p:.1e})"
        findings.add(Finding("drift/distribution", text, column=move.column))
    total = findings.total
    reason = f"{total} differences from the baseline" if total else ""
    measures = {"columns": len(now.columns), "tests": len(moves), "alpha": alpha, "psi": psi, "moved": len(moved)}
    return findings.result(Check.DRIFT, reason, measures)


def _moves(name: str, old: Column, new: Column) -> list[Move]:
    found = []
    if old.missing + new.missing and old.rows and new.rows:
        counts = (
            {"yes": old.missing, "no": old.rows - old.missing},
            {"yes": new.missing, "no": new.rows - new.missing},
        )
        found.append(Move(name, "the share of missing values", *_categories(*counts)))
    if old.counts is not None and new.counts is not None:
        if old.counts and new.counts:
            found.append(Move(name, "the shares of the categories", *_categories(old.counts, new.counts)))
    elif old.points and new.points:
        what = "the distribution" if old.kind == "number" else "the lengths"
        sizes = old.rows - old.missing, new.rows - new.missing
        p = kolmogorov_tail(distance(old.points, new.points), *sizes)
        found.append(Move(name, what, p, _psi(*_binned(old.points, new.points))))
    return found


def _binned(old: Sequence[float], new: Sequence[float]) -> tuple[list[int], list[int]]:
    edges = sorted({old[place * len(old) // BINS] for place in range(1, BINS)})
    return _counts(old, edges), _counts(new, edges)


def _counts(points: Sequence[float], edges: Sequence[float]) -> list[int]:
    """Count sorted points between edges; a point on an edge has a side of its own, since values repeat."""
    places = [0]
    for edge in edges:
        places += [bisect_left(points, edge), bisect_right(points, edge)]
    places.append(len(points))
    return [after - before for before, after in pairwise(places)]


def _categories(old: Mapping[str, int], new: Mapping[str, int]) -> tuple[float, float]:
    """Return p of the chi-square test of two columns of counts, and their PSI; rare categories are one."""
    first, second = sum(old.values()), sum(new.values())
    scale = min(first, second) / (first + second)
    cells = [[0, 0], *([old.get(name, 0), new.get(name, 0)] for name in sorted(old.keys() | new.keys()))]
    kept = [cells[0]]
    for cell in cells[1:]:
        if sum(cell) * scale >= _LEAST:
            kept.append(cell)
        else:
            kept[0][0] += cell[0]
            kept[0][1] += cell[1]
    table = [cell for cell in kept if sum(cell)]
    statistic = 0.0
    for cell in table:
        for count, size in zip(cell, (first, second), strict=True):
            expected = sum(cell) * size / (first + second)
            statistic += (count - expected) ** 2 / expected
    return chi_square_tail(statistic, len(table) - 1), _psi([cell[0] for cell in table], [cell[1] for cell in table])


def _psi(old: Sequence[int], new: Sequence[int]) -> float:
    """Return the population stability index, half a row added to every bin so that an empty one is not infinite."""
    bins = [(a, b) for a, b in zip(old, new, strict=True) if a or b]
    first, second = sum(old) + len(bins) / 2, sum(new) + len(bins) / 2
    shares = [((a + 0.5) / first, (b + 0.5) / second) for a, b in bins]
    return sum((b - a) * math.log(b / a) for a, b in shares)


def _new_categories(findings: Findings, name: str, old: Column, new: Column) -> None:
    if old.counts is None or new.counts is None:
        return
    least = max(_NEW_ROWS, _NEW_SHARE * new.rows)
    fresh = [count for category, count in new.counts.items() if category not in old.counts and count >= least]
    if fresh:
        text = (
            f"Column {quoted(name)} has {len(fresh)} categories that the baseline does not know, in {sum(fresh)} rows"
        )
        findings.add(Finding("drift/new-category", text, column=name))
