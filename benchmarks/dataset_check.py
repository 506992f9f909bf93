"""Checks of training data: CPU per pass over a file, beside pandas reading the same bytes; and the screens' rates.

The rates are of made-up sets (ringfence.testing.screening); `make soak` holds them against what the how-to states.
"""

import io
import time
from collections.abc import Callable

import pandas as pd
from measurement import Row, timed

from ringfence.artifacts.checks import policy, running
from ringfence.testing import screening
from ringfence.testing.training import FilesInMemory, as_csv, table, texts

ROWS = 20_000
RUNS = 5


def checked(data: bytes) -> Callable[[], object]:
    """Run every check that needs no other input."""
    order = running.Order(policy.parse({"columns": {"label": "label"}}))
    return lambda: running.run(FilesInMemory({"data.csv": data}), order)


def beside(name: str, data: bytes) -> Row:
    """Measure one file."""
    ours, theirs, run = [], [], checked(data)
    for _ in range(RUNS):
        ours.append(timed(run, clock=time.process_time))
        theirs.append(timed(lambda: pd.read_csv(io.BytesIO(data)), clock=time.process_time))
    rate = ROWS / (sorted(ours)[RUNS // 2] / 1000)
    note = f"{ROWS} rows, {len(data) / 2**20:.1f} MiB, without schema and baseline: {rate:.0f} rows per CPU second"
    return Row(f"dataset check, {name}", "printed", ours, "ms CPU", "pandas.read_csv alone", theirs, note=note)


def rates() -> list[Row]:
    """Measure a few rates; each row is the CPU that it took, and its note what came out."""
    measured: dict[str, Callable[[], object]] = {
        "triggers, 30 clean sets of text": lambda: screening.trigger_found(30, 0, lambda seed: texts(1000, seed), ""),
        "triggers, 30 sets of numbers at 1 %": lambda: screening.trigger_found(
            30, 0.01, lambda seed: table(1000, seed), "3.3333"
        ),
        "drift, 50 clean comparisons": lambda: screening.drift_found(50, 0.0),
        "near duplicates, one word of some 40 changed: recall, precision, pairs": lambda: screening.near_recall(
            5, 1, 40
        ),
    }
    rows = []
    for name, work in measured.items():
        kept: list[object] = []
        spent = timed(lambda work=work, kept=kept: kept.append(work()), clock=time.process_time)  # type: ignore[misc]
        rows.append(Row(f"screen: {name}", "printed", [spent], "ms CPU", note=str(kept[0])))
    return rows


def measure() -> list[Row]:
    """Measure both."""
    made = {"numbers": as_csv(table(ROWS, 1)), "text": as_csv(texts(ROWS, 1))}
    return [*(beside(name, data) for name, data in made.items()), *rates()]
