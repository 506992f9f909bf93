"""Measure the status: from scratch over many statements, and again after one more. Prints; asserts nothing."""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator

from ringfence.kernel.statement import KeyRole, Strength
from ringfence.obligations import board, catalog, sheet
from ringfence.obligations.reading import package_file
from ringfence.obligations.records import Records
from ringfence.testing.obligations import Story

SAMPLES = json.loads(package_file("samples/statements.json"))
OFTEN = ("log.heartbeat", "log.chain_verified", "dataset.verified", "access.register", "key.lifecycle")


def told(count: int, datasets: int) -> Story:
    """Tell a long story: every dataset sealed, documented and verified, then the statements that recur."""
    story = Story()
    for predicate in SAMPLES:
        for number in range(datasets if predicate.startswith("dataset.") else 1):
            state(story, predicate, number)
    for number in range(count - len(story.statements)):
        state(story, OFTEN[number % len(OFTEN)], number % datasets)
    return story


def state(story: Story, predicate: str, number: int) -> None:
    """Log one sample statement about the thing with this number."""
    sample = SAMPLES[predicate]
    subject = f"dataset/{number}" if predicate.startswith("dataset.") else sample["subject"]
    strength, role = Strength.parse(sample["strength"]), KeyRole(sample["role"])
    story.add(predicate, sample["claims"], subject=subject, role=role, strength=strength)


def timed(act: Callable[[], object]) -> float:
    """Return how many milliseconds of CPU an act took."""
    start = time.process_time_ns()
    act()
    return (time.process_time_ns() - start) / 1e6


def line(name: str, values: list[float]) -> str:
    """Print n, p50, p95 and max of some times."""
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    figures = f"{statistics.median(ordered):9.2f} {p95:9.2f} {ordered[-1]:9.2f}"
    return f"{name:<56} {len(ordered):>5} {figures}"


def rows(count: int, datasets: int, repeats: int) -> Iterator[str]:
    """Measure one size."""
    rules = catalog.load()
    story = told(count, datasets)
    scope = f"{count:,} statements, {datasets:,} datasets"
    scratch = [
        timed(lambda: board.compute(rules, Records.of(story.tenant, story.statements), story.now)) for _ in range(5)
    ]
    yield line(f"from scratch, {scope}", scratch)
    records = Records.of(story.tenant, story.statements)
    found = board.compute(rules, records, story.now)
    again, written = [], []
    for number in range(repeats):
        state(story, OFTEN[number % len(OFTEN)], number % datasets)
        start = time.process_time_ns()
        grown = records.extended(story.statements[-1:])
        found = board.compute(rules, grown, story.now, (records, found))
        again.append((time.process_time_ns() - start) / 1e6)
        records = grown
        start = time.process_time_ns()
        sheet.document(found)
        written.append((time.process_time_ns() - start) / 1e6)
    yield line(f"after one more, {scope}", again)
    yield line(f"as a document, {scope}", written)


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("-n", type=int, default=100_000, help="statements")
    arguments.add_argument("--repeats", type=int, default=200)
    given = arguments.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}; milliseconds of CPU")
    print(f"{'':<56} {'n':>5} {'p50':>9} {'p95':>9} {'max':>9}")
    print(line("loading the catalogue", [timed(catalog.load.__wrapped__)]))  # type: ignore[attr-defined]
    for datasets in (10, 100, 1000):
        for row in rows(given.n, datasets, given.repeats):
            print(row, flush=True)


if __name__ == "__main__":
    main()
