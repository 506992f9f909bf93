from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.incidents import acts, clocks
from ringfence.incidents.model import ClockState
from ringfence.incidents.terms import Category, Standing
from ringfence.kernel.clock import to_text
from ringfence.testing.incidents import API_PROVIDER, LICENCE_ONLY, LabIncidents

H = timedelta(hours=1)


@pytest.fixture
def lab():
    return LabIncidents()


@pytest.fixture
def name(lab):
    return lab.detect()


def correct(lab, name, at):
    lab.post(name, acts.corrected(lab.seen(name), "aware-at", reason="a typing error", value=to_text(at)))


def close(lab, name, at=None):
    lab.post(name, acts.closed(lab.seen(name), at or lab.clock.now(), "service restored"))


def test_a_finding_starts_one_provisional_clock_and_no_other(lab, name):
    (only,) = lab.room(name).clocks
    assert (only.id, only.state, only.source) == ("triage", ClockState.PROVISIONAL, "project")
    assert only.due_at == lab.clock.now() + 24 * H
    lab.clock.advance(100 * H)
    assert [clock.id for clock in lab.room(name).clocks] == ["triage"]


def test_not_significant_ends_the_provisional_clock_and_starts_none(lab, name):
    lab.triage(name, significant=False)
    assert lab.room(name).clocks == ()


def test_what_is_new_after_not_significant_is_decided_anew_and_what_goes_on_is_not(lab, name):
    known = lab.room(name).incident.findings[0]
    lab.triage(name, significant=False)
    lab.clock.advance(H)
    lab.watch.consider("acme", replace(known, count=100))
    assert lab.room(name).clocks == ()
    assert lab.detect("ssh-guessing-then-success") == name
    (again,) = lab.room(name).clocks
    assert (again.state, again.started_at) == (ClockState.PROVISIONAL, lab.clock.now())


def test_the_law_counts_from_awareness_not_from_detection(lab, name):
    lab.clock.advance(5 * H)
    aware = lab.clock.now() - 2 * H
    lab.triage(name, aware_at=aware)
    found = lab.clocks(name)
    assert found["nis2.early_warning"].due_at == aware + 24 * H
    assert found["nis2.notification"].due_at == aware + 72 * H
    assert "triage" not in found
    assert found["nis2.final"].state is ClockState.WAITING


def test_the_final_report_counts_from_the_submission_of_the_notification(lab, name):
    lab.triage(name)
    lab.clock.advance(10 * H)
    lab.file(name, "nis2.notification")
    assert to_text(lab.clocks(name)["nis2.final"].due_at) == "2026-12-22T23:00:00.000Z"  # 24:00 in Berlin


def test_a_report_in_time_is_met_and_a_late_one_is_late_for_ever(lab, name):
    lab.triage(name)
    lab.clock.advance(24 * H)
    lab.file(name, "nis2.early_warning")  # the very last moment
    lab.clock.advance(49 * H)
    assert lab.clocks(name)["nis2.notification"].state is ClockState.LATE
    lab.file(name, "nis2.notification")
    lab.clock.advance(999 * H)
    found = lab.clocks(name)
    assert found["nis2.early_warning"].state is ClockState.MET
    assert found["nis2.early_warning"].receipt
    assert (found["nis2.notification"].state, found["nis2.notification"].late_by) == (ClockState.MET_LATE, H)


@pytest.mark.parametrize("way", ["corrected", "withdrawn", "closed"])
def test_nothing_turns_late_into_in_time(lab, name, way):
    lab.triage(name)
    lab.clock.advance(30 * H)
    match way:
        case "corrected":
            correct(lab, name, lab.clock.now())
        case "withdrawn":
            lab.triage(name, significant=False)
        case _:
            close(lab, name)
    late = lab.clocks(name)["nis2.early_warning"]
    assert (late.state, late.late_by) == (ClockState.LATE, 6 * H)
    lab.file(name, "nis2.early_warning")
    assert lab.clocks(name)["nis2.early_warning"].state is ClockState.MET_LATE


def test_a_correction_before_the_deadline_moves_it_and_names_the_earlier_one(lab, name):
    lab.triage(name)
    first = lab.clocks(name)["nis2.early_warning"].due_at
    lab.clock.advance(H)
    correct(lab, name, lab.clock.now())
    moved = lab.clocks(name)["nis2.early_warning"]
    assert (moved.state, moved.due_at) == (ClockState.PENDING, first + H)
    assert to_text(first) in moved.note


def test_a_correction_to_an_earlier_awareness_can_be_late_at_once(lab, name):
    lab.triage(name)
    correct(lab, name, lab.clock.now() - 30 * H)
    assert lab.clocks(name)["nis2.early_warning"].state is ClockState.LATE


def test_a_decision_made_twice_never_gives_more_time(lab, name):
    lab.triage(name)
    due = lab.clocks(name)["nis2.early_warning"].due_at
    lab.clock.advance(2 * H)
    lab.triage(name, significant=False)
    assert lab.clocks(name)["nis2.early_warning"].state is ClockState.WITHDRAWN
    lab.clock.advance(2 * H)
    lab.triage(name)
    again = lab.clocks(name)["nis2.early_warning"]
    assert (again.state, again.due_at) == (ClockState.PENDING, due)


def test_recovered_silences_no_clock(lab, name):
    lab.triage(name)
    lab.file(name, "nis2.notification")
    close(lab, name)
    found = lab.clocks(name)
    assert found["nis2.early_warning"].running
    assert found["nis2.final"].running
    lab.clock.advance(1000 * H)
    assert lab.clocks(name)["nis2.final"].state is ClockState.LATE


def test_an_incident_that_goes_on_gets_a_progress_report_and_a_final_one_after_handling(lab, name):
    lab.triage(name)
    lab.file(name, "nis2.notification")
    assert lab.clocks(name)["nis2.progress"].state is ClockState.WAITING
    due = lab.clocks(name)["nis2.final"].due_at
    lab.clock.advance(due - lab.clock.now() + H)
    found = lab.clocks(name)
    assert (found["nis2.progress"].state, found["nis2.progress"].due_at) == (ClockState.LATE, due)
    assert found["nis2.final"].state is ClockState.NOT_APPLICABLE
    assert found["nis2.final_after_handling"].state is ClockState.WAITING
    close(lab, name)
    last = lab.clocks(name)["nis2.final_after_handling"]
    assert last.state is ClockState.PENDING
    assert to_text(last.due_at) == "2027-01-23T23:00:00.000Z"


def test_a_back_dated_closing_does_not_hide_a_missed_final_report(lab, name):
    lab.triage(name)
    lab.file(name, "nis2.notification")
    lab.clock.advance(1000 * H)
    close(lab, name, lab.clock.now() - 990 * H)
    found = lab.clocks(name)
    assert found["nis2.final"].state is ClockState.LATE
    assert found["nis2.progress"].state is ClockState.NOT_APPLICABLE


def test_each_customer_has_a_clock_with_the_hours_of_the_own_contract(lab, name):
    lab.triage(name)
    found = lab.clocks(name)
    assert found["contract.customer_notice/hospital"].due_at == lab.clock.now() + 12 * H
    assert "proposal" in found["contract.customer_notice/hospital"].note
    assert found["contract.customer_notice/cars"].due_at == lab.clock.now() + 4 * H


def test_a_customer_counts_from_the_awareness_that_it_is_affected(lab, name):
    lab.triage(name, customers=("cars",))
    assert "contract.customer_notice/hospital" not in lab.clocks(name)
    lab.clock.advance(3 * H)
    lab.triage(name, customers=("cars", "hospital"))
    found = lab.clocks(name)
    assert found["contract.customer_notice/hospital"].due_at == lab.clock.now() + 12 * H
    assert found["contract.customer_notice/cars"].due_at == lab.clock.now() + H


def test_a_licence_only_vendor_has_no_clock_of_article_23_but_keeps_its_contracts(lab, name):
    lab.organisation.its_standing = LICENCE_ONLY
    lab.triage(name, criteria=("23(3)(b)",))
    found = lab.clocks(name)
    assert found["nis2.early_warning"].state is ClockState.NOT_APPLICABLE
    assert found["nis2.early_warning"].due_at is None
    assert {clock.id for clock in lab.room(name).clocks if clock.running} == {
        "contract.customer_notice/hospital",
        "contract.customer_notice/cars",
    }


def test_an_unfinished_classification_is_planned_with_the_safe_date(lab, name):
    lab.organisation.its_standing = Standing(Category.UNDETERMINED)
    lab.triage(name)
    found = lab.clocks(name)["nis2.early_warning"]
    assert (found.state, found.due_at) == (ClockState.UNDETERMINED, lab.clock.now() + 24 * H)
    assert found.running


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"financial": True}, "DORA 19"), ({"category": Category.REGISTRATION_ONLY}, "registration")],
)
def test_whoever_article_23_does_not_bind_is_told_why(lab, name, changes, words):
    lab.organisation.its_standing = replace(API_PROVIDER, **changes)
    lab.triage(name)
    assert words in lab.clocks(name)["nis2.early_warning"].note
    assert not lab.clocks(name)["nis2.early_warning"].running


def test_a_trust_service_provider_has_the_shorter_notification(lab, name):
    lab.triage(name)
    assert "nis2.notification.trust" not in lab.clocks(name)
    lab.organisation.its_standing = replace(API_PROVIDER, types=("trust_service_provider",))
    assert lab.clocks(name)["nis2.notification.trust"].due_at == lab.clock.now() + 24 * H


@pytest.mark.parametrize("stage", ["nis2.notification.trust", "nis2.notification"])
def test_a_notification_is_one_act_whatever_its_period_is(lab, name, stage):
    lab.organisation.its_standing = replace(API_PROVIDER, types=("trust_service_provider",))
    lab.triage(name)
    lab.file(name, stage)
    lab.clock.advance(100 * H)
    found = lab.clocks(name)
    assert (found["nis2.notification.trust"].state, found["nis2.notification"].state) == ("met", "met")
    assert to_text(found["nis2.final"].due_at) == "2026-12-22T23:00:00.000Z"


def test_the_nearest_clock_is_the_one_to_act_for(lab, name):
    lab.triage(name)
    assert clocks.nearest(lab.room(name).clocks).id == "contract.customer_notice/cars"
    assert clocks.nearest(()) is None


def test_an_undecided_incident_escalates(lab, name):
    words = []
    for hours in (0, 12, 6, 6, 1):
        lab.clock.advance(hours * H)
        words.append(lab.room(name).clocks[0].note.rpartition("; ")[2])
    assert words == ["on time", "reminded", "escalated", "overdue", "overdue"]
    assert list(clocks.due_warnings(lab.room(name).clocks, lab.clock.now())) == ["triage/overdue"]


def changed(lab, **changes):
    lab.organisation.its_customers = tuple(replace(one, **changes) for one in lab.organisation.its_customers)


def test_hours_that_change_later_stretch_no_clock_that_runs(lab, name):
    began = lab.clock.now()
    changed(lab, hours=6, agreed=True, held=((began - H, 6, True, ""),))
    lab.triage(name, customers=("cars",))
    lab.clock.advance(7 * H)
    assert lab.clocks(name)["contract.customer_notice/cars"].state is ClockState.LATE
    changed(lab, hours=48, held=((began - H, 6, True, ""), (lab.clock.now(), 48, True, "")))
    assert lab.clocks(name)["contract.customer_notice/cars"].state is ClockState.LATE
    assert lab.clocks(name)["contract.customer_notice/cars"].due_at == began + 6 * H


def test_the_clock_of_who_is_a_customer_no_longer_goes_on(lab, name):
    lab.triage(name, customers=("cars",))
    changed(lab, former=True)
    assert lab.clocks(name)["contract.customer_notice/cars"].running
