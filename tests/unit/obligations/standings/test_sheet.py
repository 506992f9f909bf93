import json

import pytest

from ringfence.obligations.standings import grouping, sheet
from ringfence.testing.console import sample


@pytest.fixture(scope="module")
def board():
    lab = sample()
    return lab.board(lab.log.tenant)


def test_a_provision_says_act_date_mark_and_when_it_was_looked_up(board):
    one = sheet.single(grouping.provision(board, "nis2-21.2.g"), board)["provision"]
    assert one["act"] == "NIS2"
    assert one["provision"] == "21(2)(g)"
    assert one["source"] == "V"
    assert one["verified_on"] == "2026-11-22"
    assert one["applies_from"] == "2025-12-06"
    assert one["standing"] == one["column"] == "binding"
    assert one["entries"]
    assert [each["id"] for each in one["controls"]] == ["HYG-01", "HYG-02"]


def test_counts_are_of_everything_whatever_was_chosen(board):
    found = grouping.provisions(board)
    few = sheet.listed(found, grouping.chosen(found, act="CRA"), board)
    assert few["counts"] == sheet.listed(found, found, board)["counts"]
    assert {one["act"] for one in few["provisions"]} == {"CRA"}


def test_all_of_it_is_json(board):
    found = grouping.provisions(board)
    document = sheet.listed(found, found, board)
    assert json.loads(json.dumps(document)) == document
