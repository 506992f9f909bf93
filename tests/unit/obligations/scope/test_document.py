"""Untrusted text: what is refused, and where the refusal points."""

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.scope.document import MAX_DEPTH, MAX_NODES, MAX_SCALAR, MAX_TEXT, compose


def refused(text, *, source="x.yaml"):
    with pytest.raises(MalformedInput) as caught:
        compose(text if isinstance(text, bytes) else text.encode(), source=source)
    return caught.value


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 1, 1, "empty"),
        ("# nothing\n", 1, 1, "empty"),
        ("a: [1\nb: 2\n", 2, 2, "not YAML or JSON"),
        ("a: &x 1\n", 1, 4, "anchors"),
        ("a: 1\nb: *x\n", 2, 4, "anchors"),
        ("a: !!python/object:os.system {}\n", 1, 4, "tag"),
        ("a: !!int 3\n", 1, 4, "tag"),
        ("a: 1\n---\nb: 2\n", 2, 1, "second document"),
        ("a:\n\t- 1\n", 2, 1, "not YAML or JSON"),
        ("a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH, 1, 3 + MAX_DEPTH, "nested deeper"),
        ("a: " + "x" * (MAX_SCALAR + 1), 1, 4, "the limit is"),
    ],
)
def test_refusals_point_to_their_place(text, line, column, words):
    error = refused(text)
    assert words in str(error)
    assert (error.source, error.line, error.column) == ("x.yaml", line, column)
    assert str(error).startswith(f"x.yaml:{line}:{column}: ")


def test_text_that_is_not_utf8_points_to_the_byte():
    error = refused(b"name: x\nother: \xff\n")
    assert (error.line, error.column) == (2, 8)


def test_a_control_character_is_refused():
    assert "not YAML or JSON" in str(refused(b"name: \x00\n"))


def test_a_huge_file_is_refused_before_it_is_read():
    assert "the limit is" in str(refused(b"#" * (MAX_TEXT + 1)))


def test_too_many_values_are_refused():
    assert "more than" in str(refused("[" + "1," * (MAX_NODES + 1) + "1]"))


def test_an_alias_bomb_is_refused_at_its_first_anchor():
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    assert refused(bomb).line == 1


def test_a_deep_document_does_not_exhaust_the_stack():
    assert "nested deeper" in str(refused("[" * 100_000))


def test_json_with_tabs_is_read():
    assert compose(b'{\n\t"name":\t"x"\n}', source="x.json") is not None


def test_a_byte_order_mark_is_tolerated():
    assert compose(b"\xef\xbb\xbfname: x\n", source="x") is not None
