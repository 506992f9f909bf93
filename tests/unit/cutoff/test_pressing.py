from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.compute.model import (
    Containment,
    Node,
    NodeClass,
    NodeId,
    NodeSpec,
    NodeState,
    QuarantineKind,
    Release,
    ReleaseState,
)
from ringfence.cutoff.pressing import of_alert, of_alerts, of_fault, of_findings, of_incident, of_node, summary, unheard
from ringfence.frontends.waiting import Item, Kind
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId
from ringfence.soc.action import ActionKind, State
from ringfence.soc.faults import Fault
from ringfence.soc.ports import Delivery, Raised
from ringfence.testing import soc
from ringfence.testing.incidents import TENANT, LabIncidents

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
REQUEST = Digest.of(b"request")


def waiting_in(lab, name):
    shown = lab.room(name)
    return of_incident(shown.incident, shown.clocks)


def node(containment):
    spec = NodeSpec(NodeId("n-00000001"), "web", TENANT, NodeClass.VM, 256, 50, 64, (), None, training=False)
    states = (NodeState.READY, NodeState.READY)
    kind = QuarantineKind.OUTSIDE_GUEST
    return Node(spec, Digest.of(b"node"), "vm-emulated", kind, *states, NOW, NOW, containment=containment, quarantine=1)


def release(state):
    return Release(REQUEST, NodeId("n-00000001"), TENANT, 1, PersonId("person-0123456789ab"), NOW, "clean", state)


@pytest.mark.parametrize("containment", [one for one in Containment if one is not Containment.NONE])
def test_a_node_that_is_cut_off_waits_for_two_people(containment):
    found = of_node(node(containment), [release(ReleaseState.VOID)])
    assert (found.kind, found.link) == (Kind.CUT_OFF, "/nodes/web")
    assert found.command == "ringfence node release web --reason TEXT"


def test_once_one_has_asked_the_second_person_is_named_the_request():
    found = of_node(node(Containment.QUARANTINED), [release(ReleaseState.VOID), release(ReleaseState.ASKED)])
    assert "second person" in found.text
    assert found.command == f"ringfence node release web --approve {REQUEST}"


def test_an_undecided_incident_waits_with_its_provisional_clock():
    lab = LabIncidents()
    name = lab.detect(title="guessing\x1b[31m")
    (found,) = waiting_in(lab, name)
    assert (found.kind, found.link) == (Kind.UNDECIDED, f"/incidents/{name}")
    assert found.due == lab.clock.now() + timedelta(hours=24)
    assert found.command == f"ringfence incident triage {name}"
    assert "\x1b" not in found.text


def test_a_decided_one_waits_with_each_clock_that_runs_and_none_that_was_met():
    lab = LabIncidents()
    name = lab.detect()
    lab.triage(name)
    before = waiting_in(lab, name)
    assert {item.kind for item in before} == {Kind.CLOCK}
    assert len(before) == 4  # early warning, notification, two customers
    assert any("(hospital)" in item.text and "--customer hospital " in item.command for item in before)
    assert any("--stage nis2.early_warning " in item.command for item in before)
    lab.file(name, "nis2.early_warning")
    assert len(waiting_in(lab, name)) == 3


def test_clocks_are_counted_and_the_nearest_named():
    lab = LabIncidents()
    assert summary([]) is None
    assert summary([Item(Kind.CUT_OFF, "x", "/"), Item(Kind.NOT_SENT, "x", "/")]) is None
    name = lab.detect()
    lab.triage(name)
    found = summary(waiting_in(lab, name))
    assert (found.count, found.nearest) == (4, lab.clock.now() + timedelta(hours=4))
    assert summary([Item(Kind.CLOCK, "x", "/")]).nearest is None
    undecided = Item(Kind.UNDECIDED, "x", "/", lab.clock.now())
    assert summary([undecided]).nearest == lab.clock.now()


def raised(**facts):
    return Raised(TENANT, "f-1", soc.finding(**facts), soc.node(), authenticated=True)


def test_a_finding_waits_once_with_everything_that_is_left_to_a_person():
    acts = [soc.ruled("f-1", kind, State.WAITING) for kind in (ActionKind.ISOLATE_NODE, ActionKind.BLOCK_SOURCE)]
    (found,) = of_findings([(raised(), act) for act in acts])
    assert (found.kind, found.link) == (Kind.QUEUED, "/findings/f-1")
    assert "the node was not isolated" in found.text
    assert "the source was not blocked" in found.text
    assert found.command == "ringfence node quarantine name-of-n-00000001 --reason TEXT"


def test_what_cannot_be_done_by_cutting_off_a_node_is_settled():
    (found,) = of_findings([(raised(), soc.ruled("f-1", state=State.WAITING))])
    assert found.command == "ringfence findings settle f-1 --reason TEXT"


def test_hostile_text_is_shown_as_plain_ascii():
    storm = Raised(TENANT, "f-2", soc.finding(subject="a\x1b[31m\u202e"), None, authenticated=True)
    (found,) = of_findings([(storm, soc.ruled("f-2", ActionKind.ISOLATE_NODE, State.WAITING))])
    assert found.command == "ringfence findings settle f-2 --reason TEXT"  # there is no node of ours to cut off
    assert found.text.isascii()
    assert found.text.isprintable()


@pytest.mark.parametrize(
    ("about", "page"), [("f-1", "/findings/f-1"), ("i-00000001", "/incidents/i-00000001"), ("detection-3", "/findings")]
)
def test_an_alert_that_did_not_go_out_leads_to_what_it_was_about(about, page):
    alert = replace(soc.alert(), about=about)
    failing, lost = (Delivery(alert, "mail", NOW, attempts, NOW) for attempts in (1, 40))
    late, gone = of_alert(failing, "waiting"), of_alert(lost, "given-up")
    assert late.link == gone.link == page
    assert late.presses(NOW)
    assert ("1 attempt:" in late.text, late.command) == (True, "")
    assert gone.command == f"ringfence findings settle {about} --reason TEXT"


def test_alerts_without_a_channel_reach_nobody():
    assert unheard("no channel is set up").presses(NOW)


def test_a_channel_that_fails_is_one_line_and_each_alert_that_was_given_up_its_own():
    several = [Delivery(soc.alert(str(number) * 24), "mail", NOW, number, NOW) for number in range(1, 6)]
    (one,) = of_alerts([(several[0], "waiting")])
    assert one == of_alert(several[0], "waiting")
    lost, many = of_alerts([(each, "given-up" if each is several[4] else "waiting") for each in several])
    assert "settle" in lost.command
    assert "4 alerts are not sent yet" in many.text


def test_a_key_that_waits_is_blocked_by_its_id():
    seen = soc.finding("api-key-guessing-then-success", "k-0123456789ab", last_seen=NOW)
    raised = Raised(TENANT, "f-3", seen, None, authenticated=True)
    waiting = soc.ruled("f-3", ActionKind.BLOCK_KEY, State.WAITING)
    waiting = replace(waiting, act=replace(waiting.act, target="k-0123456789ab"))
    (found,) = of_findings([(raised, waiting)])
    assert found.command == "ringfence key block k-0123456789ab --reason TEXT"
    assert "api-key-guessing-then-success on k-0123456789ab" in found.text


def test_what_does_not_work_presses_at_once_and_hostile_words_stay_words():
    fault = Fault("segment-refused", TENANT, "acme 2", NOW, "a gap \x1b[2J")
    found = of_fault(fault)
    assert found.presses(NOW)
    assert "not taken into the log" in found.text
    assert "\x1b" not in found.text
    assert found.command == "ringfence doctor"
