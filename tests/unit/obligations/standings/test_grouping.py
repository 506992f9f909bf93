from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.kernel.errors import NotFound, UsageError
from ringfence.obligations.provisions import ACTS
from ringfence.obligations.results import APART, OPEN, Standing, State
from ringfence.obligations.standings import grouping
from ringfence.obligations.standings.grouping import Column
from ringfence.testing.console import sample


@pytest.fixture(scope="module")
def board():
    lab = sample()
    return lab.board(lab.log.tenant)


@pytest.fixture(scope="module")
def found(board):
    return grouping.provisions(board)


def standing_of(board, **standings):
    """Return the board with other standings towards some provisions."""
    duties = [
        replace(duty, standing=standings.get(duty.obligation.id.replace("-", "_").replace(".", "_"), duty.standing))
        for duty in board.duties
    ]
    return replace(board, duties=tuple(duties))


def test_every_provision_of_the_catalogue_is_there_once(board, found):
    assert [one.duty for one in found] == list(board.duties)


def test_controls_of_a_provision_are_those_that_name_it(board, found):
    for one in found:
        named = {r.control.id for r in board.controls if one.duty.obligation.id in r.control.obligations}
        assert {result.control.id for result in one.controls} == named


@pytest.mark.parametrize(
    ("name", "clause"),
    [
        ("ir2690-5.1.4", True),
        ("ir2690-5.1.4.h", True),
        ("gdpr-28.3-4", True),
        ("dora-30.2", True),
        ("dora-30.3.f", True),
        ("ai-25.4", True),
        ("ir2690-5.1.5", False),
        ("gdpr-28.1", False),
        ("dora-30", False),
        ("nis2-21.3", False),  # about weighing vendors, no clause
    ],
)
def test_clauses_are_those_of_the_law_reference_and_no_others(name, clause):
    assert grouping.is_clause(name) is clause


def test_a_clause_that_binds_somebody_else_comes_by_contract(board):
    other = standing_of(board, gdpr_28_3_a=Standing.NOT_OURS, gdpr_28_1=Standing.NOT_OURS)
    assert grouping.provision(other, "gdpr-28.3.a").column is Column.BY_CONTRACT
    assert grouping.provision(other, "gdpr-28.1").column is Column.NOT_OURS


def test_a_clause_that_binds_ourselves_stays_binding(board):
    other = standing_of(board, gdpr_28_3_a=Standing.BINDING)
    assert grouping.provision(other, "gdpr-28.3.a").column is Column.BINDING


def test_a_provision_is_satisfied_only_where_every_control_that_counts_is(found):
    for one in found:
        counted = [result for result in one.controls if result.verdict.state not in APART]
        if one.state is State.SATISFIED:
            assert counted
            assert all(result.verdict.state is State.SATISFIED for result in counted)
        elif counted and one.state is not None:
            assert not all(result.verdict.state is State.SATISFIED for result in counted)


def test_a_provision_without_a_control_has_no_state(found):
    assert {one.state for one in found if not one.controls} == {None}


def test_what_asks_nothing_has_no_state(found):
    assert {one.state for one in found if one.duty.standing is Standing.BASIS} == {None}


def test_the_tally_counts_everything_once(found):
    counts = grouping.tally(found)
    assert sum(sum(row.values()) for row in counts.values()) == len(found)
    assert tuple(counts) == ACTS


def test_a_choice_leaves_out_what_was_not_asked_for(found):
    chosen = grouping.chosen(found, act="NIS2", column="binding")
    assert chosen
    assert {(one.duty.obligation.act, one.column) for one in chosen} == {("NIS2", Column.BINDING)}
    assert grouping.chosen(found) == found
    assert {one.state for one in grouping.chosen(found, state="none")} == {None}


@pytest.mark.parametrize("wrong", [{"act": "Magna Carta"}, {"column": "probably"}, {"state": "green"}])
def test_a_word_that_there_is_not_is_told_with_those_that_there_are(found, wrong):
    with pytest.raises(UsageError, match="there are"):
        grouping.chosen(found, **wrong)


def test_groups_stand_in_the_order_of_the_columns_and_none_is_empty(found):
    groups = grouping.by_column(found)
    assert list(groups) == [column for column in Column if column in groups]
    assert all(groups.values())


def test_a_name_that_there_is_not_is_told(board):
    with pytest.raises(NotFound, match=r"nis2-21\.2\.g"):
        grouping.provision(board, "nis2-99")


def test_what_reaches_farthest_is_open_and_in_order(board):
    found = grouping.farthest(board, 5)
    assert len(found) == 5
    assert all(one.result.verdict.state in OPEN for one in found)
    assert [one.binding for one in found] == sorted((one.binding for one in found), reverse=True)


def test_where_nothing_binds_nothing_reaches():
    lab = sample()
    board = lab.board(lab.log.tenant, lab.now() - timedelta(days=30))
    assert all(one.upcoming or one.binding for one in grouping.farthest(board, 5))
