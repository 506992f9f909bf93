import json
from dataclasses import replace

import pytest

from ringfence.obligations.results import APART, State, Verdict
from ringfence.obligations.threats.board import FAMILIES, by_stage, rows
from ringfence.obligations.threats.ports import Asset, Bound
from ringfence.obligations.threats.register import AssetKind, load
from ringfence.redteam import suites
from ringfence.testing.assurance import telling

REGISTER = load()


@pytest.fixture(scope="module")
def lab():
    return telling()


@pytest.fixture(scope="module")
def board(lab):
    return lab.board(lab.log.tenant)


@pytest.fixture(scope="module")
def found(lab, board):
    return {row.threat.id: row for row in rows(REGISTER, board, lab.held, lab.measured)}


def with_states(board, **states):
    """Return the board with other states of some controls."""
    return replace(
        board,
        controls=tuple(
            replace(one, verdict=Verdict(states.get(one.control.id.replace("-", "_"), one.verdict.state), "made up"))
            for one in board.controls
        ),
    )


def test_every_threat_is_there_with_its_own_controls(found):
    assert list(found) == [threat.id for threat in REGISTER.threats]
    for row in found.values():
        assert [one.control.id for one in row.controls] == list(row.threat.controls)


def test_one_control_that_is_not_satisfied_keeps_a_threat_from_reading_satisfied(board):
    states = dict.fromkeys(("DAT_01", "DAT_02", "DAT_04"), State.SATISFIED)
    for last in (State.NOT_SATISFIED, State.PENDING):
        (row, *_) = rows(REGISTER, with_states(board, **states, TST_03=last), (), ())
        assert row.state is last
        assert row.satisfied == 3
    (row, *_) = rows(REGISTER, with_states(board, **states, TST_03=State.SATISFIED), (), ())
    assert row.state is State.SATISFIED


def test_where_nothing_is_asked_nothing_is_satisfied(board):
    apart = dict.fromkeys(("DAT_01", "DAT_02", "DAT_04", "TST_03"), State.NOT_APPLICABLE)
    (row, *_) = rows(REGISTER, with_states(board, **apart), (), ())
    assert row.state in APART
    assert row.counted == ()


def test_assets_are_those_of_the_kinds_that_a_threat_touches(found):
    assert {one.kind for one in found["T01"].assets} == {AssetKind.DATASET}
    assert {one.kind for one in found["T06"].assets} == {AssetKind.MODEL, AssetKind.ENDPOINT}
    assert found["T25"].assets == ()
    assert found["T25"].here  # logs: the organisation's own


def test_a_threat_to_nothing_that_is_held_is_not_here(board):
    held = [Asset(AssetKind.NODE, "web", "/nodes/web")]
    found = {row.threat.id: row for row in rows(REGISTER, board, held, ())}
    assert found["T24"].here
    assert not found["T01"].here


def test_a_bound_stands_only_beside_the_threat_that_its_family_tries_out(found):
    assert [one.family for one in found["T07"].bounds] == ["direct-override"]
    assert [one.family for one in found["T08"].bounds] == ["indirect-mail"]
    assert found["T01"].bounds == ()  # its control runs attacks too, of another kind
    assert "own-family" not in {bound.family for row in found.values() for bound in row.bounds}


def test_a_bound_alone_makes_nothing_satisfied(board):
    good = [Bound("direct-override", "ASR ≤ 0.76 % (95 %, n=500)", "satisfied", 1)]
    found = {row.threat.id: row for row in rows(REGISTER, with_states(board, TST_03=State.NOT_SATISFIED), (), good)}
    assert found["T07"].state is State.NOT_SATISFIED


def test_every_family_of_the_suite_that_ships_has_its_threat():
    lines = suites.corpus("injection").splitlines()
    shipped = {row["family"] for line in lines if (row := json.loads(line)).get("family")}
    assert shipped == set(FAMILIES)
    assert set(FAMILIES.values()) <= {threat.id for threat in REGISTER.threats}


def test_groups_hold_every_threat_once_in_the_order_of_a_life(found):
    groups = by_stage(REGISTER, found.values())
    assert sorted(row.threat.id for _, group in groups for row in group) == list(found)
    stages = [stage for stage, _ in groups]
    assert stages[-1] == "every stage"
    assert stages[:-1] == [stage for stage in REGISTER.stages if stage in stages]
