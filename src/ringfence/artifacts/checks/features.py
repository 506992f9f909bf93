"""What a row shows, as a set of small facts: words, pairs of words, values, and the tenth in which a number lies."""

import re
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

from ringfence.artifacts.checks.cells import number_of
from ringfence.artifacts.checks.columns import Roles, numeric
from ringfence.artifacts.checks.model import Row

MAX_TOKENS = 400  # of one text
MAX_LABELS = 50
WIDEST = 100  # characters of a value; what is longer is looked at in the column of text only
LEAST_ROWS = 5  # in which a fact must be seen to be looked at
_TOKEN = re.compile(r"\w+|[^\w\s]+")
_SLOTS = 2**22
_BINS = 10


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: its column, what it says, and whether it is broad enough to stand for the row's meaning."""

    column: str
    text: str
    broad: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """The rows of a sample that have a label, as numbers of facts."""

    rows: Sequence[Row]
    labels: Sequence[int]
    names: Sequence[str]
    facts: Sequence[Fact]
    of_row: Sequence[Sequence[int]]
    counts: Sequence[int]


def gather(rows: Sequence[Row], roles: Roles, most: int = MAX_TOKENS) -> Facts | str:
    """Return the facts of labelled rows, or a sentence that says why labels cannot be judged.

    Of a text the first `most` words and marks are looked at.
    """
    if not roles.label:
        return "no column was named as the label: --label COLUMN"
    labelled = [row for row in rows if row.cells.get(roles.label) is not None]
    counted = Counter(str(row.cells[roles.label]) for row in labelled)
    names = sorted(name for name, count in counted.items() if count >= LEAST_ROWS)
    if not 2 <= len(names) <= MAX_LABELS:
        return f"the label has {len(names)} values of {LEAST_ROWS} rows or more; 2 to {MAX_LABELS} can be judged"
    place = {name: number for number, name in enumerate(names)}
    kept = [row for row in labelled if str(row.cells[roles.label]) in place]
    edges = _edges(kept, roles)
    often = _often(kept, roles, edges, most)
    known: dict[tuple[str, str], int] = {}
    facts: list[Fact] = []
    of_row: list[list[int]] = []
    counts: list[int] = []
    for row in kept:
        numbers = []
        for fact in _facts(row, roles, edges, most):
            key = (fact.column, fact.text)
            if often[_slot(key)] < LEAST_ROWS:
                continue
            number = known.setdefault(key, len(facts))
            if number == len(facts):
                facts.append(fact)
                counts.append(0)
            counts[number] += 1
            numbers.append(number)
        of_row.append(numbers)
    return Facts(kept, [place[str(row.cells[roles.label])] for row in kept], names, facts, of_row, counts)


def _often(rows: Sequence[Row], roles: Roles, edges: Mapping[str, list[float]], most: int) -> "array[int]":
    """Count facts by hash, so that the many that occur once never take memory as text."""
    counts = array("I", bytes(4 * _SLOTS))
    for row in rows:
        for fact in _facts(row, roles, edges, most):
            counts[_slot((fact.column, fact.text))] += 1
    return counts


def _slot(key: tuple[str, str]) -> int:
    return crc32("\x1f".join(key).encode("utf-8", "replace")) % _SLOTS


def _edges(rows: Sequence[Row], roles: Roles) -> dict[str, list[float]]:
    edges = {}
    for name, values in numeric(rows, roles.features()).items():
        points = sorted(value for value in values if value is not None)
        edges[name] = sorted({points[place * len(points) // _BINS] for place in range(1, _BINS)})
    return edges


def _facts(row: Row, roles: Roles, edges: Mapping[str, list[float]], most: int) -> Iterator[Fact]:
    left = roles.features()
    for name, value in row.cells.items():
        if value is None or name in left:
            continue
        number = number_of(value) if name in edges else None
        if number is not None:
            yield Fact(name, f"tenth {bisect_right(edges[name], number)}", broad=True)
            yield Fact(name, f"is {number!r}", broad=False)
        elif len(str(value)) <= WIDEST:
            yield Fact(name, f"is {value}", broad=True)
    text = roles.text_of(row).lower()
    if text:
        tokens = _TOKEN.findall(text)[:most]
        for token in dict.fromkeys(tokens):
            yield Fact(roles.text, token, broad=True)
        for first, second in dict.fromkeys(pairwise(tokens)):
            yield Fact(roles.text, f"{first} {second}", broad=False)
