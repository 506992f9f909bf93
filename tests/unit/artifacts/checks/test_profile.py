import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.checks import profile
from ringfence.artifacts.checks.model import Row
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.screening import rows_of
from ringfence.testing.training import table, texts


def test_columns_are_numbers_categories_or_texts():
    found = profile.take(rows_of(table(300, 1)), 300, frozenset({"id"}))
    assert {name: column.kind for name, column in found.columns.items()} == (
        {f"x{n}": "number" for n in range(6)} | {"kind": "category", "label": "category"}
    )
    assert profile.take(rows_of(texts(300, 1)), 300, frozenset()).columns["text"].kind == "text"


def test_a_baseline_is_read_back_as_it_was_and_holds_no_text():
    taken = profile.take(rows_of(table(2500, 1)), 2500, frozenset({"id"}))
    printed = profile.printed(taken)
    assert profile.parse(printed) == taken
    assert b"kind-0" not in printed
    assert len(taken.columns["x0"].points) == profile.POINTS


def document():
    return json.loads(profile.printed(profile.take(rows_of(table(50, 1)), 50, frozenset())))


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other/1"},
        {"rows": -1},
        {"rows": "1"},
        {"more": 1},
        {"columns": []},
        {"columns": {"a": {"kind": "number", "rows": 1, "missing": 2, "points": []}}},
        {"columns": {"a": {"kind": "number", "rows": 1, "missing": 0, "points": ["1"]}}},
        {"columns": {"a": {"kind": "number", "rows": 1, "missing": 0, "points": [None]}}},
        {"columns": {"a": {"kind": "number", "rows": 1, "missing": 0, "points": [0.5] * 1001}}},
        {"columns": {"a": {"kind": "category", "rows": 1, "missing": 0, "counts": {"x": 0}}}},
        {"columns": {"a": {"kind": "other", "rows": 1, "missing": 0, "points": []}}},
    ],
)
def test_a_baseline_that_is_none_is_refused(change):
    with pytest.raises(MalformedInput):
        profile.parse(json.dumps(document() | change).encode())


@given(st.binary(max_size=100))
def test_any_bytes_are_refused(data):
    with pytest.raises(MalformedInput):
        profile.parse(data)


def test_an_empty_sample_has_no_columns():
    assert profile.take([], 0, frozenset()).columns == {}
    assert profile.take([Row("f", 1, "", {"a": None})], 1, frozenset()).columns["a"].missing == 1
