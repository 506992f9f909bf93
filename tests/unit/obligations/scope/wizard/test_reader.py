"""What is typed is read strictly; what is wrong is kept beside its field."""

import pytest

from ringfence.obligations.scope.wizard.reader import MAX_NAME, Reader


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        ("number", "49.5", "49.5"),
        ("number", "4 9", "49"),
        ("number", "x", None),
        ("money", "9 000 000", "9000000"),
        ("money", "1.5", None),
        ("percent", "25", "25"),
        ("percent", "100.5", None),
        ("percent", "", None),
    ],
)
def test_figures(read, text, expected):
    reader = Reader({"f": [text]})
    assert getattr(reader, read)("f") == expected
    assert bool(reader.wrong) == (expected is None and bool(text))


def test_names_and_words():
    reader = Reader({"name": ["x" * (MAX_NAME + 1)], "good": [" a "], "word": ["b"]})
    assert (reader.text("name", "instead"), reader.text("good", "instead")) == ("instead", "a")
    assert set(reader.wrong) == {"name"}
    assert (reader.choice("word", ("b",)), reader.choice("word", ("c",))) == ("b", None)
