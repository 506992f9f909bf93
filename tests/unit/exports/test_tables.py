"""The statement of applicability and the table of rules."""

import csv
import io
from dataclasses import replace

from ringfence.exports.tables import applicability, head, rules, to_csv
from ringfence.obligations.results import State


def test_every_control_is_in_the_statement_with_a_reason(facts):
    rows = applicability(facts)
    assert [row["control"] for row in rows] == [one.id for one in facts.catalog.controls]
    assert all(row["because"] and row["does_not_prove"] for row in rows)
    words = {row["applicable"] for row in rows}
    assert {"yes", "no"} <= words


def test_what_does_not_apply_is_said_with_the_reason_of_the_status(facts):
    for row, result in zip(applicability(facts), facts.board.controls, strict=True):
        assert (row["applicable"] == "no") == (result.verdict.state is State.NOT_APPLICABLE)


def test_without_a_scope_it_is_undetermined_and_never_no(empty):
    words = {row["applicable"] for row in applicability(empty)}
    assert "undetermined" in words
    assert "no" not in words


def test_every_rule_has_a_line(facts):
    assert [row["rule"] for row in rules(facts)] == [
        part.requirement.id for result in facts.board.controls for part in result.requirements
    ]


def test_the_table_can_be_read_again(facts):
    rows = applicability(facts)
    assert list(csv.DictReader(io.StringIO(to_csv(rows), newline=""))) == rows


def test_no_cell_is_a_formula():
    dangerous = ("=cmd()", "+1", "-1", "@x", "\t=1", "\r=1")
    cells = [row["a"] for row in csv.DictReader(io.StringIO(to_csv([{"a": one} for one in dangerous]), newline=""))]
    assert cells == [f"'{one}" for one in dangerous]


def test_an_empty_table_is_no_error():
    assert to_csv([]).strip() == ""


def test_demo_data_bear_a_mark_in_every_line(facts):
    demo = replace(facts, board=replace(facts.board, demo=True))
    assert {row["data"] for row in [*applicability(demo), *rules(demo)]} == {"demo"}
    assert head(demo)["demo"] is True
