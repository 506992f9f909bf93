import pytest

from ringfence.artifacts.checks import drift, profile
from ringfence.artifacts.checks.model import Outcome
from ringfence.testing.screening import drift_found, rows_of
from ringfence.testing.training import table


def compared(change, size=1500):
    before, now = table(size, 1), [change(dict(row)) for row in table(size, 2)]
    taken = [profile.take(rows_of(made), size, frozenset({"id"})) for made in (before, now)]
    return drift.judge(*taken, 0.01, 0.1)


def test_two_samples_of_one_source_do_not_drift():
    found = compared(lambda row: row)
    assert found.outcome is Outcome.PASSED
    assert found.measures["tests"] == 8


def test_the_same_rows_do_not_drift():
    taken = profile.take(rows_of(table(100, 1)), 100, frozenset())
    assert drift.judge(taken, taken, 0.2, 0.0).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("change", "kind", "column"),
    [
        (lambda row: row | {"x0": row["x0"] + 0.6}, "distribution", "x0"),
        (lambda row: row | {"kind": "a" if row["x1"] > 0 else row["kind"]}, "distribution", "kind"),
        (lambda row: row | {"x1": None if row["x2"] > 0.5 else row["x1"]}, "distribution", "x1"),
        (lambda row: row | {"new": 1}, "new-column", "new"),
        (lambda row: {name: value for name, value in row.items() if name != "x3"}, "missing-column", "x3"),
        (lambda row: row | {"x4": "many"}, "kind", "x4"),
        (lambda row: row | {"kind": "z" if row["id"] % 90 == 0 else row["kind"]}, "new-category", "kind"),
    ],
)
def test_a_column_that_moved_is_named(change, kind, column):
    found = compared(change)
    assert found.outcome is Outcome.FAILED
    assert (f"drift/{kind}", column) in {(one.kind, one.column) for one in found.findings}


def test_a_tiny_move_is_none_however_significant():
    assert compared(lambda row: row | {"x0": row["x0"] + 0.1}, size=6000).outcome is Outcome.PASSED


def test_the_rates_of_a_few_comparisons():
    assert drift_found(3, 0.0, 500) == 0.0
    assert drift_found(3, 1.0, 500) == 1.0
