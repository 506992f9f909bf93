"""The one JSON form, and the strict reading of everybody else's."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
WITH_FLOATS = st.recursive(
    st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_what_is_printed_is_read_back(value):
    assert digest.loads(digest.dumps(value)) == value


@given(JSON)
def test_equal_values_have_one_form(value):
    assert digest.dumps(json.loads(json.dumps(value))) == digest.dumps(value)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_input_raises_anything_but_malformed_input(data):
    try:
        read = digest.loads(data)
    except MalformedInput:
        return
    assert digest.loads(digest.dumps(read)) == read


@given(WITH_FLOATS)
def test_what_python_prints_is_read_exactly_or_refused(value):
    try:
        read = digest.loads(json.dumps(value))
    except MalformedInput:
        return
    assert json.dumps(read) == json.dumps(value)


@given(st.binary(min_size=32, max_size=32))
def test_a_digest_is_read_back_from_both_its_forms(value):
    made = Digest(value)
    assert Digest.parse(str(made)) == Digest.parse(made.hex) == made


@given(st.text(max_size=80) | st.integers() | st.none() | st.lists(st.text(max_size=3)))
def test_nothing_else_is_a_digest(text):
    with pytest.raises(MalformedInput):
        Digest.parse(text)
