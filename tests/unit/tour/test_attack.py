"""What the attack reads out of the answers of verbs; the attack itself is played in tests/system/test_tour.py."""

import json
import subprocess
import sys

import pytest

from ringfence.kernel.errors import VerificationFailed
from ringfence.kernel.identifier import PersonId
from ringfence.tour import attack, cli
from ringfence.tour.lab import until
from ringfence.tour.stage import Stage

PERSON = PersonId("person-00000000000a")


def answering(tmp_path, document):
    def verb(_):
        sys.stdout.write(json.dumps(document))

    return Stage(tmp_path, tmp_path, PERSON, PERSON, PERSON, verb, lambda _: None)


def finding(source, *states):
    return {"source": source, "actions": [{"state": state, "says": f"it is {state}"} for state in states]}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([], False),
        ([finding("203.0.113.7", "done")], True),
        ([finding("203.0.113.8", "done")], False),  # somebody else's
        ([finding("203.0.113.7", "done", "desired")], False),  # not acted on yet
        ([finding("203.0.113.7")], False),  # not decided yet
    ],
)
def test_a_finding_counts_once_it_was_acted_on(tmp_path, given, found):
    stage = answering(tmp_path, {"findings": given})
    assert bool(attack._finding(stage, "ssh-guessing", "203.0.113.7")) is found


def test_an_incident_that_is_closed_waits_for_nobody(tmp_path):
    closed, waiting = {"incident": "i-00000001", "state": "closed"}, {"incident": "i-00000002", "state": "untriaged"}
    assert attack._open_incident(answering(tmp_path, {"incidents": [closed, waiting]})) == "i-00000002"
    assert attack._open_incident(answering(tmp_path, {"incidents": [closed]})) is None


def test_a_clock_without_a_time_is_due_on_request():
    assert attack._due({"state": "untimed", "due_at": None}) == "untimed, due on request"


def test_what_was_done_is_said_in_one_line():
    assert attack._says(finding("", "done", "none")) == "it is done; it is none"


def test_without_namespace_nodes_it_says_why_and_plays_nothing(tmp_path):
    offer = {"class": "namespace", "available": False, "because": "missing: bwrap"}
    assert "missing: bwrap" in attack.attack(answering(tmp_path, {"offers": [offer]}))["attack"]


def test_waiting_for_what_never_comes_ends():
    with pytest.raises(VerificationFailed, match="the cut did not happen"):
        until(lambda: None, "the cut", seconds=0.01)


def test_a_program_that_fails_or_hangs_fails_its_step_only(tmp_path):
    stage = answering(tmp_path, {"size": 3, "statements": []})
    for error in (subprocess.CalledProcessError(255, "ssh"), subprocess.TimeoutExpired("ssh", 120)):
        played = cli._played(stage, "place", raising(error))
        assert (played["ok"], played["facts"]) == (False, {"error": str(error)})


def raising(error):
    def step(_stage):
        raise error

    return step
