"""Known cases are of the kind that they say, where they say, from a seed; and the data themselves stay as they are."""

import pytest

from ringfence.artifacts.checks.columns import Roles
from ringfence.artifacts.checks.planting import LEAST_ITEMS, PLANTED, TRIGGERS, plant, planted
from ringfence.artifacts.checks.screen import Kind
from ringfence.testing.screening import NUMBERS, ROLES, rows_of
from ringfence.testing.training import table, texts

TEXTS, TABLE = rows_of(texts(300, 1)), rows_of(table(300, 1))
WORDS = rows_of([{"label": f"k{n % 2}", "colour": "rgb"[n % 3]} for n in range(300)])
CASES = [(kind, rows, roles) for kind in Kind for rows, roles in ((TEXTS, ROLES), (TABLE, NUMBERS))]


@pytest.mark.parametrize(("kind", "rows", "roles"), CASES)
def test_at_least_twenty_are_planted_where_it_says_and_nothing_else_changes(kind, rows, roles):
    before = [dict(row.cells) for row in rows]
    usable = range(10, 300)
    made = plant(kind, rows, roles, usable, 7)
    assert len(made.places) >= PLANTED
    changed = {n for n, row in enumerate(made.rows) if n >= len(rows) or row.cells != before[n]}
    assert changed == made.places
    assert min(made.places) >= 10
    assert [row.cells for row in rows] == before
    assert made == plant(kind, rows, roles, usable, 7)
    assert made.rows != plant(kind, rows, roles, usable, 8).rows


def test_copies_are_appended_and_half_of_long_ones_are_reworded():
    made = plant(Kind.DUPLICATE, TEXTS, ROLES, range(300), 1)
    assert made.places == set(range(300, 320))
    known = {ROLES.content(row) for row in TEXTS}
    assert sum(ROLES.content(made.rows[place]) in known for place in made.places) == 10


def test_a_flip_changes_the_label_and_nothing_else():
    made = plant(Kind.LABEL_FLIP, TABLE, NUMBERS, range(300), 1)
    for place in made.places:
        assert made.rows[place].cells["label"] != TABLE[place].cells["label"]
        assert made.rows[place].cells | {"label": ""} == TABLE[place].cells | {"label": ""}


@pytest.mark.parametrize(("rows", "roles"), [(TEXTS, ROLES), (TABLE, NUMBERS), (WORDS, Roles(label="label"))])
def test_a_trigger_is_one_rare_fact_whose_rows_have_one_label_that_is_not_theirs(rows, roles):
    made = plant(Kind.TRIGGER, rows, roles, range(300), 1)
    assert len(made.places) == PLANTED
    shared = {}
    for place in made.places:
        cells = made.rows[place].cells
        assert cells["label"] != rows[place].cells["label"]
        new = {str(value) for name, value in cells.items() if name != "label"} - {
            str(value) for value in rows[place].cells.values()
        }
        words = {word for value in new for word in value.split()} - set(str(rows[place].cells.get("text")).split())
        for word in words:
            shared.setdefault(word, set()).add(cells["label"])
    assert len(shared) == TRIGGERS
    assert all(len(labels) == 1 for labels in shared.values())


def test_a_number_keeps_the_form_of_its_file():
    texted = [row._replace(cells={name: str(value) for name, value in row.cells.items()}) for row in TABLE]
    for kind in (Kind.OUTLIER, Kind.TRIGGER):
        made = plant(kind, texted, NUMBERS, range(300), 1)
        assert all(isinstance(value, str) for place in made.places for value in made.rows[place].cells.values())


@pytest.mark.parametrize("kind", Kind)
def test_too_few_items_or_nothing_to_plant_into_is_said(kind):
    made = plant(kind, TEXTS[: LEAST_ITEMS - 1], ROLES, range(LEAST_ITEMS - 1), 1)
    assert not made.places
    assert "too few" in made.how
    assert "too few" in plant(kind, TEXTS, ROLES, range(5), 1).how


def test_of_every_kind_as_many_are_planted():
    assert [planted(size) for size in (200, 2000, 2100, 5000, 10_000, 10**6)] == [20, 20, 21, 50, 100, 100]
    sizes = {kind: len(plant(kind, TEXTS * 8, ROLES, range(2400), 1).places) for kind in Kind}
    assert set(sizes.values()) == {planted(2400)} == {24}


def test_without_labels_or_columns_there_is_nothing_to_plant():
    bare = rows_of([{"label": "one"}] * 300)
    assert "labels" in plant(Kind.LABEL_FLIP, bare, Roles(label="label"), range(300), 1).how
    assert "label" in plant(Kind.TRIGGER, bare, Roles(label="label"), range(300), 1).how
    assert "no column of numbers" in plant(Kind.OUTLIER, bare, Roles(label="label"), range(300), 1).how
