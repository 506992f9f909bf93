"""A schema is held against every cell, and one that is not understood is refused."""

import pytest

from ringfence.artifacts.checks import schema
from ringfence.artifacts.checks.model import Outcome, Row
from ringfence.kernel.errors import MalformedInput

OURS = {
    "version": 1,
    "columns": {
        "id": {"type": "integer", "required": True, "unique": True},
        "age": {"type": "number", "minimum": 0, "maximum": 120},
        "sex": {"enum": ["f", "m", "x"]},
        "day": {"type": "date"},
        "note": {"max_length": 5},
        "ok": {"type": "boolean"},
    },
}
GOOD = {"id": "1", "age": "33.5", "sex": "f", "day": "2026-01-31", "note": "short", "ok": "true"}
TABLE = {
    "fields": [
        {"name": "id", "type": "integer", "constraints": {"required": True, "unique": True}},
        {"name": "note", "constraints": {"maxLength": 5}},
    ]
}


def judged(document, *cells):
    check = schema.SchemaCheck(schema.parse(document), 1)
    for number, one in enumerate(cells):
        check.see(Row("f.csv", number, "", one))
    return check.result()


def test_rows_that_fit_pass():
    assert judged(OURS, GOOD, GOOD | {"id": 2, "age": None}).outcome is Outcome.PASSED
    assert judged(TABLE, {"id": "1", "note": "x"}).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": "1.5"},
        {"id": True},
        {"age": "-1"},
        {"age": "121"},
        {"age": "old"},
        {"age": "1e999"},
        {"sex": "q"},
        {"day": "2026-02-30"},
        {"day": "yesterday"},
        {"note": "longer"},
        {"ok": "perhaps"},
        {"other": 1},
    ],
)
def test_a_cell_that_does_not_fit_is_found_and_not_shown(change):
    found = judged(OURS, GOOD | change)
    assert found.outcome is Outcome.FAILED
    assert found.total == 1
    assert found.findings[0].column == next(iter(change))
    assert "yesterday" not in found.findings[0].text


def test_a_value_that_is_there_again_is_found():
    found = judged(OURS, GOOD, GOOD)
    assert [one.kind for one in found.findings] == ["schema/not-unique"]


def test_other_columns_may_be_allowed():
    assert judged(OURS | {"extra": "allow"}, GOOD | {"other": 1}).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"columns": {}},
        {"columns": {"a": {"pattern": "x"}}},
        {"columns": {"a": {"type": "uuid"}}},
        {"columns": {"a": {"required": "yes"}}},
        {"columns": {"a": {"minimum": "0"}}},
        {"columns": {"a": {"enum": []}}},
        {"columns": {"a": 3}},
        {"columns": {"a": {}}, "extra": "maybe"},
        {"columns": {"a": {}}, "version": 2},
        {"fields": [{"name": "a", "constraints": {"pattern": "x"}}]},
        {"fields": [{"name": "a"}], "primaryKey": "a"},
        {"fields": [{"name": "a"}], "missingValues": ["NA"]},
        {"fields": [{"name": "a", "format": "x"}]},
        {"fields": [3]},
    ],
)
def test_a_schema_that_is_not_understood_is_refused(document):
    with pytest.raises(MalformedInput):
        schema.parse(document)
