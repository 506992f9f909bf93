from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.incidents import acts, room
from ringfence.incidents.model import IncidentId
from ringfence.kernel.errors import InternalError
from ringfence.testing.incidents import CARS, SECURITY, TENANT, LabIncidents

H = timedelta(hours=1)


@pytest.fixture
def lab():
    return LabIncidents()


def merged(lab, name, other):
    lab.post(name, acts.corrected(lab.seen(name), "merge", reason="one attack", other=other))


def test_a_merger_keeps_the_earliest_awareness_and_the_reports_of_both(lab):
    first, second = lab.detect(), lab.detect(subject="n-00000002")
    lab.triage(second)
    early = lab.clock.now()
    lab.file(second, "nis2.early_warning")
    lab.clock.advance(5 * H)
    lab.triage(first)
    merged(lab, first, second)
    clock = lab.clocks(first)["nis2.early_warning"]
    assert (clock.started_at, clock.state) == (early, "met")
    assert lab.room(second).incident.merged_into == first
    assert lab.room(second).clocks[0].id != "triage"
    assert lab.room(first).incident.nodes == ("n-00000001", "n-00000002")


def test_a_merger_with_a_later_awareness_gives_no_more_time(lab):
    first, second = lab.detect(), lab.detect(subject="n-00000002")
    lab.triage(first)
    due = lab.clocks(first)["nis2.early_warning"].due_at
    lab.clock.advance(5 * H)
    lab.triage(second)
    merged(lab, first, second)
    assert lab.clocks(first)["nis2.early_warning"].due_at == due


def test_a_merger_with_something_undecided_is_undecided_or_significant(lab):
    first, second = lab.detect(), lab.detect(subject="n-00000002")
    lab.triage(first, significant=False)
    merged(lab, first, second)
    assert lab.room(first).incident.state == "untriaged"
    third = lab.detect(subject="n-00000003")
    lab.triage(third)
    merged(lab, first, third)
    shown = lab.room(first).incident
    assert (shown.state, shown.significant) == ("significant", True)


def test_a_split_keeps_awareness_and_reports_in_each_part(lab):
    name = lab.detect("ssh-guessing-then-success")
    lab.triage(name)
    lab.file(name, "nis2.early_warning")
    lab.detect("flow-denied-scan")
    before = lab.clocks(name)
    scan = lab.room(name).incident.findings[1].id
    lab.post(name, acts.corrected(lab.seen(name), "split", reason="another matter", findings=(scan,)))
    (part,) = [one.incident for one in lab.service.all(TENANT) if one.incident.id != name]
    assert [finding.id for finding in part.findings] == [scan]
    assert len(lab.room(name).incident.findings) == 1
    assert lab.clocks(part.id) == lab.clocks(name) == before
    assert lab.service.intact(TENANT, part)


def test_a_correction_keeps_the_old_value_with_who_and_when(lab):
    name = lab.detect()
    lab.triage(name)
    old = lab.room(name).incident.awareness[0]
    lab.clock.advance(H)
    text = "2026-11-22T08:00:00.000Z"
    lab.post(name, acts.corrected(lab.seen(name), "aware-at", reason="I was told by phone", value=text))
    shown = lab.room(name).incident
    (noted,) = shown.corrections
    assert (noted.old, noted.new, noted.by) == ("2026-11-22T09:00:00.000Z", text, SECURITY.id)
    assert noted.at == lab.clock.now()
    assert old in shown.awareness
    assert lab.clocks(name)[f"contract.customer_notice/{CARS.id}"].started_at.hour == 8


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("detected-at", "2026-11-22T08:30:00.000Z"),
        ("occurred-at", "2026-11-22T07:00:00.000Z"),
        ("contact", "Dana, 112"),
    ],
)
def test_every_field_that_can_be_corrected_changes_and_is_noted(lab, field, value):
    name = lab.detect()
    lab.triage(name)
    lab.post(name, acts.corrected(lab.seen(name), field, reason="checked", value=value))
    shown = lab.room(name).incident
    assert room.value_of(shown, field) == value
    assert shown.corrections[0].new == value


def test_a_later_detection_gives_no_more_time_to_decide(lab):
    name = lab.detect()
    lab.clock.advance(3 * H)
    due = lab.room(name).clocks[0].due_at
    text = "2026-11-22T11:00:00.000Z"
    lab.post(name, acts.corrected(lab.seen(name), "detected-at", reason="checked", value=text))
    assert lab.room(name).clocks[0].due_at == due


def test_deciding_anew_opens_a_closed_incident(lab):
    name = lab.detect()
    lab.triage(name, significant=False)
    lab.post(name, acts.closed(lab.seen(name), lab.clock.now(), "nothing"))
    assert lab.room(name).incident.state == "closed"
    lab.triage(name)
    assert lab.room(name).incident.state == "significant"
    assert lab.service.desk.open_ones(TENANT)


def test_a_finding_is_news_where_it_is_new_or_has_doubled(lab):
    name = lab.detect(count=6)
    shown = lab.room(name).incident
    known = shown.findings[0]
    assert not room.is_news(shown, replace(known, count=11))
    assert room.is_news(shown, replace(known, count=12))
    assert room.is_news(shown, replace(known, severity="critical"))
    assert room.is_news(shown, lab.finding())


@pytest.mark.parametrize(
    "damage",
    [
        lambda rows: rows[1:],
        lambda rows: [rows[0], rows[0]],
        lambda rows: [rows[0], replace(rows[0], position=2)],
        lambda rows: [rows[0], replace(rows[1], kind="forgotten")],
        lambda _rows: [],
    ],
)
def test_rows_that_are_no_timeline_are_refused(lab, damage):
    name = lab.detect()
    lab.detect("flow-denied-scan")
    rows = list(lab.rows.events(TENANT, name))
    with pytest.raises(InternalError):
        room.fold(IncidentId(name), damage(rows))
