import pytest

from ringfence.artifacts.checks.columns import Roles, numeric, settle
from ringfence.artifacts.checks.model import Row
from ringfence.kernel.errors import UsageError


def rows(*cells):
    return [Row("f", number, "", one) for number, one in enumerate(cells)]


def test_the_wordiest_column_is_the_text_unless_one_is_named():
    made = rows({"a": "two words", "b": "five words are in here"}, {"a": "x", "b": "and four more words"})
    assert settle(Roles(), made).text == "b"
    assert settle(Roles(text="a"), made).text == "a"
    assert settle(Roles(label="b"), made).text == ""


def test_usual_identifiers_are_left_out_unless_others_are_named():
    made = rows({"ID": 1, "a": 2})
    assert settle(Roles(), made).identifiers == {"ID"}
    assert settle(Roles(identifiers=frozenset({"a"})), made).identifiers == {"a"}


def test_a_column_that_is_not_there_is_a_mistake():
    with pytest.raises(UsageError, match="'wrong'"):
        settle(Roles(label="wrong"), rows({"a": 1}))


def test_content_is_everything_but_label_and_identifiers():
    roles = Roles(label="y", identifiers=frozenset({"id"}))
    first, second = rows({"id": 1, "a": "x", "y": "0"}, {"a": "x", "y": "1", "id": 2})
    assert roles.content(first) == roles.content(second)
    assert roles.content(rows({"a": "x", "b": None})[0]) != roles.content(first)


def test_a_column_is_of_numbers_where_nearly_all_cells_are():
    made = rows(*({"a": str(n), "b": "x" if n < 5 else "1", "c": None} for n in range(200)))
    assert list(numeric(made, frozenset())) == ["a"]
