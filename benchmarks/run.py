"""Run every benchmark beside this file and print ratios: `make bench`, or `run.py [--write] [NAME …]`.

A benchmark is a module with `measure() -> list[Row]`. Nothing is asserted here: a shared machine proves no time.
"""

import argparse
import importlib
import os
import platform
import sys
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from measurement import Row, quantile

HERE = Path(__file__).parent
PAGES = HERE.parent / "docs" / "measurements"
NOT_BENCHMARKS = {"run", "measurement", "relay"}
HEADINGS = ("what", "ratio", "target", "", "ours p50", "p95", "max", "n", "beside", "p50", "p95", "max", "n")


def names() -> list[str]:
    """Return every benchmark."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_BENCHMARKS)


def figures(values: Iterable[float]) -> tuple[str, ...]:
    """Print a series: p50, p95, max, n."""
    found = list(values)
    if not found:
        return ("", "", "", "")
    return (*(f"{quantile(found, share):.3g}" for share in (0.5, 0.95, 1.0)), str(len(found)))


def cells(row: Row) -> tuple[str, ...]:
    """Return a row of the table."""
    verdict = {True: "holds", False: "MISSED", None: ""}[row.holds]
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    return (f"{row.what} ({row.unit})", ratio, row.target, verdict, *figures(row.ours), row.peer, *figures(row.theirs))


def table(rows: list[Row]) -> str:
    """Return a Markdown table that also reads well in a terminal."""
    lines = [HEADINGS, *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    printed = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    printed.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    notes = [f"- {row.what}: {row.note}" for row in rows if row.note]
    return "\n".join([*printed, *([""] if notes else []), *notes])


def machine() -> str:
    """Say what the numbers were measured on."""
    model = next(
        (line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.machine()
    )
    return f"{model}, {os.cpu_count()} cores (shared), Python {platform.python_version()}, {platform.system()}"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def write(text: str, day: str) -> Path:
    """Write a dated page."""
    page = PAGES / f"{day}.md"
    page.write_text(
        f"# {day}\n\n{machine()}. The ratio is our rate as a share of the peer's: above 1 we are faster.\n\n{text}\n",
        encoding="utf-8",
    )
    return page


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help="only these benchmarks")
    parser.add_argument("--write", action="store_true", help="also write docs/measurements/<date>.md")
    options = parser.parse_args()
    rows: list[Row] = []
    failed: list[str] = []
    for name in options.name or names():
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        try:
            rows += importlib.import_module(name).measure()
        except Exception:  # noqa: BLE001 - the others are worth their time
            traceback.print_exc()
            failed.append(name)
    print(f"{machine()}\n\n{table(rows)}")
    if options.write:
        print(f"\nwritten: {write(table(rows), datetime.now(UTC).date().isoformat())}")  # noqa: TID251 -- no decision
    if failed:
        sys.exit(f"not measured, see above: {', '.join(failed)}")


if __name__ == "__main__":
    main()
