from ringfence.artifacts.checks.columns import Roles
from ringfence.artifacts.checks.textual import LENGTH, LETTERS, SURPRISE, described
from ringfence.testing.screening import ROLES, rows_of
from ringfence.testing.training import texts

ROWS = rows_of([{"text": "a b a b"}, {"text": "a b c d"}, {"text": "12345678"}, {"text": ""}, {"text": "!?"}])


def test_a_text_is_its_length_its_letters_and_how_rare_its_words_are():
    first, second, third, empty, marks = (row.cells for row in described(ROWS, Roles(text="text")))
    assert first[LENGTH] == second[LENGTH] < third[LENGTH] + 1
    assert (first[LETTERS], third[LETTERS], marks[LETTERS]) == (1.0, 0.0, 0.0)
    assert first[SURPRISE] < second[SURPRISE] < third[SURPRISE]
    assert marks[SURPRISE] is None
    assert [empty[name] for name in (LENGTH, LETTERS, SURPRISE)] == [None] * 3


def test_without_a_text_rows_stay_as_they_are():
    assert described(ROWS, Roles()) == ROWS


def test_words_of_no_language_are_the_most_surprising():
    rows = rows_of([*texts(200, 1), {"text": "xqzv wjkp bvnm qqzz ghjk"}])
    surprises = [row.cells[SURPRISE] for row in described(rows, ROLES)]
    assert max(surprises) == surprises[-1]


def test_a_column_that_is_called_like_ours_is_still_looked_at():
    rows = [row._replace(cells={**row.cells, LENGTH: 99}) for row in ROWS]
    found = [row.cells for row in described(rows, Roles(text="text"))]
    assert {cells[LENGTH] for cells in found} == {99}
    assert [cells[f"{LENGTH}'"] for cells in found] == [cells[LENGTH] for cells in _lengths()]


def _lengths():
    return [row.cells for row in described(ROWS, Roles(text="text"))]
