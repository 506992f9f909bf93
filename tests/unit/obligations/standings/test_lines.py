import pytest

from ringfence.obligations.standings import grouping, lines, sheet
from ringfence.testing.console import sample


@pytest.fixture(scope="module")
def board():
    lab = sample()
    return lab.board(lab.log.tenant)


def test_counts_name_each_act_and_no_empty_column(board):
    found = grouping.provisions(board)
    told = list(lines.counts(sheet.listed(found, [], board)))
    assert told[1] == "2024/2690: 112 binding, 64 basis"
    assert len(told) == 6


def test_a_list_says_standing_reason_and_controls(board):
    found = grouping.provisions(board)
    told = "\n".join(lines.listed(sheet.listed(found, grouping.chosen(found, act="NIS2"), board)))
    assert "nis2-21.2.g  NIS2 21(2)(g): binding from 2025-12-06, the entity is classified as important" in told
    assert "0 of 2 controls satisfied: ■HYG-01 ■HYG-02" in told
    assert "no control of ours serves it" in told


def test_one_provision_says_that_it_is_a_paraphrase(board):
    told = "\n".join(lines.single(sheet.single(grouping.provision(board, "nis2-21.2.g"), board)))
    assert "mark V, looked up 2026-11-22; a paraphrase, not legal text" in told
    assert "known from entry" in told
