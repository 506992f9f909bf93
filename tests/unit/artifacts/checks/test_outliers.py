import pytest

from ringfence.artifacts.checks import outliers
from ringfence.artifacts.checks.columns import Roles
from ringfence.artifacts.checks.model import Outcome
from ringfence.artifacts.checks.sampling import Numbers
from ringfence.testing.screening import outliers_found, outliers_wrong, rows_of

NONE = Roles(identifiers=frozenset({"id"}))


def made(count=400, seed=1):
    numbers = Numbers(seed)
    rows = []
    for place in range(count):
        first = numbers.normal()
        rows.append({"id": place, "a": first, "b": first + 0.05 * numbers.normal(), "y": "p"})
    return rows


def judged(rows, roles=NONE, share=0.0):
    return outliers.judge(rows_of(rows), roles, 8.0, share, 1)


def test_clean_rows_pass():
    assert judged(made()).outcome is Outcome.PASSED


def test_a_value_far_away_is_found_by_its_column():
    rows = made()
    rows[7]["a"] = 50.0
    found = judged(rows)
    assert found.outcome is Outcome.FAILED
    assert {one.row for one in found.findings} == {7}
    assert found.findings[0].kind == "outliers/column"
    assert "50" not in found.findings[0].text


def test_a_row_whose_columns_do_not_fit_together_is_found_by_projection():
    rows = made()
    rows[9] |= {"a": 2.0, "b": -2.0}
    found = judged(rows)
    assert [(one.row, one.kind) for one in found.findings] == [(9, "outliers/projection")]


def test_rows_that_stand_apart_inside_their_label_are_found_by_the_spectrum():
    numbers = Numbers(3)
    rows = []
    for place in range(600):
        poisoned = place < 12
        values = {
            f"x{n}": numbers.normal() * 0.3 + (9.0 if place % 2 else 0) + (3.2 if poisoned else 0) for n in range(8)
        }
        rows.append({"id": place, **values, "y": str(place % 2)})
    found = judged(rows, Roles(label="y", identifiers=frozenset({"id"})))
    assert {one.row for one in found.findings if one.kind == "outliers/spectral"} & set(range(12))


def test_a_share_may_be_allowed():
    rows = made()
    rows[7]["a"] = 50.0
    assert judged(rows, share=0.01).outcome is Outcome.PASSED


def test_few_rows_or_no_numbers_are_no_pass():
    assert judged(made(10)).outcome is Outcome.NOT_RUN
    assert judged([{"id": n, "a": "x"} for n in range(100)]).outcome is Outcome.NOT_RUN


def test_a_scale_of_equal_values_has_no_outliers_by_mad():
    assert list(outliers.far([1.0] * 100 + [5.0], 8.0)) == []
    assert list(outliers.far([None], 8.0)) == []


@pytest.mark.parametrize("shape", ["normal", "uniform"])
def test_the_rates_of_one_set(shape):
    assert outliers_wrong(1, shape, 300) == 0.0
    assert outliers_found(1, 12.0, 300) == 1.0
