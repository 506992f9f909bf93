import pytest

from ringfence.obligations import catalog
from ringfence.obligations.frameworks import crosswalk
from ringfence.obligations.frameworks.coverage import LIMIT, beyond, coverage
from ringfence.obligations.results import APART, State
from ringfence.testing.console import sample

RULES = catalog.load()


@pytest.fixture(scope="module")
def board():
    lab = sample()
    return lab.board(lab.log.tenant)


@pytest.fixture(scope="module")
def every(board):
    found = {**crosswalk.load(), **crosswalk.acts(RULES)}
    return {name: coverage(one, RULES, board) for name, one in found.items()}


def test_every_code_is_there_once_mapped_or_missing(every):
    for found in every.values():
        assert [row.code for row in found.rows] == list(found.framework.codes)
        assert len(found.mapped) + len(found.missing) == len(found.rows)


def test_a_code_is_satisfied_only_where_every_control_of_it_that_counts_is(every):
    for found in every.values():
        for row in found.rows:
            counted = [one for one in row.controls if one.verdict.state not in APART]
            whole = bool(counted) and all(one.verdict.state is State.SATISFIED for one in counted)
            assert (row.state is State.SATISFIED) == whole


def test_a_code_without_a_control_is_no_state(every):
    assert {row.state for found in every.values() for row in found.missing} == {None}


def test_counts_add_up(every):
    for found in every.values():
        assert sum(found.count(state) for state in State) == len(found.mapped)


def test_what_one_asks_beyond_another_shares_no_control_with_it(every):
    one, other = every["iso_27001_2022"], every["owasp_llm_2026"]
    found = beyond(one, other)
    assert found
    for row in found:
        assert other.controls.isdisjoint(part.control.id for part in row.controls)
    left = {row.code for row in one.mapped} - {row.code for row in found}
    assert all(any(p.control.id in other.controls for p in row.controls) for row in one.mapped if row.code in left)


def test_nothing_is_beyond_itself(every):
    assert all(beyond(found, found) == [] for found in every.values())


def test_what_nothing_of_ours_answers_is_in_no_difference(every):
    missing = {row.code for row in every["bsi_c5_2020"].missing}
    assert missing
    assert missing.isdisjoint(row.code for row in beyond(every["bsi_c5_2020"], every["nist_ai_100_2_e2025"]))


def test_one_deed_counts_in_several_lists(every):
    found = {
        name: [row.code for row in each.rows if any(one.control.id == "DAT-01" for one in row.controls)]
        for name, each in every.items()
    }
    assert found["iso_27001_2022"] == ["A.8.24", "A.8.32"]
    assert found["act-nis2"] == ["nis2-21.2.e", "nis2-21.2.h"]
    assert not found["nist_ai_100_2_e2025"]


def test_the_limit_says_whose_mapping_it_is():
    assert "our own mapping" in LIMIT
    assert "no assessment" in LIMIT
