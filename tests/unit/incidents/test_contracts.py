from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.incidents import acts, clocks, contracts, register
from ringfence.incidents.model import Answer, ClockState
from ringfence.incidents.terms import Category, Standing
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput
from ringfence.testing.incidents import CARS, HOSPITAL, TENANT, LabIncidents

H = timedelta(hours=1)
HOSPITALS, OF_CARS = "contract.breach_notice/hospital", "contract.breach_notice/cars"


@pytest.fixture
def lab():
    """A hospital whose contract names 24 hours for a breach, and a maker of cars whose contract names none."""
    lab = LabIncidents()
    lab.organisation.its_customers = (agreed(lab, 24), CARS)
    return lab


@pytest.fixture
def name(lab):
    return lab.detect()


def agreed(lab, *hours):
    return replace(HOSPITAL, breach=tuple((lab.clock.now() - 90 * 24 * H, each) for each in hours))


def decide(lab, name, personal_data, *breached, **changes):
    lab.triage(name, personal_data=Answer(personal_data), breached=breached, **changes)


def tell(lab, name, customer="hospital"):
    filed = {"reference": "mail 7", "salt": "00" * 32}
    drafted = acts.noticed(
        lab.seen(name), customer, lab.clock.now(), Digest.of(b"mail"), filed, about=acts.BREACH_NOTICE
    )
    lab.post(name, drafted)


def test_a_breach_starts_a_clock_of_those_whose_data_it_is_from_the_awareness(lab, name):
    lab.clock.advance(3 * H)
    aware = lab.clock.now() - H
    decide(lab, name, "yes", "hospital", aware_at=aware)
    found = lab.clocks(name)[HOSPITALS]
    assert (found.state, found.started_at, found.due_at) == (ClockState.PENDING, aware, aware + 24 * H)
    assert found.note == "hours of the contract"
    assert OF_CARS not in lab.clocks(name)


def test_what_nobody_has_decided_is_shown_as_not_decided_and_never_as_no_clock(lab, name):
    lab.triage(name)
    found = lab.clocks(name)[HOSPITALS]
    assert (found.state, found.due_at) == (ClockState.UNDETERMINED, lab.clock.now() + 24 * H)
    assert found.running
    assert found.note.startswith("not decided")
    lab.clock.advance(100 * H)
    found = lab.clocks(name)[HOSPITALS]
    assert (found.state, found.late_by) == (ClockState.UNDETERMINED, None)
    assert "--personal-data yes" in clocks.command(found, name)


def test_what_was_signed_before_it_was_asked_is_not_decided(lab, name):
    drafted = acts.triage(lab.seen(name), decision(lab, name))
    old = {key: value for key, value in drafted.claims.items() if key not in {"personalData", "breached"}}
    lab.post(name, replace(drafted, claims=old))
    assert lab.clocks(name)[HOSPITALS].state is ClockState.UNDETERMINED


def decision(lab, name):
    incident, now = lab.room(name).incident, lab.clock.now()
    return acts.Decision(
        significant=True,
        criteria=("3(1)(e)",),
        reason="x",
        detected_at=incident.detected_at,
        triaged_at=now,
        aware_at=now,
        customers=("hospital",),
    )


@pytest.mark.parametrize(
    ("answer", "whose", "words"), [("no", (), "no breach"), ("yes", ("cars",), "of this customer")]
)
def test_a_decision_that_it_is_none_of_theirs_is_shown_with_its_reason(lab, name, answer, whose, words):
    decide(lab, name, answer, *whose)
    found = lab.clocks(name)[HOSPITALS]
    assert (found.state, found.running) == (ClockState.NOT_APPLICABLE, False)
    assert words in found.note


def test_deciding_late_gives_no_more_time(lab, name):
    lab.triage(name)
    lab.clock.advance(30 * H)
    decide(lab, name, "yes", "hospital")
    assert lab.clocks(name)[HOSPITALS].late_by == 6 * H


@pytest.mark.parametrize("then", ["no", "yes"])
def test_a_late_breach_notice_stays_late_whatever_is_decided_later(lab, name, then):
    decide(lab, name, "yes", "hospital")
    lab.clock.advance(25 * H)
    decide(lab, name, then)
    assert lab.clocks(name)[HOSPITALS].state is ClockState.LATE


def test_unknown_ends_no_clock_that_runs_and_no_ends_it(lab, name):
    decide(lab, name, "yes", "hospital")
    due = lab.clocks(name)[HOSPITALS].due_at
    lab.clock.advance(H)
    decide(lab, name, "unknown")
    assert (lab.clocks(name)[HOSPITALS].state, lab.clocks(name)[HOSPITALS].due_at) == (ClockState.PENDING, due)
    decide(lab, name, "no")
    assert lab.clocks(name)[HOSPITALS].state is ClockState.WITHDRAWN


def test_an_earlier_awareness_counts_for_the_breach_too_and_revives_none_that_ended(lab, name):
    earlier = lab.clock.now()
    lab.clock.advance(3 * H)
    decide(lab, name, "yes", "hospital")
    decide(lab, name, "unknown", aware_at=earlier)
    assert lab.clocks(name)[HOSPITALS].started_at == earlier
    decide(lab, name, "no")
    decide(lab, name, "unknown")
    assert lab.clocks(name)[HOSPITALS].state is ClockState.WITHDRAWN


def test_a_corrected_awareness_moves_it_too(lab, name):
    decide(lab, name, "yes", "hospital")
    earlier = lab.clock.now() - 3 * H
    lab.post(name, acts.corrected(lab.seen(name), "aware-at", reason="mail came earlier", value=to_text(earlier)))
    assert lab.clocks(name)[HOSPITALS].due_at == earlier + 24 * H


def test_it_goes_along_in_a_merger(lab, name):
    other = lab.detect("flow-denied-scan", subject="n-00000002")
    decide(lab, other, "yes", "hospital")
    due = lab.clocks(other)[HOSPITALS].due_at
    decide(lab, name, "no", customers=("cars", "hospital"))
    assert lab.clocks(name)[HOSPITALS].state is ClockState.NOT_APPLICABLE
    lab.post(name, acts.corrected(lab.seen(name), "merge", reason="the same", other=other))
    assert lab.clocks(name)[HOSPITALS].due_at == due


def test_hours_that_change_later_stretch_no_clock_of_a_breach(lab, name):
    began = lab.clock.now()
    decide(lab, name, "yes", "hospital")
    lab.clock.advance(H)
    before = lab.organisation.its_customers[0].breach
    longer = replace(HOSPITAL, breach=(*before, (lab.clock.now(), 500), (lab.clock.now(), None)))
    lab.organisation.its_customers = (longer, CARS)
    assert lab.clocks(name)[HOSPITALS].due_at == began + 24 * H


def test_its_notice_is_one_of_its_own(lab, name):
    decide(lab, name, "yes", "hospital")
    filed = {"reference": "mail 6", "salt": "00" * 32}
    lab.post(name, acts.noticed(lab.seen(name), "hospital", lab.clock.now(), Digest.of(b"mail"), filed))
    assert lab.clocks(name)["contract.customer_notice/hospital"].state is ClockState.MET
    assert lab.clocks(name)[HOSPITALS].state is ClockState.PENDING
    assert "--customer hospital --breach " in clocks.command(lab.clocks(name)[HOSPITALS], name)
    tell(lab, name)
    assert lab.clocks(name)[HOSPITALS].state is ClockState.MET


def test_a_notice_of_a_breach_about_which_nobody_decided_is_refused(lab, name):
    lab.triage(name)
    with pytest.raises(Conflict, match="nobody has decided"):
        tell(lab, name)


@pytest.mark.parametrize(("answer", "whose"), [("unknown", "hospital"), ("no", "hospital"), ("yes", "bakery")])
def test_only_affected_customers_have_affected_personal_data(lab, name, answer, whose):
    with pytest.raises(MalformedInput, match="personal data"):
        decide(lab, name, answer, whose)


def test_it_runs_whatever_we_are_and_where_the_incident_is_not_significant(lab, name):
    lab.organisation.its_standing = Standing(Category.UNDETERMINED)
    decide(lab, name, "yes", "hospital", significant=False, customers=("hospital",))
    assert lab.clocks(name)[HOSPITALS].state is ClockState.PENDING


@pytest.mark.parametrize(("told", "count"), [(False, "noticesOverdue"), (True, "noticesLate")])
def test_a_late_notice_of_a_breach_counts_as_late_and_stands_for_no_notice_of_the_incident(lab, name, told, count):
    def claims(shown):
        return dict(register.draft(TENANT, shown, [one.incident for one in shown], lab.clock.now()).claims)

    decide(lab, name, "yes", "hospital", customers=("hospital",))
    lab.clock.advance(25 * H)
    if told:
        tell(lab, name)
    found = lab.room(name)
    bare = replace(found, clocks=tuple(one for one in found.clocks if not one.id.startswith(contracts.BREACH)))
    with_it, without = claims([found]), claims([bare])
    assert with_it.pop(count) == without.pop(count) + 1
    assert with_it == without
