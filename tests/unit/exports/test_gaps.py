"""One item for each gap."""

from dataclasses import replace

from ringfence.exports.gaps import gaps
from ringfence.obligations.results import OPEN, State


def test_every_gap_is_an_item_with_its_next_step(facts):
    items = gaps(facts)["plan-of-action-and-milestones"]["poam-items"]
    open_ = [result for result in facts.assessed if result.verdict.state in OPEN]
    assert len(items) == len(open_) > 0
    for item, result in zip(items, open_, strict=True):
        steps = [one["value"] for one in item["props"] if one["name"] == "next-step"]
        assert steps == [result.next_step]


def test_where_nothing_is_open_there_is_no_plan(facts):
    met = tuple(r for r in facts.board.controls if r.verdict.state is State.SATISFIED)
    assert gaps(replace(facts, board=replace(facts.board, controls=met))) is None
