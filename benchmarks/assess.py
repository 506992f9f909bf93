"""The status: from scratch over many statements, and again after one more."""

import json
import time
from collections.abc import Callable

from measurement import Row, timed

from ringfence.kernel.statement import KeyRole, Strength
from ringfence.obligations import board, catalog
from ringfence.obligations.reading import package_file
from ringfence.obligations.records import Records
from ringfence.testing.obligations import Story

SAMPLES = json.loads(package_file("samples/statements.json"))
STATEMENTS = 100_000
REPEATS = 200
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


def sized(count: int, datasets: int) -> list[Row]:
    """Measure one size: from scratch, and again after each of many statements."""
    rules = catalog.load()
    story = told(count, datasets)
    what = f"{count:,} statements, {datasets:,} datasets"
    scratch = [
        cpu(lambda: board.compute(rules, Records.of(story.tenant, story.statements), story.now)) for _ in range(5)
    ]
    records = Records.of(story.tenant, story.statements)
    found = board.compute(rules, records, story.now)
    again = []
    for number in range(REPEATS):
        state(story, OFTEN[number % len(OFTEN)], number % datasets)
        start = time.process_time()
        newer = records.extended(story.statements[-1:])
        found = board.compute(rules, newer, story.now, (records, found))
        records = newer
        again.append((time.process_time() - start) * 1000)
    return [
        Row(f"assess from scratch, {what}", "< 5 s", scratch, "ms CPU", limit=5000.0, note="envelopes parsed before"),
        Row(f"assess after one statement, {what}", "<= 5 ms", again, "ms CPU", limit=5.0),
    ]


def cpu(act: Callable[[], object]) -> float:
    """Return how many milliseconds of CPU an act took."""
    return timed(act, clock=time.process_time)


def measure() -> list[Row]:
    """Measure the status of a small and of a large tenant."""
    return [row for datasets in (10, 1000) for row in sized(STATEMENTS, datasets)]
