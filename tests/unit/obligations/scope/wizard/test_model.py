"""How a sheet is read: an empty field, and the word for it, are unknown."""

import pytest

from ringfence.obligations.scope.wizard.model import one, ticked, truth


@pytest.mark.parametrize(
    ("values", "expected"), [([], None), ([""], None), (["unknown"], None), ([" x "], "x"), (["a", "b"], "b")]
)
def test_one(values, expected):
    assert one({"f": values}, "f") == expected
    assert one({}, "f") is None


@pytest.mark.parametrize(
    ("values", "expected"), [([], None), (["a", "unknown"], None), (["a", "b", "a"], ["a", "b"]), ([""], None)]
)
def test_ticked(values, expected):
    assert ticked({"f": values}, "f") == expected


@pytest.mark.parametrize(("value", "expected"), [("yes", True), ("no", False), ("unknown", None), ("maybe", None)])
def test_truth(value, expected):
    assert truth({"f": [value]}, "f") is expected
