"""Sensors that stop."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.detection.silence import Silence, without

START = datetime(2026, 3, 7, tzinfo=UTC)
STEP = timedelta(seconds=20)


def test_three_missed_intervals_are_a_finding_that_stays_the_same() -> None:
    silence = Silence(STEP)
    silence.heard("n", "sshd", START)
    silence.heard("m", "sshd", START + 3 * STEP)
    assert silence.due(START + 3 * STEP - timedelta(microseconds=1)) == []
    (first,), (later,) = silence.due(START + 3 * STEP), silence.due(START + 5 * STEP)
    assert (first.rule, first.subject, first.source, first.id == later.id) == ("source-silent", "n", "", True)
    assert without([first, later], {first.id: 1}) == []


def test_heard_again_and_forgotten() -> None:
    silence = Silence(STEP)
    silence.heard("n", "sshd", START)
    silence.heard("m", "sshd", START)
    silence.heard("n", "sshd", START + 3 * STEP)
    silence.heard("n", "sshd", START)  # a backlog does not set the watch back
    silence.forget("m")
    assert silence.due(START + 4 * STEP) == []


def test_restart() -> None:
    silence, again = Silence(STEP), Silence(STEP)
    silence.heard("n", "sshd", START)
    again.restore(json.loads(json.dumps(silence.snapshot())))
    assert again.due(START + 3 * STEP) == silence.due(START + 3 * STEP) != []
    with pytest.raises(MalformedInput):
        again.restore([1])
