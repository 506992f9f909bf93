from datetime import UTC, datetime, timedelta

from ringfence.governance.beside import Kind, beside, documents
from ringfence.governance.exceptions import register as exceptions
from ringfence.governance.opinions import register as opinions
from ringfence.governance.risks import register as risks
from ringfence.testing.clock import START
from ringfence.testing.judging import PLAN, accepted, approved, asked, entered, opined, treated


def everything(at=START):
    request = asked()
    plan = treated()
    return beside(
        opinions.fold([opined()]).values(),
        exceptions.fold([request, approved(request)]).values(),
        risks.fold([entered(), plan, accepted(plan)]).values(),
        at,
    )


def test_each_control_has_its_opinions_exceptions_and_risks_in_that_order():
    found = everything()
    assert [one.kind for one in found["MOD-01"]] == [Kind.OPINION, Kind.EXCEPTION, Kind.RISK]
    assert [one.kind for one in found["DAT-01"]] == [Kind.RISK]
    assert "MOD-02" not in found  # what stands in the place of a control is not excepted itself


def test_each_says_where_it_stands_and_what_a_person_wrote():
    opinion, exception, risk = everything()["MOD-01"]
    assert opinion.text.startswith("in force. An auditor disagrees with “not satisfied” (examine, 0 entries): ")
    assert opinion.status_then == "not-satisfied"
    assert exception.state == "in force"
    assert "in its place: MOD-02" in exception.words
    assert "what is left is moderate and accepted" in risk.words
    assert all(one.in_force for one in (opinion, exception, risk))
    assert risk.link == f"/risks/{risk.id}"


def test_what_has_run_out_is_shown_as_expired():
    later = START + timedelta(days=300)
    opinion, exception, risk = everything(later)["MOD-01"]
    assert (opinion.state, exception.state) == ("expired", "expired")
    assert not opinion.in_force
    assert "not accepted" in risk.words
    assert exception.until <= later


def test_it_ends_with_its_last_day():
    exception = everything()["MOD-01"][1]
    assert exception.until == datetime.combine(exception.last_day, datetime.min.time(), UTC) + timedelta(days=1)
    on_the_last_day = everything(exception.until - timedelta(milliseconds=1))["MOD-01"][1]
    assert on_the_last_day.state == "in force"
    assert everything(exception.until)["MOD-01"][1].state == "expired"


def test_the_document_says_the_same():
    shown = documents(everything())["MOD-01"]
    assert [one["kind"] for one in shown] == ["opinion", "exception", "risk"]
    assert shown[0]["status_then"] == "not-satisfied"
    assert shown[2]["status_then"] is None
    assert PLAN.controls == ("MOD-01",)
