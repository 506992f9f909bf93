from dataclasses import replace

import pytest

from ringfence.cutoff.observing import SESSION, IncidentObserver, done_of, facts_of
from ringfence.incidents.model import FactKind
from ringfence.kernel.digest import Digest
from ringfence.soc.action import Act, ActionKind, Reason, Response, Ruling, State, Times
from ringfence.soc.ports import Answered, Raised
from ringfence.soc.respond import STORM
from ringfence.soc.sources.gateway import RULES
from ringfence.testing.clock import FakeClock
from ringfence.testing.incidents import TENANT, LabIncidents
from ringfence.testing.soc import ATTACKER, finding, node

NOW = FakeClock().now()
STATED = Digest.of(b"finding.raised")
ISOLATE, BLOCK, ALERT = ActionKind.ISOLATE_NODE, ActionKind.BLOCK_SOURCE, ActionKind.ALERT


def raised(rule="ssh-guessing-then-success", **facts):
    found = finding(rule, first_seen=NOW, last_seen=NOW)
    return replace(Raised(TENANT, "f-" + "0" * 24, found, node(), authenticated=True, statement=STATED), **facts)


def answered(*pairs):
    acts = tuple(Act(kind, "x", Ruling.TAKE, Reason.PLAYBOOK) for kind, _ in pairs)
    return Answered(Response(acts, 0, 0, 3), Times(NOW, NOW, NOW, NOW), tuple(state for _, state in pairs))


CUT = answered((ISOLATE, State.DONE), (BLOCK, State.DONE), (ALERT, State.DONE))


def test_only_what_was_carried_out_is_a_fact():
    found = done_of(raised(), answered((ISOLATE, State.FAILED), (BLOCK, State.DONE), (ALERT, State.WAITING)))
    assert [fact.kind for fact in found] == [FactKind.SOURCE_BLOCKED]


def test_each_act_is_told_with_its_time_and_what_it_rests_on():
    found = done_of(raised(node=node(serves=True)), CUT)
    assert [fact.kind for fact in found] == [FactKind.ISOLATED, FactKind.SOURCE_BLOCKED, FactKind.ALERT]
    assert {(fact.at, fact.node, fact.evidence, fact.customer_facing) for fact in found} == {
        (NOW, "n-00000001", (str(STATED),), True)
    }


def test_an_incident_knows_a_finding_by_its_reference_which_no_address_can_be_found_from():
    known = facts_of(raised(), NOW)
    assert (known.id, known.envelope, known.detected_at) == ("f-" + "0" * 24, str(STATED), NOW)
    assert (known.rule, known.subject, known.source) == ("ssh-guessing-then-success", "n-00000001", ATTACKER)
    assert facts_of(raised(node=None, statement=None), NOW).customer_facing is False


def test_a_storm_is_of_the_whole_tenant_and_names_no_node():
    storm = replace(finding(STORM, first_seen=NOW, last_seen=NOW), subject=TENANT, source="")
    assert facts_of(raised(finding=storm, node=None), NOW).subject == ""


def heard(sent, found, response=CUT):
    lab = LabIncidents()
    IncidentObserver(lab.watch, sent).consider(TENANT, found, response)
    (incident,) = lab.service.desk.open_ones(TENANT)
    return {fact.kind: fact for fact in incident.facts}


def test_what_left_the_node_was_counted_outside_of_it():
    asked = []

    def sent(*whom):
        asked.append(whom)
        return 2**20

    facts = heard(sent, raised())
    assert asked == [("n-00000001", ATTACKER)]
    assert f"{2**20} bytes" in facts[FactKind.DATA_SENT].text
    assert FactKind.ISOLATED in facts


@pytest.mark.parametrize(
    ("count", "found", "response"),
    [
        (SESSION, raised(), CUT),  # somebody looked around
        (2**20, raised(node=None), CUT),  # nobody knows which node
        (2**20, raised("ssh-guessing"), answered((BLOCK, State.DONE))),  # nobody came in
    ],
)
def test_nothing_is_said_to_have_left_where_that_is_not_known(count, found, response):
    assert FactKind.DATA_SENT not in heard(lambda *_: count, found, response)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_what_the_gateway_reports_is_of_no_node(rule):
    found = finding(rule, "k-0123456789ab", first_seen=NOW, last_seen=NOW)
    assert facts_of(raised(finding=found, node=None), NOW).subject == ""


def test_a_blocked_key_is_told_and_is_no_isolation():
    blocked = answered((ActionKind.BLOCK_KEY, State.DONE), (ALERT, State.DONE))
    found = done_of(raised("injection-burst", node=None), blocked)
    assert [(fact.kind, fact.node) for fact in found] == [(FactKind.KEY_BLOCKED, ""), (FactKind.ALERT, "")]
    assert not any(fact.customer_facing for fact in found)
