"""Outliers among numbers, robustly: by column, by projections of all columns, and inside each label.

- *Column*: distance from the median in units of the median absolute deviation (MAD) of the same side.
- *Projection*: the same along random directions through all columns (Stahel 1981, Donoho 1982).
- *Spectral*: the same along the direction in which the rows of one label vary most (Tran, Li, Madry 2018): rows that
  share a backdoor stand together there, away from the rest of their label.
"""

import math
from collections.abc import Iterator, Sequence

from ringfence.artifacts.checks.columns import Roles, numeric
from ringfence.artifacts.checks.masking import quoted
from ringfence.artifacts.checks.model import Check, Finding, Findings, Result, Row, not_run
from ringfence.artifacts.checks.neighbours import scaled
from ringfence.artifacts.checks.sampling import Numbers

DIRECTIONS = 32
MAX_COLUMNS = 32
_LEAST_ROWS = 30
_LEAST_KINDS = 10  # different values below which a column is a scale of few steps and not a measurement
_NORMAL = 1.4826  # MAD of a normal distribution is its standard deviation by this
_STEPS = 20


def measured(rows: Sequence[Row], roles: Roles) -> dict[str, list[float | None]]:
    """Return the columns of numbers that are measurements, and no scales of few steps."""
    return {
        name: values
        for name, values in numeric(rows, roles.features()).items()
        if len({value for value in values if value is not None}) > _LEAST_KINDS
    }


def outlying(rows: Sequence[Row], roles: Roles, z: float, seed: int) -> tuple[dict[int, Finding], int] | str:
    """Return the rows that lie far outside, by their place, and how many columns were looked at.

    Where nothing can be told, return a sentence that says why.
    """
    columns = measured(rows, roles)
    if not columns or len(rows) < _LEAST_ROWS:
        return f"there is no column of numbers with {_LEAST_ROWS} rows and {_LEAST_KINDS} values"
    found: dict[int, Finding] = {}
    for name, values in columns.items():
        for place, distance in far(values, z):
            found.setdefault(place, _finding("column", f"Column {quoted(name)} lies", distance, rows[place], name))
    points = scaled(list(columns.values())[:MAX_COLUMNS])
    if len(points[0]) > 1:
        for place, distance in _projected(points, z, seed):
            found.setdefault(place, _finding("projection", "The numbers together lie", distance, rows[place]))
        for place, distance in _spectral(points, [str(roles.label_of(row)) for row in rows], z, seed):
            found.setdefault(place, _finding("spectral", "Within its label the row lies", distance, rows[place]))
    return found, len(columns)


def judge(rows: Sequence[Row], roles: Roles, z: float, share: float, seed: int) -> Result:
    """Return the rows that lie far outside; `z` in robust standard deviations."""
    told = outlying(rows, roles, z, seed)
    if isinstance(told, str):
        return not_run(Check.OUTLIERS, told)
    found, columns = told
    findings = Findings()
    for place in sorted(found):
        findings.add(found[place])
    part = findings.total / len(rows)
    reason = f"a share of {part:.4f} of the rows lies far outside, allowed {share:g}" if part > share else ""
    return findings.result(
        Check.OUTLIERS, reason, {"screened": len(rows), "flagged": findings.total, "columns": columns, "z": z}
    )


def _finding(kind: str, what: str, distance: float, row: Row, column: str = "") -> Finding:
    shown = "999 or more" if distance >= 999 else f"{distance:.1f}"
    return Finding(f"outliers/{kind}", f"{what} {shown} robust deviations away", row.file, row.number, column)


def far(values: Sequence[float | None], z: float) -> Iterator[tuple[int, float]]:
    """Yield the places of values beyond `z`, with their distance; none where half of the values are equal."""
    points = sorted(value for value in values if value is not None)
    if not points:
        return
    middle = points[len(points) // 2]
    below, above = spread(points, middle, above=False), spread(points, middle, above=True)
    for place, value in enumerate(values):
        if value is None or value == middle:
            continue
        scale = below if value < middle else above
        if scale and abs(value - middle) > z * scale:
            yield place, abs(value - middle) / scale


def spread(points: Sequence[float], middle: float, *, above: bool) -> float:
    """Return the median absolute deviation of one side, scaled so that it is a normal distribution's deviation."""
    if above:
        return _scale([value - middle for value in points if value >= middle])
    return _scale([middle - value for value in points if value <= middle])


def _scale(distances: list[float]) -> float:
    return _NORMAL * sorted(distances)[len(distances) // 2] if distances else 0.0


def _projected(points: Sequence[Sequence[float]], z: float, seed: int) -> Iterator[tuple[int, float]]:
    numbers, size = Numbers(seed), len(points[0])
    for _ in range(DIRECTIONS):
        yield from far(_along(points, _unit([numbers.normal() for _ in range(size)])), z)


def _spectral(
    points: Sequence[Sequence[float]], labels: Sequence[str], z: float, seed: int
) -> Iterator[tuple[int, float]]:
    for label in sorted(set(labels)):
        places = [place for place, other in enumerate(labels) if other == label]
        if len(places) < _LEAST_ROWS:
            continue
        inside = [points[place] for place in places]
        means = [sum(column) / len(inside) for column in zip(*inside, strict=True)]
        centred = [tuple(a - b for a, b in zip(point, means, strict=True)) for point in inside]
        for place, distance in far(_along(centred, _widest(centred, seed)), z):
            yield places[place], distance


def _widest(points: Sequence[Sequence[float]], seed: int) -> list[float]:
    """Return the first principal direction by power iteration on the covariance."""
    size, numbers = len(points[0]), Numbers(seed)
    columns = list(zip(*points, strict=True))
    covariance = [[sum(a * b for a, b in zip(one, other, strict=True)) for other in columns] for one in columns]
    direction = _unit([numbers.normal() for _ in range(size)])
    for _ in range(_STEPS):
        following = [sum(a * b for a, b in zip(row, direction, strict=True)) for row in covariance]
        if not any(following):
            break
        direction = _unit(following)
    return direction


def _unit(vector: list[float]) -> list[float]:
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


def _along(points: Sequence[Sequence[float]], direction: Sequence[float]) -> list[float | None]:
    return [sum(a * b for a, b in zip(point, direction, strict=True)) for point in points]
