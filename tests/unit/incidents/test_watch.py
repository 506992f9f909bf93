from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.incidents import acts, room
from ringfence.incidents.model import Fact, FactKind
from ringfence.incidents.watch import Watch
from ringfence.testing.incidents import TENANT, LabIncidents

NODE = "n-00000001"


@pytest.fixture
def lab():
    return LabIncidents()


def test_findings_about_one_node_come_into_one_incident(lab):
    name = lab.detect()
    assert lab.detect("ssh-guessing-then-success", source="198.51.100.1") == name
    assert lab.detect(subject="n-00000002") != name


def test_what_is_known_adds_nothing(lab):
    finding = lab.finding()
    fact = Fact(FactKind.ISOLATED, lab.clock.now(), NODE, evidence=("sha256:aa",))
    for _ in range(3):
        name = lab.watch.consider(TENANT, finding, (fact,))
    assert len(lab.room(name).incident.timeline) == 2
    assert len(lab.log.kept) == 2


def test_a_long_attack_is_recorded_each_time_that_it_has_doubled(lab):
    finding = lab.finding(count=5)
    for count in range(5, 101):
        name = lab.watch.consider(TENANT, replace(finding, count=count))
    assert len(lab.room(name).incident.timeline) == 5  # 5, 10, 20, 40, 80
    assert lab.room(name).incident.findings[0].count == 80


@pytest.mark.parametrize("severity", ["low", "informational", "LOW"])
def test_a_slight_finding_opens_nothing_but_belongs_to_what_is_open(lab, severity):
    assert lab.watch.consider(TENANT, lab.finding(severity=severity)) is None
    name = lab.detect()
    assert lab.watch.consider(TENANT, lab.finding(severity=severity)) == name


def test_a_closed_incident_is_not_extended(lab):
    name = lab.detect()
    lab.triage(name, significant=False)
    lab.post(name, acts.closed(lab.seen(name), lab.clock.now(), "nothing"))
    assert lab.detect() != name


def test_what_happens_to_a_node_without_incident_is_not_ours(lab):
    assert lab.watch.note(TENANT, Fact(FactKind.ISOLATED, lab.clock.now(), NODE)) is None


def test_a_finding_about_the_whole_tenant_names_no_node_and_comes_into_one_incident(lab):
    name = lab.detect("response-storm", subject="", source="")
    assert lab.detect("response-storm", subject="", source="") == name
    shown = lab.room(name)
    assert shown.incident.nodes == ()
    assert shown.incident.timeline[-1].text == "response-storm: 6 events"
    said = {field["field"]: field["value"] for field in lab.service.draft(TENANT, shown)["fields"]}
    assert said["short_description"].startswith("response-storm: 6 events from an unknown source")
    assert lab.detect() != name


def test_what_the_tenant_is_is_asked_once_for_all_incidents_of_a_sweep(lab):
    for number in range(5):
        lab.detect(subject=f"n-0000000{number}")
    asked = []
    service = replace(lab.service, thresholds=lambda: asked.append(1) or lab.service.thresholds())
    assert Watch(service, lab.watch.notifier).sweep(TENANT) == 0
    assert asked == [1]


def test_warnings_are_sent_once_also_after_a_restart(lab):
    lab.detect()
    assert lab.watch.sweep(TENANT) == 0
    lab.clock.advance(timedelta(hours=13))
    assert lab.watch.sweep(TENANT) == 1
    lab.watch = Watch(lab.restarted(), lab.watch.notifier)
    assert lab.watch.sweep(TENANT) == 0
    lab.clock.advance(timedelta(hours=12))
    assert lab.watch.sweep(TENANT) == 1
    assert [text.rpartition(", ")[2] for text in lab.alerts] == ["reminded", "overdue"]


def test_a_clock_of_the_law_warns_and_goes_on_to_warn_after_closing(lab):
    name = lab.detect()
    lab.triage(name, customers=())
    lab.post(name, acts.closed(lab.seen(name), lab.clock.now(), "service restored"))
    lab.clock.advance(timedelta(hours=25))
    lab.watch.sweep(TENANT)
    assert any("early warning" in text and "overdue" in text for text in lab.alerts)
    assert lab.service.desk.unfinished(TENANT)


def test_what_is_closed_without_a_running_clock_is_not_watched_any_more(lab):
    name = lab.detect()
    lab.triage(name, significant=False)
    lab.post(name, acts.closed(lab.seen(name), lab.clock.now(), "nothing"))
    lab.watch.sweep(TENANT)
    assert lab.service.desk.unfinished(TENANT) == []
    lab.triage(name)
    assert [one.id for one in lab.service.desk.unfinished(TENANT)] == [name]


def test_an_isolation_warns_by_itself_at_twenty_minutes(lab):
    lab.detect()
    lab.watch.note(TENANT, Fact(FactKind.ISOLATED, lab.clock.now(), NODE, customer_facing=True))
    for _ in range(21):
        lab.watch.sweep(TENANT)
        lab.clock.advance(timedelta(minutes=1))
    assert len(lab.alerts) == 1
    assert "7(a)" in lab.alerts[0]
    assert "20 min" in lab.alerts[0]


def test_hostile_text_of_any_length_fits(lab):
    name = lab.detect(
        title="\udcff" * 3 + "x" * 9000, evidence=("y",) * 500, excerpts=("\x00\udc80",), source="z" * 900
    )
    finding = lab.room(name).incident.findings[0]
    assert len(finding.evidence) == 32
    assert len(finding.title) <= 9000
    assert finding.excerpts == ("\x00\\udc80",)


def test_what_happened_before_an_incident_is_no_part_of_it(lab):
    name = lab.detect()
    before = lab.room(name).incident.detected_at - timedelta(seconds=1)
    assert lab.watch.note(TENANT, Fact(FactKind.RELEASED, before, NODE)) is None
    assert lab.watch.note(TENANT, Fact(FactKind.RELEASED, lab.clock.now(), NODE)) == name


def test_a_crowd_of_strangers_cannot_make_a_timeline_grow_without_end(lab):
    name = lab.detect()
    for number in range(room.MOST_OF_A_RULE + 5):
        blocked = Fact(FactKind.SOURCE_BLOCKED, lab.clock.now() + timedelta(seconds=number), NODE)
        assert lab.detect("ssh-guessing", blocked, source=f"198.51.{number // 250}.{number % 250}") == name
    incident = lab.room(name).incident
    assert len(incident.findings) == room.MOST_OF_A_RULE
    assert len(incident.timeline) <= 2 * room.MOST_OF_A_RULE
    cut = Fact(FactKind.ISOLATED, lab.clock.now(), NODE)
    assert lab.detect("ssh-guessing", cut, source="192.0.2.99") == name
    assert cut.kind in {fact.kind for fact in lab.room(name).incident.facts}, (
        "what was done to the node is never left out"
    )
    assert lab.detect("ssh-guessing-then-success", source="192.0.2.99") == name
    assert len(lab.room(name).incident.findings) == room.MOST_OF_A_RULE + 1
