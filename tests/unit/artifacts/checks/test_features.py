from ringfence.artifacts.checks import features
from ringfence.artifacts.checks.columns import Roles
from ringfence.testing.screening import NUMBERS, ROLES, rows_of
from ringfence.testing.training import table, texts


def test_rows_are_sets_of_facts_that_occur_often_enough():
    found = features.gather(rows_of(texts(200, 1)), ROLES)
    assert len(found.rows) == len(found.labels) == len(found.of_row) == 200
    assert found.names == ["kind-0", "kind-1"]
    seen = [0] * len(found.facts)
    for row in found.of_row:
        assert len(set(row)) == len(row)
        for fact in row:
            seen[fact] += 1
    assert seen == found.counts
    assert min(seen) >= 1
    assert not any(fact.text.startswith("kind-") for fact in found.facts)  # never the label itself


def test_numbers_are_tenths_and_values():
    found = features.gather(rows_of(table(200, 1)), NUMBERS)
    texts_of = {(fact.column, fact.text.split()[0], fact.broad) for fact in found.facts}
    assert ("x0", "tenth", True) in texts_of
    assert ("kind", "is", True) in texts_of
    assert not any(column == "id" for column, _, _ in texts_of)


def test_labels_that_cannot_be_judged_are_said():
    assert "--label" in features.gather(rows_of(texts(20, 1)), Roles())
    same = [row | {"label": "one"} for row in texts(20, 1)]
    assert "1 values" in features.gather(rows_of(same), ROLES)
    many = [row | {"label": str(number % 60)} for number, row in enumerate(texts(400, 1))]
    assert "60 values" in features.gather(rows_of(many), ROLES)
