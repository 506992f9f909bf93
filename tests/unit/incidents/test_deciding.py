from datetime import timedelta

import pytest

from ringfence.incidents import acts
from ringfence.incidents.model import incident_id
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound
from ringfence.testing.incidents import LICENCE_ONLY, LabIncidents

H = timedelta(hours=1)


@pytest.fixture
def lab():
    return LabIncidents()


@pytest.fixture
def name(lab):
    return lab.detect()


def correction(lab, name, what, **given):
    lab.post(name, acts.corrected(lab.seen(name), what, reason="checked", **given))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"criteria": ()}, "names the criteria"),
        ({"significant": False, "criteria": ("3(1)(e)",)}, "names the criteria"),
        ({"criteria": ("8(a)",)}, "does not bind"),
        ({"criteria": ("23(3)(a)",)}, "does not bind"),
        ({"aware_at": None}, "awareAt"),
    ],
)
def test_a_decision_is_whole_and_names_what_binds(lab, name, changes, message):
    with pytest.raises(MalformedInput, match=message):
        lab.triage(name, **changes)
    assert lab.room(name).incident.triage is None


def test_where_the_numbers_do_not_bind_the_directive_does(lab, name):
    lab.organisation.its_standing = LICENCE_ONLY
    with pytest.raises(MalformedInput, match="does not bind"):
        lab.triage(name, criteria=("3(1)(e)",))


@pytest.mark.parametrize("field", ["aware_at", "occurred_at", "triaged_at"])
def test_no_time_lies_in_the_future(lab, name, field):
    with pytest.raises(MalformedInput, match="future"):
        lab.triage(name, **{field: lab.clock.now() + timedelta(milliseconds=1)})


def test_an_unknown_customer_is_refused(lab, name):
    with pytest.raises(NotFound, match="known are cars, hospital"):
        lab.triage(name, customers=("nobody",))


def test_not_significant_with_a_customer_needs_an_awareness(lab, name):
    with pytest.raises(MalformedInput, match="awareAt"):
        lab.triage(name, significant=False, customers=("cars",), aware_at=None)
    lab.triage(name, significant=False, customers=("cars",))
    assert [clock.id for clock in lab.room(name).clocks] == ["contract.customer_notice/cars"]


def test_the_detection_is_not_changed_in_passing(lab, name):
    with pytest.raises(Conflict, match="was detected"):
        lab.triage(name, detected_at=lab.clock.now() - H)


def test_what_was_signed_over_is_what_is_there(lab, name):
    seen = lab.seen(name)
    other = acts.Seen(name, seen.position, Digest.of(b"another timeline"))
    for wrong in (other, acts.Seen(name, seen.position + 1, seen.head)):
        with pytest.raises(Conflict, match="timeline"):
            lab.post(name, acts.closed(wrong, lab.clock.now(), "x"))


def test_an_attack_that_goes_on_does_not_outrun_the_signer(lab, name):
    seen = lab.seen(name)
    lab.detect("flow-denied-scan")
    decided = acts.Decision(False, (), "noise", lab.room(name).incident.detected_at, lab.clock.now())
    lab.post(name, acts.triage(seen, decided))
    assert lab.room(name).incident.significant is False


def test_a_merged_incident_is_acted_on_where_it_went(lab, name):
    second = lab.detect(subject="n-00000002")
    correction(lab, name, "merge", other=second)
    with pytest.raises(Conflict, match=name):
        lab.triage(second)
    with pytest.raises(Conflict, match="already"):
        correction(lab, name, "merge", other=second)
    with pytest.raises(MalformedInput, match="itself"):
        correction(lab, name, "merge", other=name)
    with pytest.raises(NotFound):
        correction(lab, name, "merge", other=incident_id("i-ffffffff"))


def test_reports_follow_a_decision_and_name_a_report(lab, name):
    with pytest.raises(Conflict, match="comes first"):
        lab.file(name, "nis2.early_warning")
    lab.triage(name)
    with pytest.raises(NotFound, match="no report"):
        lab.file(name, "gdpr.authority")
    with pytest.raises(MalformedInput, match="future"):
        lab.file(name, "nis2.early_warning", lab.clock.now() + H)
    with pytest.raises(MalformedInput, match="before the detection"):
        lab.file(name, "nis2.early_warning", lab.clock.now() - H)


def test_a_notice_goes_to_a_customer_that_is_affected(lab, name):
    def told(customer):
        details = {"reference": "mail", "salt": "00" * 32}
        lab.post(name, acts.noticed(lab.seen(name), customer, lab.clock.now(), Digest.of(b"r"), details))

    lab.triage(name, customers=("cars",))
    with pytest.raises(Conflict, match="affected"):
        told("hospital")
    told("cars")
    assert lab.clocks(name)["contract.customer_notice/cars"].state == "met"


def test_an_incident_is_closed_once_and_not_before_it_is_decided(lab, name):
    def closed(at):
        lab.post(name, acts.closed(lab.seen(name), at, "restored"))

    with pytest.raises(Conflict, match="comes first"):
        closed(lab.clock.now())
    lab.triage(name)
    with pytest.raises(MalformedInput, match="future"):
        closed(lab.clock.now() + H)
    closed(lab.clock.now())
    with pytest.raises(Conflict, match="already"):
        closed(lab.clock.now())


@pytest.mark.parametrize(
    ("what", "given", "error"),
    [
        ("aware-at", {"value": "2026-11-22T09:00:00.000Z"}, Conflict),
        ("occurred-at", {"value": "2026-11-22T08:00:00.000Z"}, Conflict),
        ("detected-at", {"value": "2999-01-01T00:00:00.000Z"}, MalformedInput),
        ("detected-at", {"value": "yesterday"}, MalformedInput),
        ("split", {"findings": ("f-ffff",)}, MalformedInput),
        ("split", {"findings": ()}, MalformedInput),
        ("colour", {"value": "blue"}, MalformedInput),
    ],
)
def test_only_what_there_is_is_corrected(lab, name, what, given, error):
    with pytest.raises(error):
        correction(lab, name, what, **given)
    assert lab.room(name).incident.corrections == ()


def test_a_split_leaves_something(lab, name):
    with pytest.raises(MalformedInput, match="not all"):
        correction(lab, name, "split", findings=(lab.room(name).incident.findings[0].id,))


def test_an_awareness_is_not_corrected_into_the_future(lab, name):
    lab.triage(name)
    with pytest.raises(MalformedInput, match="future"):
        correction(lab, name, "aware-at", value=to_text(lab.clock.now() + H))
