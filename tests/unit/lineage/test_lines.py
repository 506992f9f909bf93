"""Lineage in words for a terminal."""

from ringfence.lineage import lines, sheet
from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import Kind, Ref
from ringfence.lineage.view import around
from ringfence.testing.lineage import Tale, digest_of, whole


def document(tale, name="tuned", kind=Kind.MODEL):
    return sheet.shown(around(Lineage.of(tale.tenant, tale.statements), Ref(kind, digest_of(name))), {})


def with_a_gap():
    tale = Tale()
    tale.run("r", ["books"], "tuned")
    return document(tale)


def test_it_says_that_it_is_closed_and_what_that_does_not_show():
    said = list(lines.shown(document(whole())))
    assert any(line.startswith("CLOSED") for line in said)
    assert sum(line.startswith("rows of ") for line in said) == 2
    assert said[-1].startswith("  - ")


def test_a_gap_is_said_and_nothing_is_closed():
    said = list(lines.shown(with_a_gap()))
    assert any(line.startswith("GAP input-unstated: ") and line.endswith("(entries 0)") for line in said)
    assert not any(line.startswith("CLOSED") for line in said)


def test_each_link_names_its_statement_and_its_doubt():
    tale = Tale()
    tale.about("run.imported", {"inputs": []}, [("run/x", "x"), ("outputs/x", "tuned")])
    said = "\n".join(lines.shown(document(tale)))
    assert "output of run/x: entry 0, run.imported, observed (another system's word)" in said


def test_an_answer_is_named_first():
    answer = {"request": "req-1", "at": "T", "index": 2, "segment": 3, "entry": 4, "deployment": "small"}
    said = list(lines.shown(document(whole()) | {"answer": answer | {"basis": "declared", "digest": None}}))
    assert said[0] == "Answer req-1 of T"
    assert said[1] == "  record 2 of segment 3, entry 4; deployment small, digest declared: unknown"


def test_what_is_left_out_is_said():
    assert "and 7 more things, further away" in list(lines.shown(document(whole()) | {"left_out": 7}))
