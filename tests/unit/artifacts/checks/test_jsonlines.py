"""JSON Lines from anybody: cells or a problem."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.checks.jsonlines import cell, records


def read(data):
    return list(records(io.BytesIO(data)))


def test_nested_objects_become_dotted_columns_and_lists_one_text():
    line = {"a": {"b": 1, "c": None}, "m": [{"role": "user", "content": "hi"}, "x"], "f": 1.5, "t": True}
    (found,) = read(json.dumps(line).encode())
    assert dict(found.cells) == {"a.b": 1, "a.c": None, "m": "role\nuser\ncontent\nhi\nx", "f": 1.5, "t": True}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"a":1,"a":2}', "twice"),
        (b'{"a":NaN}', "NaN"),
        (b"[1]", "not a JSON object"),
        (b"{", "not JSON"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deep"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "deep"),
        (b'{"a":' + b"9" * 5000 + b"}", "too long"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"a.b":1,"a":{"b":2}}', "one name"),
        (json.dumps({str(n): n for n in range(5000)}).encode(), "columns"),
        (b"\xff", "UTF-8"),
    ],
)
def test_a_broken_line_is_told_and_the_next_one_read(line, said):
    found = read(line + b'\n\n{"a":"next"}\n')
    assert said in found[0].problem
    assert found[1].cells == {"a": "next"}
    assert found[1].number == 3


def test_any_value_is_a_cell():
    assert cell(float("inf")) is None
    assert cell(b"\x01") == "01"
    assert cell(complex(1, 2)) == "(1+2j)"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_every_object_is_cells_or_a_problem(document):
    for one in read(json.dumps(document).encode() + b"\n"):
        assert one.problem or isinstance(dict(one.cells), dict)


@given(st.binary(max_size=200))
def test_any_bytes_are_records_or_problems(data):
    for one in read(data):
        assert one.problem or isinstance(dict(one.cells), dict)
