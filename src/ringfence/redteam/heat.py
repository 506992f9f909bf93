"""The heat map: families by runs, each cell a bound with its interval, never a bare share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.kernel.evidence import Logged
from ringfence.redteam.model import PPM
from ringfence.redteam.statistics import percent

COLUMNS = 12  # runs side by side, the newest
WIDTH = 64  # of a whisker, in its own units
MARKS = {"pass": "satisfied", "fail": "not-satisfied", "inconclusive": "pending"}
_STEPS = (10_000, 50_000, 200_000, 500_000)  # upper bounds at which the shade changes


@dataclass(frozen=True, slots=True)
class Cell:
    """One family in one run."""

    mark: str
    word: str
    bound: str
    note: str
    shade: int
    low: float  # of the whisker, from 0 to WIDTH
    high: float
    rate: float | None


@dataclass(frozen=True, slots=True)
class Column:
    """One run."""

    logged: Logged
    claims: Mapping[str, Any]
    mark: str


@dataclass(frozen=True, slots=True)
class Map:
    """Everything that the page draws."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]


def drawn(runs: Sequence[Logged]) -> Map:
    """Return the map of the newest runs; a family that a run did not try has no cell there."""
    columns = tuple(_column(logged) for logged in runs[:COLUMNS])
    tried = [{each["family"]: each for each in column.claims["families"]} for column in columns]
    families = sorted({family for found in tried for family in found})
    rows = tuple(
        (family, tuple(cell(found[family]) if family in found else None for found in tried)) for family in families
    )
    return Map(columns, rows)


def _column(logged: Logged) -> Column:
    claims = logged.envelope.statement.claims
    return Column(logged, claims, MARKS[claims["verdict"]])


def cell(found: Mapping[str, Any]) -> Cell:
    """Return how one family of one run is shown."""
    upper, lower, rate = found["upperPpm"], found["lowerPpm"], found.get("asrPpm")
    valid = f"{found['valid']} of {found['planned']} valid, {found['label']}"
    if found["verdict"] == "fail":
        bound = f"ASR \u2265 {percent(lower)}"
    else:
        bound = f"ASR \u2264 {percent(upper)}" if found["cases"] else "no bound"
    return Cell(
        mark=MARKS[found["verdict"]],
        word=found["verdict"],
        bound=bound,
        note=f"95 %, n={found['cases']}; {valid}",
        shade=-1 if found["verdict"] == "inconclusive" else sum(upper > step for step in _STEPS),
        low=round(lower / PPM * WIDTH, 1),
        high=round(upper / PPM * WIDTH, 1),
        rate=None if rate is None else round(rate / PPM * WIDTH, 1),
    )
