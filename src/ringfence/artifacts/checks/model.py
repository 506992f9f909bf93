"""What is checked, and what a check says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

Value = str | int | float | bool | None
MAX_KEPT = 100  # findings that one check keeps; all are counted


class Check(StrEnum):
    """Every check, in the order in which they are reported."""

    SIGNATURE = "signature"
    FORMAT = "format"
    SCHEMA = "schema"
    DRIFT = "drift"
    DUPLICATES = "duplicates"
    LEAKAGE = "leakage"
    LABELS = "label-noise"
    TRIGGERS = "triggers"
    OUTLIERS = "outliers"
    PERSONAL = "personal-data"
    SECRETS = "secrets"


class Outcome(StrEnum):
    """How a check ended; only the first of them is a pass."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not-run"
    OFF = "off"


class Level(StrEnum):
    """What a policy makes of a check that did not pass."""

    FAIL = "fail"
    WARN = "warn"
    OFF = "off"


class Row(NamedTuple):
    """One record: where it stands, the split it belongs to, and its cells by column."""

    file: str
    number: int
    split: str
    cells: Mapping[str, Value]


class Record(NamedTuple):
    """What a reader of a format yields: cells, or the reason why there are none."""

    number: int
    cells: Mapping[str, Value]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found. The text begins with our own words and holds no value whole."""

    kind: str
    text: str
    file: str = ""
    row: int | None = None
    column: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the form in which every report shows it."""
        return {"kind": self.kind, "text": self.text, "file": self.file, "row": self.row, "column": self.column}


@dataclass(frozen=True, slots=True)
class Result:
    """What one check says.

    Attributes:
        total: how many findings there were; `findings` keeps the first `MAX_KEPT`.
        reason: why it failed or did not run, in one sentence.
        measures: the numbers on which the outcome rests, and the bounds they were held against.
    """

    check: Check
    outcome: Outcome
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    total: int = 0
    measures: Mapping[str, int | float | str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return the form in which every report shows it."""
        return {
            "check": self.check.value,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "total": self.total,
            "measures": dict(self.measures),
            "findings": [finding.to_json() for finding in self.findings],
        }


def not_run(check: Check, reason: str) -> Result:
    """Return that a check could not run; this never counts as a pass."""
    return Result(check, Outcome.NOT_RUN, reason)


class Findings:
    """Count findings, and keep the first of them."""

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.total = 0

    def add(self, finding: Finding) -> None:
        """Take one more."""
        self.total += 1
        if len(self.kept) < MAX_KEPT:
            self.kept.append(finding)

    def result(self, check: Check, reason: str, measures: Mapping[str, int | float | str] | None = None) -> Result:
        """Return the result of a check that ran: failed where there is a reason, else passed."""
        outcome = Outcome.FAILED if reason else Outcome.PASSED
        return Result(check, outcome, reason, tuple(self.kept), self.total, measures or {})
