from datetime import timedelta

import pytest

from ringfence.obligations.reasons.freshness import bar
from ringfence.testing.console import sample


@pytest.fixture(scope="module")
def lab():
    return sample()


def part(lab, control, at=None):
    board = lab.board(lab.log.tenant, at)
    return next(one for one in board.controls if one.control.id == control).requirements[0]


def test_a_bar_runs_from_the_evidence_to_its_end(lab):
    beat = part(lab, "LOG-06")
    found = bar(beat, lab.now())
    assert found.until == beat.verdict.next_change
    assert found.until - found.since == beat.requirement.freshness
    assert 0 <= found.gone < 100


def test_half_of_the_time_is_half_of_the_bar(lab):
    beat = part(lab, "LOG-06")
    half = beat.verdict.next_change - beat.requirement.freshness / 2
    assert bar(beat, half).gone == 50


def test_a_bar_never_leaves_its_frame(lab):
    beat = part(lab, "LOG-06")
    assert bar(beat, lab.now() + timedelta(days=4000)).gone == 100
    assert bar(beat, lab.now() - timedelta(days=4000)).gone == 0


@pytest.mark.parametrize("control", ["DAT-01", "SEC-05"])
def test_what_does_not_hold_or_does_not_run_out_has_none(lab, control):
    assert bar(part(lab, control), lab.now()) is None
