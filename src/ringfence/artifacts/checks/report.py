"""The verdict by a policy, and everything that a report says."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.artifacts.checks.model import Check, Level, Outcome, Result
from ringfence.artifacts.checks.policy import Policy

INPUT = frozenset(
    {Check.SIGNATURE, Check.SCHEMA, Check.DRIFT, Check.LEAKAGE, Check.LABELS, Check.TRIGGERS, Check.OUTLIERS}
)
NOTE = (
    "A screen finds kinds of faults that it knows, with the error rates that docs/how-to/check-data.md states; "
    "that it found nothing does not show that there is nothing."
)


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked, by what, and what came of it."""

    subject: str  # what the report is about, as a person named it
    content: str  # digest over names and bytes of every file, or the seal's digest
    policy: Policy
    version: str
    rows: int
    files: int
    results: Sequence[Result]

    def level(self, result: Result) -> Level:
        """Return what the policy makes of a result that is no pass.

        A check that needs something which nobody gave (a schema, a baseline, a label) warns that it did not run,
        unless the policy names it: then it has failed.
        """
        rule = self.policy.rules[result.check]
        if result.outcome is Outcome.NOT_RUN and not rule.given and result.check in INPUT:
            return Level.WARN
        return rule.level

    @property
    def failed(self) -> list[Result]:
        """Return the results for which the gate stays shut."""
        return [one for one in self.results if one.outcome in _NOT_GOOD and self.level(one) is Level.FAIL]

    @property
    def warned(self) -> list[Result]:
        """Return the results that are no pass and leave the gate open."""
        return [one for one in self.results if one.outcome in _NOT_GOOD and self.level(one) is Level.WARN]

    @property
    def passed(self) -> bool:
        """Tell whether the gate is open; with nothing that passed it is not."""
        return not self.failed and any(one.outcome is Outcome.PASSED for one in self.results)

    def to_json(self) -> dict[str, Any]:
        """Return the whole report."""
        return {
            "format": "ringfence-dataset-check/1",
            "subject": self.subject,
            "content": self.content,
            "result": "pass" if self.passed else "fail",
            "failed": [one.check.value for one in self.failed],
            "warned": [one.check.value for one in self.warned],
            "rows": self.rows,
            "files": self.files,
            "tool": {"name": "ringfence", "version": self.version},
            "policy": str(self.policy.digest),
            "seed": self.policy.seed,
            "note": NOTE,
            "checks": [one.to_json() | {"level": self.level(one).value} for one in self.results],
        }


_NOT_GOOD = frozenset({Outcome.FAILED, Outcome.NOT_RUN})


def ordered(results: Mapping[Check, Result]) -> list[Result]:
    """Return the results in the order of the checks; one that nobody ran is shown as such."""
    return [
        results.get(check) or Result(check, Outcome.NOT_RUN, "nothing ran it; this is an error of ours")
        for check in Check
    ]


def printed(report: Report) -> bytes:
    """Print the whole report as JSON."""
    return json.dumps(report.to_json(), indent=1, sort_keys=True, ensure_ascii=True, allow_nan=False).encode() + b"\n"
