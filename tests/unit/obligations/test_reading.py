import json

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import reading

SCHEMA = json.dumps(
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["rows"],
        "properties": {"rows": {"type": "array", "items": {"type": "object", "required": ["id"]}}},
    }
).encode()


def parse(text):
    return reading.parse(text.encode() if isinstance(text, str) else text, source="x.yaml")


def place(error):
    return error.source, error.line, error.column


def test_values_and_their_places():
    document = parse("rows:\n- id: a\n  at: 2027-12-02\n  n: -7\n  so: true\n  gone: null\n")
    assert document.value == {"rows": [{"id": "a", "at": "2027-12-02", "n": -7, "so": True, "gone": None}]}
    assert document.places["rows", 0, "n"] == (4, 6)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: 1\nb: 1.5\n", 2, 4),
        ("a: 1\nb: yes\n", 2, 4),
        ("a: 1\nb: 0x10\n", 2, 4),
        ("a: 1\nb: 99999999999999999999\n", 2, 4),
        ("a: 1\na: 2\n", 2, 1),
        ("a: 1\n2: b\n", 2, 1),
        ("a: 1\non: b\n", 2, 1),
        ("a: 1\n? [b]\n: c\n", 2, 3),
        ("a: &x 1\nb: *x\n", 1, 4),
        ("a: !!python/object:os.system x\n", 1, 4),
        ("a: [1\nb: 2\n", 2, 2),
        ("", 1, 1),
        ("a: 1\n---\nb: 2\n", 2, 1),
    ],
)
def test_what_is_not_plain_is_refused_with_its_place(text, line, column):
    with pytest.raises(MalformedInput) as caught:
        parse(text)
    assert place(caught.value)[:2] == ("x.yaml", line)
    assert caught.value.column is not None
    if "---" not in text and "[1" not in text:
        assert caught.value.column == column


@pytest.mark.parametrize("data", [b"\xff\xfe", b"a: " + b"[" * 500, b"x" * 2**21, b"a: \x00"])
def test_hostile_bytes_stay_in_the_family(data):
    with pytest.raises(MalformedInput):
        parse(data)


@pytest.mark.parametrize(
    ("text", "line", "column"), [("rows:\n- {id: a}\n- {x: a}\n", 3, 3), ("other: 1\n", 1, 1), ("rows: 5\n", 1, 7)]
)
def test_the_schema_names_the_place(text, line, column):
    with pytest.raises(MalformedInput) as caught:
        reading.validate(parse(text), SCHEMA)
    assert place(caught.value) == ("x.yaml", line, column)


def test_an_accepted_document_comes_back():
    document = parse("rows: [{id: a}]\n")
    assert reading.validate(document, SCHEMA) is document


def test_an_error_about_something_absent_points_to_what_is_around_it():
    error = parse("rows:\n- id: a\n").error(("rows", 0, "name", 3), "no name")
    assert str(error) == "x.yaml:2:3: no name"
