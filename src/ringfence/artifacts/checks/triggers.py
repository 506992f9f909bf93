"""Triggers of backdoors: rare words, pairs of words or values that go with one label against what the row else says.

A word such as "awful" goes with one label too, and the other words of its rows agree. A trigger in rows whose label was
changed does not: by everything else, most of them belong to another label. So for each rare fact that goes with one
label, its rows are counted in which the *common* facts alone, by a model that has not seen the row, say another label.
The exact binomial tail of that count is taken at the rate at which this happens among all rows of the label, and the
family is adjusted by Benjamini and Yekutieli.

A trigger that was added without changing any label contradicts nothing, and is not found.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ringfence.artifacts.checks import bayes
from ringfence.artifacts.checks.credentials import looks_secret
from ringfence.artifacts.checks.features import LEAST_ROWS, Facts
from ringfence.artifacts.checks.masking import masked, quoted
from ringfence.artifacts.checks.model import Check, Finding, Findings, Result, not_run
from ringfence.artifacts.checks.personal import looks_personal
from ringfence.artifacts.checks.significance import benjamini_yekutieli, binomial_tail

RARE = 0.10  # of the rows: what is more frequent is no trigger that hides
PURE = 0.90  # share of one label among the rows of a fact before it is tested
_EVIDENCE = 0.02  # share of rows from which on a fact says what rows mean
_EXCESS = 0.2  # by which the share of contradicted rows must exceed the usual one
_CAUTION = 0.02  # added to the usual rate, which is itself an estimate
_ROWS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Lock:
    """A fact that goes with a label."""

    fact: int
    label: int
    rows: tuple[int, ...]
    hits: int
    contradicted: int
    usual: float
    p: float


def judge(facts: Facts | str, rate: float, seed: int) -> Result:
    """Return the facts that look like triggers; `rate` bounds the expected share of false ones among them."""
    if isinstance(facts, str):
        return not_run(Check.TRIGGERS, facts)
    found, rare, tested = locked(facts, rate, seed)
    findings, rows = Findings(), {place for lock in found for place in lock.rows}
    groups: defaultdict[tuple[int, ...], list[Lock]] = defaultdict(list)
    for lock in sorted(found, key=lambda lock: lock.p):
        groups[lock.rows].append(lock)
    for same in groups.values():
        findings.add(_finding(facts, same))
    reason = f"{findings.total} facts look like triggers, in {len(rows)} rows" if found else ""
    measures = {"screened": len(facts.labels), "rare": rare, "tested": tested, "flagged": len(rows), "rate": rate}
    return findings.result(Check.TRIGGERS, reason, measures)


def locked(facts: Facts, rate: float, seed: int) -> tuple[list[Lock], int, int]:
    """Return the facts that look like triggers; how many were rare, and how many of these were tested."""
    rare = [n for n, count in enumerate(facts.counts) if LEAST_ROWS <= count <= RARE * len(facts.labels)]
    locks, tested = _locks(facts, rare, seed)
    adjusted = benjamini_yekutieli([lock.p for lock in locks], tested=tested)
    return [lock for lock, q in zip(locks, adjusted, strict=True) if q < rate], len(rare), tested


def _locks(facts: Facts, rare: Sequence[int], seed: int) -> tuple[list[Lock], int]:
    """Return the facts whose rows are contradicted more often than usual, and how many were tested."""
    rows = _rows_of(facts, set(rare))
    pure = _pure(facts, rows)
    least = _EVIDENCE * len(facts.labels)
    evidence = {n for n, fact in enumerate(facts.facts) if fact.broad and facts.counts[n] >= least and n not in pure}
    of_row = [[fact for fact in row if fact in evidence] for row in facts.of_row]
    said = bayes.out_of_fold(of_row, facts.labels, len(facts.names), len(facts.facts), seed)
    against = [shares.index(max(shares)) != label for shares, label in zip(said, facts.labels, strict=True)]
    usual = _usual(facts, against)
    locks = []
    for fact, (label, hits) in pure.items():
        count = sum(against[place] for place in rows[fact] if facts.labels[place] == label)
        if count >= (usual[label] + _EXCESS) * hits:
            p = binomial_tail(count, hits, usual[label])
            locks.append(Lock(fact, label, tuple(rows[fact]), hits, count, usual[label], p))
    return locks, len(pure)


def _usual(facts: Facts, against: Sequence[bool]) -> list[float]:
    """Return how often rows of each label are contradicted by their common facts."""
    size, count = [1] * len(facts.names), [0] * len(facts.names)
    for label, contradicted in zip(facts.labels, against, strict=True):
        size[label] += 1
        count[label] += contradicted
    return [min(1.0, part / whole + _CAUTION) for part, whole in zip(count, size, strict=True)]


def _rows_of(facts: Facts, wanted: set[int]) -> dict[int, list[int]]:
    rows: defaultdict[int, list[int]] = defaultdict(list)
    for place, row in enumerate(facts.of_row):
        for fact in row:
            if fact in wanted:
                rows[fact].append(place)
    return rows


def _pure(facts: Facts, rows: Mapping[int, list[int]]) -> dict[int, tuple[int, int]]:
    """Return the facts whose rows have nearly all one label: that label, and in how many of them."""
    pure = {}
    for fact, places in rows.items():
        label, count = Counter(facts.labels[place] for place in places).most_common(1)[0]
        if count >= PURE * len(places):
            pure[fact] = (label, count)
    return pure


def _finding(facts: Facts, same: Sequence[Lock]) -> Finding:
    lock = same[0]
    fact = facts.facts[lock.fact]
    others = f" (and {len(same) - 1} more in the same rows)" if len(same) > 1 else ""
    first = [facts.rows[place] for place in lock.rows[:_ROWS_SHOWN]]
    text = (
        f"The rare fact {_shown(fact.text)}{others} goes with the label {masked(facts.names[lock.label])} "
        f"in {lock.hits} of {len(lock.rows)} rows, and the rest of {lock.contradicted} of them says another label "
        f"(usual: {lock.usual:.2f}); first in rows {', '.join(str(row.number) for row in first)}"
    )
    return Finding("triggers/lock", text, first[0].file, first[0].number, fact.column)


def _shown(text: str) -> str:
    """Show a fact, which stands in several rows, unless it looks like somebody's or like a secret."""
    return masked(text) if looks_personal(text) or looks_secret(text) else quoted(text)
