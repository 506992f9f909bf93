import pytest

from ringfence.artifacts.checks.cells import number_of


@pytest.mark.parametrize(
    ("value", "number"), [("1", 1), ("-2.5", -2.5), (".5", 0.5), ("1e3", 1000), (7, 7), (2.5, 2.5), ("+4", 4)]
)
def test_numbers(value, number):
    assert number_of(value) == number


@pytest.mark.parametrize(
    "value", ["", "nan", "inf", "1_000", "1e999", "0x1", "\uff11", True, None, " 1", "1,5", float("inf"), 10**400]
)
def test_what_is_no_number(value):
    assert number_of(value) is None
