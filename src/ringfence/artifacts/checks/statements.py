"""What is stated about a check (docs/specs/predicates/dataset.checked.md), and how it is read back."""

from collections.abc import Callable, Mapping
from typing import Any

from ringfence.artifacts.checks.model import Check, Outcome
from ringfence.artifacts.checks.report import Report
from ringfence.artifacts.model import Sealed, dataset_id, epoch_number
from ringfence.artifacts.statements import count, one_of, shaped, tagged
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Statement, Strength

CHECKED = PredicateName("dataset.checked")
SCREENED = PredicateName("dataset.poison_screen")  # a form's: `screened` says how it is filled here
STRENGTH = Strength.OBSERVED
_ENDS = ("passed", "failed", "notRun", "off")
_OUTCOMES = dict(zip(_ENDS, (Outcome.PASSED, Outcome.FAILED, Outcome.NOT_RUN, Outcome.OFF), strict=True))


def checked(dataset: Sealed, report: Report, printed: bytes, salt: bytes) -> Draft:
    """State what a check of a sealed epoch found; the report itself is named by a salted digest."""
    ends = {
        name: sorted(one.check.value for one in report.results if one.outcome is end) for name, end in _OUTCOMES.items()
    }
    claims = {
        "dataset": dataset.dataset,
        "epoch": dataset.epoch,
        "result": "pass" if report.passed else "fail",
        "tool": "ringfence",
        "toolVersion": report.version,
        "policy": str(report.policy.digest),
        "rows": report.rows,
        "files": report.files,
        "findings": sum(one.total for one in report.results),
        "counts": {one.check.value: one.total for one in report.results},
        "report": str(Digest.of(salt + printed)),
        **ends,
    }
    return Draft(CHECKED, (dataset.subject,), claims, STRENGTH, {"salt": salt.hex()})


def _checks(value: object) -> object:
    known = {check.value for check in Check}
    if not isinstance(value, list) or value != sorted(known.intersection(map(str, value))):
        raise MalformedInput("it lists, sorted, names of checks")
    return value


def _counts(value: object) -> object:
    if not isinstance(value, Mapping) or value.keys() != {check.value for check in Check}:
        raise MalformedInput("it has a number of findings for each check")
    return [count(number) for number in value.values()]


def _version(value: object) -> object:
    if not isinstance(value, str) or not 0 < len(value) <= 64 or not value.isascii():
        raise MalformedInput("it is a version of at most 64 characters")
    return value


_SHAPE: dict[str, Callable[[object], object]] = {
    "dataset": dataset_id,
    "epoch": epoch_number,
    "result": one_of("pass", "fail"),
    "tool": one_of("ringfence"),
    "toolVersion": _version,
    "policy": tagged,
    "rows": count,
    "files": count,
    "findings": count,
    "counts": _counts,
    "report": tagged,
    **dict.fromkeys(_ENDS, _checks),
}


def claims_of(statement: Statement) -> Mapping[str, Any]:
    """Return the claims of a `dataset.checked` statement; raise `MalformedInput` or `Refused`."""
    if statement.predicate != CHECKED:
        raise MalformedInput(f"this address takes {CHECKED}, not {statement.predicate}")
    if statement.issuance.strength is not STRENGTH:
        raise Refused(f"{CHECKED} has strength {STRENGTH.text}, not {statement.issuance.strength.text}")
    claims = shaped(statement, _SHAPE)
    named = sorted(check for name in _ENDS for check in claims[name])
    if named != sorted(check.value for check in Check):
        raise MalformedInput("each check ends in exactly one way")
    if claims["findings"] != sum(claims["counts"].values()):
        raise MalformedInput("findings is the sum of those of each check")
    if claims["result"] == "pass" and not claims["passed"]:
        raise MalformedInput("a dataset does not pass where no check did")
    return claims


def check_about(statement: Statement, dataset: Sealed) -> Statement:
    """Return a statement that is about this sealed epoch, or raise."""
    claims = claims_of(statement)
    if statement.subjects != (dataset.subject,) or (claims["dataset"], claims["epoch"]) != (
        dataset.dataset,
        dataset.epoch,
    ):
        raise Refused("the statement's subject is not the seal of this epoch")
    return statement
