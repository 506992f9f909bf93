from dataclasses import replace

import pytest

from ringfence.incidents import acts, views
from ringfence.incidents.model import IncidentId, incident_id
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Unavailable
from ringfence.kernel.evidence import Stage
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.testing.incidents import SECURITY, TENANT, LabIncidents

OTHER = Person(PersonId("person-ffffffffffff"), Tenant("other"), Role.SECURITY)


@pytest.fixture
def lab():
    return LabIncidents()


def predicates(lab):
    return [envelope.statement.predicate for envelope, _ in lab.log.kept]


def declare(lab, name="i-0123abcd", **more):
    draft = acts.declared(IncidentId(name), more.pop("at", lab.clock.now()), "n-00000009", "somebody called")
    return lab.service.declare(SECURITY, *lab.log.signed(draft))


def test_an_incident_is_declared_by_hand_and_once(lab):
    name, done = declare(lab)
    assert done.stage is Stage.PUBLISHED
    shown = lab.room(name)
    assert shown.incident.nodes == ("n-00000009",)
    assert [clock.id for clock in shown.clocks] == ["triage"]
    assert declare(lab)[0] == name
    assert len(lab.room(name).incident.timeline) == 1
    with pytest.raises(Conflict, match="exists"):
        lab.service.declare(
            SECURITY,
            *lab.log.signed(replace(acts.declared(name, lab.clock.now(), "", "again"), idempotency_key="another")),
        )


def test_nothing_is_declared_as_noticed_in_the_future(lab):
    from datetime import timedelta

    with pytest.raises(MalformedInput, match="future"):
        declare(lab, at=lab.clock.now() + timedelta(minutes=1))
    assert lab.service.all(TENANT) == []


def test_an_act_that_is_posted_twice_is_taken_once(lab):
    name = lab.detect()
    draft = acts.triage(
        lab.seen(name), acts.Decision(False, (), "x", lab.room(name).incident.detected_at, lab.clock.now())
    )
    signed = lab.log.signed(replace(draft, idempotency_key="one"))
    first = lab.service.act(SECURITY, name, acts.TRIAGE, *signed)
    assert lab.service.act(SECURITY, name, acts.TRIAGE, *signed).envelope == first.envelope
    assert len(lab.room(name).incident.triages) == 1


def test_an_act_that_is_refused_leaves_neither_row_nor_statement(lab):
    name = lab.detect()
    before = len(lab.log.kept)
    with pytest.raises(MalformedInput):
        lab.triage(name, criteria=("9(a)",))
    assert len(lab.log.kept) == before
    assert len(lab.room(name).incident.timeline) == 1


def test_where_recording_fails_nothing_is_decided(lab):
    name = lab.detect()
    lab.log.broken = Unavailable("the disk is full")
    with pytest.raises(Unavailable):
        lab.triage(name)
    lab.log.broken = None
    assert lab.room(name).incident.triage is None


def test_incidents_of_other_tenants_do_not_exist(lab):
    name = lab.detect()
    with pytest.raises(NotFound):
        lab.service.room(OTHER.tenant, name)
    with pytest.raises(NotFound):
        lab.service.act(OTHER, name, acts.TRIAGE, *lab.log.signed(acts.triage(lab.seen(name), DECISION(lab, name))))
    assert lab.service.all(OTHER.tenant) == []
    with pytest.raises(NotFound):
        lab.service.room(TENANT, incident_id("i-ffffffff"))


def DECISION(lab, name):  # noqa: N802
    return acts.Decision(False, (), "x", lab.room(name).incident.detected_at, lab.clock.now())


def test_a_changed_or_missing_row_shows(lab):
    name = lab.detect()
    lab.detect("flow-denied-scan")
    assert lab.service.intact(TENANT, lab.room(name).incident)
    rows = lab.rows.timelines[TENANT, name]
    lab.rows.timelines[TENANT, name] = [rows[0], replace(rows[1], body={**rows[1].body, "note": "nothing happened"})]
    assert not lab.service.intact(TENANT, lab.room(name).incident)
    lab.rows.timelines[TENANT, name] = rows[:1]
    assert not lab.service.intact(TENANT, lab.room(name).incident)
    assert views.room(lab.service, TENANT, name)["timeline_intact"] is False


def test_a_draft_is_recorded_with_what_it_lacks(lab):
    name = lab.detect()
    draft, done = lab.service.drafted(TENANT, name)
    statement = lab.log.kept[-1][0].statement
    assert statement.predicate == "incident.draft"
    assert done.envelope == lab.log.kept[-1][0].digest
    assert statement.claims["unknown"] == sorted(
        field["field"] for field in draft["fields"] if field["basis"] == "not known at this time"
    )
    assert "contact" in statement.claims["unknown"]


def test_everything_that_happens_is_stated(lab):
    name = lab.detect()
    lab.triage(name)
    lab.file(name, "nis2.early_warning")
    assert predicates(lab) == ["incident.opened", "incident.triage", "incident.report"]
