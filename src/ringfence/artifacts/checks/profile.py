"""What the columns of a dataset look like in numbers: taken from a sample, kept as a baseline, compared later.

A baseline holds no text of a cell: categories are kept as the first 64 bits of their SHA-256, which hides them from
a glance and not from somebody who guesses.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.artifacts.checks.columns import numeric
from ringfence.artifacts.checks.limits import MAX_COLUMNS
from ringfence.artifacts.checks.model import Row, Value
from ringfence.kernel.errors import MalformedInput

FORMAT = "ringfence-dataset-baseline/1"
POINTS = 1000  # of a distribution that a baseline keeps
MAX_KINDS = 200  # a column with more different values is text, and its lengths are compared
MAX_BASELINE = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a sample: numbers as sorted points, categories as counts, text as sorted lengths."""

    kind: str  # number, category, text
    rows: int
    missing: int
    points: tuple[float, ...] = ()
    counts: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """Every column of a sample."""

    rows: int  # of the whole dataset
    columns: Mapping[str, Column]


def take(rows: Sequence[Row], total: int, left_out: frozenset[str]) -> Profile:
    """Describe a sample."""
    numbers = numeric(rows, left_out)
    names = sorted({name for row in rows for name in row.cells} - left_out)
    return Profile(total, {name: _column([row.cells.get(name) for row in rows], numbers.get(name)) for name in names})


def _column(values: Sequence[Value], numbers: Sequence[float | None] | None) -> Column:
    present = [value for value in values if value is not None]
    missing = len(values) - len(present)
    if numbers is not None and len(set(numbers)) > 2:
        return Column("number", len(values), missing, thinned(sorted(n for n in numbers if n is not None)))
    counts = Counter(str(value) for value in present)
    if len(counts) <= MAX_KINDS and len(counts) <= max(2, len(present) // 2):
        return Column("category", len(values), missing, counts={coded(name): count for name, count in counts.items()})
    return Column("text", len(values), missing, thinned(sorted(float(len(str(value))) for value in present)))


def coded(category: str) -> str:
    """Return how a baseline names a category."""
    return hashlib.sha256(category.encode("utf-8", "replace")).hexdigest()[:16]


def thinned(points: Sequence[float]) -> tuple[float, ...]:
    """Return at most `POINTS` evenly spaced points of a sorted sample."""
    if len(points) <= POINTS:
        return tuple(points)
    return tuple(points[(2 * place + 1) * len(points) // (2 * POINTS)] for place in range(POINTS))


def printed(profile: Profile) -> bytes:
    """Print a baseline."""
    columns = {
        name: {"kind": column.kind, "rows": column.rows, "missing": column.missing}
        | ({"counts": dict(sorted(column.counts.items()))} if column.counts is not None else {"points": column.points})
        for name, column in profile.columns.items()
    }
    document = {"format": FORMAT, "rows": profile.rows, "columns": columns}
    return json.dumps(document, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n"


def parse(data: bytes, source: str = "") -> Profile:
    """Read a baseline back; raise `MalformedInput`."""
    try:
        document = json.loads(data, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise MalformedInput("the baseline is not JSON", source=source) from error
    match document:
        case {"format": str() as form, "rows": int() as rows, "columns": dict() as columns, **rest} if (
            form == FORMAT and not rest and rows >= 0 and len(columns) <= MAX_COLUMNS
        ):
            return Profile(rows, {name: _parsed(name, column, source) for name, column in columns.items()})
        case _:
            raise MalformedInput(f"the file is no baseline of format {FORMAT}", source=source)


def _parsed(name: str, column: Any, source: str) -> Column:
    match column:
        case {"kind": "category", "rows": int() as rows, "missing": int() as missing, "counts": dict() as counts} if (
            0 <= missing <= rows and all(type(count) is int and count > 0 for count in counts.values())
        ):
            return Column("category", rows, missing, counts=counts)
        case {
            "kind": "number" | "text" as kind,
            "rows": int() as rows,
            "missing": int() as missing,
            "points": list() as points,
        } if 0 <= missing <= rows and len(points) <= POINTS and all(type(p) in (int, float) for p in points):
            return Column(kind, rows, missing, tuple(sorted(map(float, points))))
        case _:
            raise MalformedInput(f"column {name[:80]!r} of the baseline is not one", source=source)
