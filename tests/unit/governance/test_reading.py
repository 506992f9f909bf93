from datetime import date

import pytest

from ringfence.governance import reading
from ringfence.kernel.errors import MalformedInput, Refused

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize("value", ["", "  ", "two\nlines", "x" * 201, 7, None, "a\x00b"])
def test_a_line_is_one_of_printable_text(value):
    with pytest.raises(MalformedInput, match="title"):
        reading.line(value, "title")
    assert reading.line(" a line ", "title") == "a line"


@pytest.mark.parametrize("value", ["", "x" * 2001, "a\x1bb", None])
def test_a_text_may_have_lines_and_no_control_characters(value):
    with pytest.raises(MalformedInput):
        reading.text(value, "reason")
    assert reading.text("two\nlines ", "reason") == "two\nlines"


@pytest.mark.parametrize("value", [0, 6, True, "3", 2.0, None])
def test_a_whole_number_lies_within_its_bounds(value):
    with pytest.raises(MalformedInput, match="from 1 to 5"):
        reading.whole(value, "impact", 1, 5)
    assert reading.whole(5, "impact", 1, 5) == 5


@pytest.mark.parametrize("value", ["2026-2-1", "2026-02-30", "20261122", "", None, 20261122, "2026-11-22T00:00"])
def test_a_day_is_a_day(value):
    with pytest.raises(MalformedInput):
        reading.day(value, "until")
    assert reading.day("2026-11-22", "until") == TODAY


@pytest.mark.parametrize(("last", "runs"), [("2026-11-22", 0), ("2026-11-23", 1), ("2027-11-22", 1), ("2027-11-23", 0)])
def test_what_runs_out_does_so_within_365_days(last, runs):
    assert reading.runs(date.fromisoformat(last), TODAY) == bool(runs)
    if runs:
        assert str(reading.until(last, "until", TODAY)) == last
    else:
        with pytest.raises(Refused, match="within 1 to 365 days"):
            reading.until(last, "until", TODAY)


@pytest.mark.parametrize("value", [["a", "a"], ["x"], "a", [1], ["a"] * 51, None])
def test_names_are_known_and_stand_once(value):
    with pytest.raises(MalformedInput):
        reading.names(value, "controls", {"a", "b"})
    assert reading.names(["b", "a"], "controls", {"a", "b"}) == ("a", "b")


def test_a_person_is_an_id_or_nobody():
    assert reading.person("", "owner") is None
    assert reading.person("person-0123456789ab", "owner") == "person-0123456789ab"
    with pytest.raises(MalformedInput, match="owner"):
        reading.person("anna", "owner")


@pytest.mark.parametrize("value", [{}, {"a": 1, "c": 2}, [], None])
def test_a_record_has_its_fields_and_no_others(value):
    with pytest.raises(MalformedInput, match="has the fields a"):
        reading.fields(value, "row", ("a",), ("b",))
    assert reading.fields({"a": 1, "b": 2}, "row", ("a",), ("b",)) == {"a": 1, "b": 2}


def test_true_is_true():
    assert reading.yes(True, "done") is True
    with pytest.raises(MalformedInput):
        reading.yes(1, "done")
