"""What the attacks find to begin with; they are played in tests/system/test_practice.py."""

import json
import socket
import sys

import pytest

from ringfence.frontends.client import SOCKET
from ringfence.kernel.errors import Refused, Unavailable
from ringfence.kernel.identifier import PersonId
from ringfence.storage import sockets
from ringfence.storage.turns import replacing
from ringfence.testing.home import make
from ringfence.tour import rehearsal
from ringfence.tour.stage import PEOPLE, Stage
from ringfence.workloads.practice import ground
from ringfence.workloads.practice.playing import Attack

PERSON = PersonId("person-00000000000a")


def answering(tmp_path, documents, asked=None):
    def verb(arguments):
        (asked if asked is not None else []).append(list(arguments))
        sys.stdout.write(json.dumps(documents[arguments[0], arguments[1]]))

    return Stage(tmp_path, tmp_path, PERSON, PERSON, PERSON, verb, lambda _: None)


def never(_):
    raise AssertionError("a verb was run")


def test_no_attack_is_played_on_an_own_installation(home):
    with pytest.raises(Refused, match="in a practice only"):
        rehearsal.attack(home.path, Attack.LEAKED, never, print)


def test_an_attack_asks_for_a_practice_that_runs(tmp_path, clock):
    home = make(tmp_path / "practice", clock, demo=True, log=ground.origin())
    with pytest.raises(Unavailable, match="does not run"):
        rehearsal.attack(home.path, Attack.LEAKED, never, print)


def test_one_attack_is_played_at_a_time(tmp_path, clock):
    home = make(tmp_path / "practice", clock, demo=True, log=ground.origin()).path
    people = [{"person": PERSON, "name": name, "removed_at": None} for name, _ in PEOPLE]
    verb = answering(home, {("user", "list"): {"people": people}}).run_verb
    (home / "tour").mkdir()
    with socket.socket(socket.AF_UNIX) as served, replacing(home / "tour", "in"):
        sockets.bind(served, home / SOCKET)
        served.listen()
        with pytest.raises(Unavailable, match="an attack is being played"):
            rehearsal.attack(home, Attack.GUESSES, verb, print)


def test_a_practice_is_made_once_and_is_demo(tmp_path):
    rehearsal.ready(tmp_path / "practice")
    marker = (tmp_path / "practice" / "ringfence.json").read_bytes()
    rehearsal.ready(tmp_path / "practice")
    assert (tmp_path / "practice" / "ringfence.json").read_bytes() == marker
    assert json.loads(marker)["log"].startswith("demo/practice-")
    assert "hospital-group" in (tmp_path / "practice" / "organisation.json").read_text(encoding="utf-8")


def test_a_node_that_is_cut_off_stays_so_and_the_others_go(tmp_path):
    nodes = [
        {"name": "practice-aa", "containment": "quarantined"},
        {"name": "practice-bb", "containment": "none"},
        {"name": "mine", "containment": "none"},
    ]
    asked = []
    stage = answering(tmp_path, {("node", "list"): {"nodes": nodes}, ("node", "stop"): {}}, asked)
    assert rehearsal._next_node(stage).startswith("practice-")
    assert [words[:3] for words in asked if words[1] == "stop"] == [["node", "stop", "practice-bb"]]


def test_the_incident_is_the_one_about_the_node(tmp_path):
    incidents = [{"incident": "i-1", "nodes": ["n-other"]}, {"incident": "i-2", "nodes": ["n-1"]}]
    documents = {("node", "show"): {"node": "n-1"}, ("incident", "list"): {"incidents": incidents}}
    assert rehearsal._about(answering(tmp_path, documents), "practice-aa") == "i-2"
    documents[("incident", "list")] = {"incidents": incidents[:1]}
    assert rehearsal._about(answering(tmp_path, documents), "practice-aa") is None


def test_the_scope_is_signed_once(tmp_path):
    stated = {("ledger", "list"): {"statements": [{"entry": 7}]}}
    rehearsal._scoped(answering(tmp_path, stated))
