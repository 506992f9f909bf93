import json

import pytest

from ringfence.obligations import catalog
from ringfence.obligations.frameworks import crosswalk, sheet
from ringfence.obligations.frameworks.coverage import beyond, coverage
from ringfence.testing.console import sample

RULES = catalog.load()


@pytest.fixture(scope="module")
def board():
    lab = sample()
    return lab.board(lab.log.tenant)


def covered(board, name):
    return coverage(crosswalk.one(name, RULES), RULES, board)


def test_an_overview_counts_codes_with_and_without_a_control(board):
    document = sheet.overview([covered(board, "bsi_c5_2020")], board)
    (one,) = document["frameworks"]
    assert one["codes"] == one["mapped"] + one["unmapped"] == 121
    assert sum(one["states"].values()) == one["mapped"]
    assert json.loads(json.dumps(document)) == document


def test_missing_codes_alone(board):
    found = covered(board, "bsi_c5_2020")
    document = sheet.one(found, board, missing=True, against=None)
    assert [one["code"] for one in document["codes"]] == [row.code for row in found.missing]
    assert {one["state"] for one in document["codes"]} == {None}


def test_what_another_does_not_ask_names_the_other(board):
    found, other = covered(board, "iso_27001_2022"), covered(board, "atlas")
    rows = beyond(found, other)
    document = sheet.one(found, board, missing=False, against=(other.framework, rows))
    assert document["against"]["id"] == "atlas"
    assert [one["code"] for one in document["codes"]] == [row.code for row in rows]
