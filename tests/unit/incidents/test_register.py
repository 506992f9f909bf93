"""What the register says of incidents, over the real service with fakes beneath."""

import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from ringfence.incidents import acts, register
from ringfence.incidents.register import REGISTER, Register
from ringfence.kernel.digest import Digest
from ringfence.testing.incidents import CARS, HOSPITAL, LICENCE_ONLY, SECURITY, TENANT, LabIncidents

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "specs" / "predicates" / "incident.register.schema.json").read_text("utf-8")
)
HOUR = timedelta(hours=1)
QUIET = {
    **dict.fromkeys(("incidents", "open", "undecided", "undecidedOverdue", "omitted"), 0),
    **dict.fromkeys(("reportsInTime", "reportsLate", "reportsOverdue", "noticesLate", "noticesOverdue"), 0),
    **{name: [] for name in ("decisions", "significant", "reports", "notices", "reviews")},
}


@pytest.fixture
def lab():
    return LabIncidents()


def stated(lab):
    Register(lab.service).record(TENANT)
    (statement,) = lab.log.statements(TENANT, [REGISTER])[-1:]
    claims = dict(statement.claims)
    jsonschema.validate(claims, SCHEMA)
    return claims


def tell(lab, name, customer):
    details = {"reference": "AB-1", "salt": "00" * 32, "to": "the contract's contact"}
    lab.post(name, acts.noticed(lab.seen(name), customer.id, lab.clock.now(), Digest.of(b"receipt"), details))


def close(lab, name):
    lab.post(name, acts.closed(lab.seen(name), lab.clock.now(), "handled"))


def correct(lab, name, what, **given):
    return lab.post(name, acts.corrected(lab.seen(name), what, reason="looked again", **given))


def test_without_incidents_everything_is_nothing(lab):
    assert stated(lab) == QUIET


def test_an_incident_may_wait_a_day_for_its_decision(lab):
    name = lab.detect()
    assert stated(lab) == QUIET | {"incidents": 1, "open": 1, "undecided": 1}
    lab.clock.advance(24 * HOUR)
    assert stated(lab)["undecidedOverdue"] == 0
    lab.clock.advance(timedelta(milliseconds=1))
    assert stated(lab) == QUIET | {
        "incidents": 1,
        "open": 1,
        "undecided": 1,
        "undecidedOverdue": 1,
        "decisions": [name],
    }


def test_a_decision_is_asked_of_what_was_decided(lab):
    name = lab.detect()
    lab.triage(name, significant=False)
    assert stated(lab) == QUIET | {"incidents": 1, "open": 1, "decisions": [name]}


def test_a_new_finding_after_a_no_waits_for_a_decision_again(lab):
    name = lab.detect()
    lab.triage(name, significant=False)
    lab.clock.advance(HOUR)
    assert lab.detect("ssh-guessing-then-success") == name
    assert stated(lab) == QUIET | {"incidents": 1, "open": 1, "undecided": 1}


def test_a_stage_that_was_filed_in_time_is_counted_and_asked_for(lab):
    name = lab.detect()
    lab.triage(name)
    assert stated(lab)["reports"] == []
    lab.file(name, "nis2.early_warning")
    found = stated(lab)
    assert (found["reportsInTime"], found["reports"]) == (1, [name])
    assert found["significant"] == [name]


def test_a_missed_stage_is_overdue_and_once_filed_late(lab):
    name = lab.detect()
    lab.triage(name)
    lab.clock.advance(24 * HOUR)
    assert stated(lab)["reportsOverdue"] == 0
    lab.clock.advance(HOUR)
    found = stated(lab)
    assert (found["reportsOverdue"], found["reportsLate"], found["reports"]) == (1, 0, [name])
    lab.file(name, "nis2.early_warning")
    found = stated(lab)
    assert (found["reportsOverdue"], found["reportsLate"], found["reportsInTime"]) == (0, 1, 0)


def test_a_notice_that_a_contract_asks_for_is_overdue_and_once_given_late(lab):
    lab.organisation.its_customers = (HOSPITAL,)
    name = lab.detect()
    lab.triage(name)
    lab.clock.advance(timedelta(hours=HOSPITAL.hours))
    assert (stated(lab)["noticesOverdue"], stated(lab)["notices"]) == (0, [])
    lab.clock.advance(timedelta(milliseconds=1))
    assert (stated(lab)["noticesOverdue"], stated(lab)["notices"]) == (1, [name])
    tell(lab, name, HOSPITAL)
    found = stated(lab)
    assert (found["noticesOverdue"], found["noticesLate"], found["notices"]) == (0, 1, [name])
    lab.clock.advance(register.WINDOW - HOUR)
    assert stated(lab)["noticesLate"] == 1
    lab.clock.advance(2 * HOUR)
    assert stated(lab)["noticesLate"] == 0


def test_a_customer_who_was_told_in_time_does_not_hide_one_who_was_not(lab):
    name = lab.detect()
    lab.triage(name)
    tell(lab, name, HOSPITAL)
    assert (stated(lab)["noticesOverdue"], stated(lab)["notices"]) == (0, [name])
    lab.clock.advance(timedelta(hours=max(HOSPITAL.hours, CARS.hours) + 1))
    found = stated(lab)
    assert (found["noticesOverdue"], found["noticesLate"], found["notices"]) == (1, 0, [name])


def test_an_incident_that_concerns_no_customer_owes_no_notice(lab):
    name = lab.detect()
    lab.triage(name, customers=())
    lab.clock.advance(100 * HOUR)
    assert (stated(lab)["noticesOverdue"], stated(lab)["notices"]) == (0, [])


def test_after_a_merger_a_notice_is_asked_under_the_name_that_it_was_signed_under(lab):
    lab.organisation.its_customers = (HOSPITAL,)
    kept, gone = lab.detect(), lab.detect(subject="n-00000002")
    lab.triage(gone)
    tell(lab, gone, HOSPITAL)
    correct(lab, kept, "merge", other=gone)
    assert stated(lab)["notices"] == [gone]


def test_a_review_is_asked_of_a_significant_incident_thirty_days_after_its_closing_for_a_year(lab):
    name, other = lab.detect(), lab.detect(subject="n-00000002")
    lab.triage(name)
    lab.triage(other, significant=False)
    lab.clock.advance(400 * 24 * HOUR)  # closed long after the detection
    assert stated(lab)["reviews"] == []
    close(lab, name)
    close(lab, other)
    lab.clock.advance(register.REVIEW - timedelta(milliseconds=1))
    assert stated(lab)["reviews"] == []
    lab.clock.advance(timedelta(milliseconds=1))
    assert stated(lab)["reviews"] == [name]
    lab.clock.advance(register.WINDOW - register.REVIEW - timedelta(milliseconds=1))
    assert stated(lab)["reviews"] == [name]
    lab.clock.advance(timedelta(milliseconds=1))
    assert stated(lab)["reviews"] == []


def test_an_incident_that_was_decided_anew_after_its_closing_wants_its_review_after_the_next_one(lab):
    name = lab.detect()
    lab.triage(name)
    close(lab, name)
    lab.triage(name)
    lab.clock.advance(register.REVIEW)
    assert stated(lab)["reviews"] == []
    close(lab, name)
    lab.clock.advance(register.REVIEW)
    assert stated(lab)["reviews"] == [name]


def test_what_was_merged_into_another_incident_wants_no_review_of_its_own(lab):
    kept, gone = lab.detect(), lab.detect(subject="n-00000002")
    lab.triage(gone)
    close(lab, gone)
    lab.triage(kept)
    correct(lab, kept, "merge", other=gone)
    close(lab, kept)
    lab.clock.advance(register.REVIEW)
    assert stated(lab)["reviews"] == [kept]


def test_a_late_report_leaves_the_register_after_a_year(lab):
    name = lab.detect()
    lab.triage(name)
    lab.clock.advance(25 * HOUR)
    lab.file(name, "nis2.early_warning")
    lab.clock.advance(register.WINDOW - HOUR)
    assert stated(lab)["reportsLate"] == 1
    lab.clock.advance(HOUR)
    assert stated(lab)["reportsLate"] == 0


def test_a_contracts_clock_and_those_of_nobody_bound_are_not_the_laws(lab):
    lab.organisation.its_standing = LICENCE_ONLY
    name = lab.detect()
    lab.triage(name, criteria=("23(3)(a)",))
    lab.clock.advance(100 * HOUR)
    found = stated(lab)
    assert (found["reportsOverdue"], found["reports"]) == (0, [])


def test_a_finished_incident_leaves_the_register_after_a_year_and_an_open_one_never(lab):
    name = lab.detect()
    lab.triage(name, significant=False)
    lab.clock.advance(register.WINDOW)
    assert stated(lab)["incidents"] == 1
    lab.post(name, acts.closed(lab.seen(name), lab.clock.now(), "handled"))
    assert stated(lab) == QUIET


def test_after_a_merger_the_decision_is_asked_under_the_name_that_it_was_signed_under(lab):
    kept, gone = lab.detect(), lab.detect(subject="n-00000002")
    lab.triage(gone)
    correct(lab, kept, "merge", other=gone)
    found = stated(lab)
    assert (found["incidents"], found["undecided"]) == (1, 0)
    assert found["decisions"] == found["significant"] == [gone]


def test_after_a_merger_or_a_split_a_report_is_asked_under_the_name_that_it_was_signed_under(lab):
    kept, gone = lab.detect(), lab.detect(subject="n-00000002")
    lab.triage(gone)
    lab.file(gone, "nis2.early_warning")
    correct(lab, kept, "merge", other=gone)
    assert stated(lab)["reports"] == [gone]
    scan = lab.finding("flow-denied-scan")
    lab.watch.consider(TENANT, scan)
    correct(lab, kept, "split", findings=(scan.id,))
    assert (stated(lab)["incidents"], stated(lab)["reports"]) == (2, [gone])
    lab.clock.advance(73 * HOUR)
    assert (stated(lab)["reportsOverdue"], stated(lab)["reports"]) == (2, [gone])
    lab.file(kept, "nis2.notification")
    assert stated(lab)["reports"] == sorted([gone, kept])


def test_after_a_split_one_decision_stands_for_both_parts(lab):
    name = lab.detect()
    lab.triage(name)
    second = lab.finding("ssh-user-enumeration")
    lab.watch.consider(TENANT, second)
    correct(lab, name, "split", findings=(second.id,))
    found = stated(lab)
    assert (found["incidents"], found["decisions"]) == (2, [name])


def test_what_a_register_cannot_hold_is_counted(lab):
    incidents = [lab.room(lab.detect(subject=f"n-0000000{number}")) for number in range(2)]
    known = [one.incident for one in incidents]
    claims = register.draft(TENANT, incidents, known, lab.clock.now()).claims
    assert (claims["omitted"], claims["incidents"]) == (0, 2)
    assert register.bounded([f"i-{number:08x}" for number in range(register.LISTED + 3)])[1] == 3


def test_the_subject_is_bound_to_every_timeline(lab):
    lab.detect()
    stated(lab)
    lab.triage(lab.detect(), significant=False)
    stated(lab)
    first, second = lab.log.statements(TENANT, [REGISTER])
    assert first.subjects[0].name == second.subjects[0].name == f"incidents/{TENANT}"
    assert first.subjects[0].digest != second.subjects[0].digest
    assert SECURITY.id not in json.dumps(dict(second.claims))
