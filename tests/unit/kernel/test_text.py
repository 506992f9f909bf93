import pytest

from ringfence.kernel.text import printable


@pytest.mark.parametrize(
    ("text", "shown", "ascii_shown"),
    [
        ("a line", "a line", "a line"),
        ("\x1b[31mred\n", "?[31mred?", "?[31mred?"),
        ("\u202egoal \ud800", "?goal ?", "?goal ?"),
        ("Zürich", "Zürich", "Z?rich"),
        ("", "", ""),
    ],
)
def test_what_cannot_be_shown_is_a_question_mark(text, shown, ascii_shown):
    assert printable(text, 20) == shown
    assert printable(text, 20, ascii_only=True) == ascii_shown


def test_it_is_bounded_in_characters():
    assert printable("äx" * 10, 3) == "äxä"
    assert printable("x", 0) == ""
