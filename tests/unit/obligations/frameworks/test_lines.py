import pytest

from ringfence.obligations import catalog
from ringfence.obligations.frameworks import crosswalk, lines, sheet
from ringfence.obligations.frameworks.coverage import LIMIT, beyond, coverage
from ringfence.testing.console import sample

RULES = catalog.load()


@pytest.fixture(scope="module")
def board():
    lab = sample()
    return lab.board(lab.log.tenant)


def covered(board, name):
    return coverage(crosswalk.one(name, RULES), RULES, board)


def test_every_list_says_how_much_of_it_has_a_control_and_whose_mapping_that_is(board):
    told = list(lines.overview(sheet.overview([covered(board, name) for name in crosswalk.load()], board)))
    assert told[0] == LIMIT
    assert len(told) == 1 + len(crosswalk.load())
    assert any("97 of 121 codes with a control" in one for one in told)


def test_a_code_without_a_control_is_said_so_and_never_as_a_state(board):
    document = sheet.one(covered(board, "nist_ai_100_2_e2025"), board, missing=False, against=None)
    told = list(lines.coverage(document))[2:]
    assert all("no control of ours points at it" in one for one in told)


def test_a_comparison_names_both(board):
    found, other = covered(board, "iso_27001_2022"), covered(board, "iso_27001_2022")
    document = sheet.one(found, board, missing=False, against=(other.framework, beyond(found, other)))
    told = list(lines.coverage(document))
    assert "Only what no control of ours answers in ISO/IEC 27001:2022, Annex A too:" in told
    assert told[-1] == "  nothing"
