import contextlib
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringfence.gateway.hotpath import asking
from ringfence.gateway.hotpath.problem import Problem

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OTHERS = st.dictionaries(
    st.text().filter(lambda key: key.casefold() not in {"model", "stream"}), VALUES, max_size=5
).filter(lambda found: len({key.casefold() for key in found}) == len(found))
LAYOUTS = st.sampled_from([(None, (",", ":")), (None, (", ", ": ")), (2, (",", ": "))])


def printed(document, layout, ascii_only):
    indent, separators = layout
    return json.dumps(document, indent=indent, separators=separators, ensure_ascii=ascii_only).encode()


def pairs(value):
    """Return a document with its objects as lists of pairs."""
    if isinstance(value, dict):
        return [(key, pairs(inner)) for key, inner in value.items()]
    if isinstance(value, tuple):
        return tuple(map(pairs, value))
    return [pairs(inner) for inner in value] if isinstance(value, list) else value


@given(OTHERS, OTHERS, st.text(), st.text(), LAYOUTS, st.booleans())
def test_only_the_name_of_the_model_changes(before, after, name, new, layout, ascii_only):
    after = {key: value for key, value in after.items() if key.casefold() not in {each.casefold() for each in before}}
    document = {**before, "model": name, **after}
    try:
        body = printed(document, layout, ascii_only)
    except UnicodeEncodeError:
        return  # a lone surrogate has no bytes
    asked = asking.read(body)
    assert asked.fields["model"] == name
    assert pairs(asked.fields) == pairs(document)
    changed = asking.renamed(body, asked.place, json.dumps(new).encode())
    assert json.loads(changed) == {**document, "model": new}
    start, end = asked.place
    assert changed.startswith(body[:start])
    assert changed.endswith(body[end:])


BRACKETS = ("{", "}", "[", "]", ":", ",", " ", "1", "NaN", "}")
STRINGS = ('"model"', '"small"', '"messages"', '"x\\"model"', '"\\\\"', '"mod\\u0065l"', '"Model"', '"\\"', '"é"')
PIECES = st.sampled_from((*BRACKETS, *STRINGS, '"model": ', '{"model": "small"', ', "stream": true', ', "user": "a"'))


@given(st.lists(PIECES, max_size=12).map("".join))
@example('{"user": "a", "model": "small"}')
@example('{"messages": [{"model": "small"}], "user": "a"}')
@example('{"messages": [{"model": "small"}], "model": "a"}')
@example('{"user": "model", "model": "small"}')
@example('{"user": "\\"model\\": ", "model": "small"}')
@example('{"messages": {"x\\"model": "a"}, "model": "small"}')
@example('{"messages": {"model": "a"}, "mod\\u0065l": "b"}')
@example('{"model": "a\\"b", "stream": false}')
@example('{"model": "a", "user": "b", "user": "c"}')
@example('{"model": "a", "User": "b", "user": "c"}')
@example('{"model": "a"} x')
@example('{"model" "a"}')
def test_the_short_way_finds_what_the_long_one_finds(text):
    try:
        short = asking._at_once(text)
    except (Problem, RecursionError):
        short = None
    if short is not None:
        fields, place = asking._members(text)
        assert (pairs(short[0]), short[1]) == (pairs(fields), place)


def test_the_short_way_is_the_usual_one():
    assert asking._at_once('{"model": "small", "messages": [{"role": "user"}], "max_tokens": 3}') is not None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    with contextlib.suppress(Problem):
        assert pairs(asking.read(data).fields) == pairs(json.loads(data))


@given(st.text(alphabet='{}[]":,\\ \nmodeltrusn0-.', max_size=60))
def test_what_is_read_is_what_the_standard_library_reads(text):
    try:
        found = asking.read_object(text.encode())
    except Problem:
        return
    assert found == json.loads(text)


@pytest.mark.parametrize("key", ["model", "MODEL", "mod\\u0065l", "Model"])
def test_a_second_model_is_refused_however_it_is_spelt(key):
    with pytest.raises(Problem, match="twice") as caught:
        asking.read(b'{"model": "a", "%b": "b"}' % key.encode())
    assert caught.value.code == "duplicate_key"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"{",
        b"{}x",
        b'{"a"}',
        b'{"a":}',
        b'{"a":1,}',
        b"{,}",
        b'{"a" 1}',
        b"{'a': 1}",
        b'{"a": 01}',
        b'{"a\n": 1}',
    ],
)
def test_what_is_no_object_is_refused(body):
    with pytest.raises(Problem) as caught:
        asking.read_object(body)
    assert caught.value.code == "invalid_json"


def test_whether_events_are_asked_for():
    assert asking.read(b'{"model": "a", "stream": true}').fields["stream"] is True
    assert asking.read(b'{"model": "a", "stream": null}').fields["stream"] is None
    with pytest.raises(Problem, match="stream"):
        asking.read(b'{"model": "a", "stream": "yes"}')


@pytest.mark.parametrize(
    ("value", "scale", "found"),
    [
        (0.7, 1000, 700),
        (1, 1, 1),
        (True, 1, None),
        ("1", 1, None),
        (float("inf"), 1, None),
        (None, 1, None),
        (10**400, 1, None),
    ],
)
def test_numbers_for_the_access_record(value, scale, found):
    assert asking.number(value, scale=scale) == found
