import json

import pytest

from ringfence.soc.action import Act, ActionKind, Reason, Response, Ruling, State, Times
from ringfence.soc.alerts import LONGEST, MAX_TEXT, changed, compose, plain, sentence
from ringfence.soc.ports import Answered, Raised
from ringfence.testing.clock import START
from ringfence.testing.soc import ATTACKER, TENANT, finding, node

HOSTILE = "x\r\nBcc: eve@example.org\x1b[2J<script>\u202e\udcff" + "A" * 5000


def raised(seen=None, on=None):
    return Raised(TENANT, "f-1", seen or finding(), on or node(), authenticated=True)


def answered(*acts, states=None):
    times = Times(START, START, START, START)
    return Answered(Response(acts, 0, 1, 3), times, states or tuple(State.DONE for _ in acts))


ISOLATED = Act(ActionKind.ISOLATE_NODE, "n-00000001", Ruling.TAKE, Reason.PLAYBOOK)


def test_it_says_what_was_seen_done_and_where_to_look():
    alert = compose(raised(), answered(ISOLATED))
    for part in ("name-of-n-00000001", ATTACKER, "the node was isolated", "ringfence findings show f-1", "after 0 ms"):
        assert part in alert.text
    assert alert.document["actions"] == [
        {"action": "isolate-node", "ruling": "take", "reason": "playbook", "state": "done"}
    ]


def test_the_same_finding_gives_the_same_alert():
    assert compose(raised(), answered(ISOLATED)).identifier == compose(raised(), answered()).identifier


@pytest.mark.parametrize("place", ["source", "title", "severity"])
def test_hostile_text_is_escaped_and_cut(place):
    alert = compose(raised(finding(**{place: HOSTILE})), answered(ISOLATED))
    whole = alert.subject + alert.text + json.dumps(alert.document)
    assert "\x1b" not in whole
    assert "\u202e" not in whole
    assert "\nBcc" not in alert.text
    assert len(alert.text) <= MAX_TEXT
    assert all(len(line) < 3 * LONGEST for line in alert.text.splitlines())


def test_a_hostile_node_name_stays_in_one_short_line():
    alert = compose(raised(on=node(HOSTILE)), answered(ISOLATED))
    assert len(alert.subject) <= 200
    assert alert.subject.isprintable()


def test_plain_text_stays():
    assert plain("198.51.100.7") == "198.51.100.7"
    assert plain("é\n") == r"\xe9\n"


def test_the_demo_is_marked():
    alert = compose(raised(), answered(ISOLATED), demo=True)
    assert alert.subject.startswith("[demo] ")
    assert alert.document["demo"] is True


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("ruling", list(Ruling))
@pytest.mark.parametrize("kind", list(ActionKind))
def test_every_act_has_a_sentence(kind, ruling, reason):
    assert sentence(Act(kind, "x", ruling, reason), State.DONE)


def test_a_cut_that_failed_is_not_called_done():
    assert "not isolated" in sentence(ISOLATED, State.FAILED)
    assert "not isolated yet" in sentence(ISOLATED, State.DESIRED)
    assert "a person decides" in sentence(ISOLATED, State.WAITING)
    assert "a person settled it" in sentence(ISOLATED, State.SETTLED)
    assert "would have been isolated" in sentence(
        Act(ActionKind.ISOLATE_NODE, "x", Ruling.WOULD, Reason.DRY_RUN), State.NONE
    )


def test_a_change_names_who_and_what():
    alert = changed(TENANT, 3, ("mode", "rules_off"), "person-0123456789ab")
    assert alert.about == "detection-3"
    assert "mode, rules_off" in alert.text
    assert "person-0123456789ab" in alert.text
