from ringfence.governance.risks import register, shown
from ringfence.testing.judging import BEN, TODAY, accepted, entered, in_days, treated


def test_the_document_says_everything_that_was_signed():
    plan = treated(by=BEN)
    risks = list(register.fold([entered(), plan, accepted(plan)]).values())
    document = shown.register(risks, TODAY)
    (risk,) = document["risks"]
    assert (risk["level"], risk["score"], risk["state"]) == ("severe", 20, "open")
    assert risk["treatment"]["residual"]["score"] == 6
    assert risk["acceptance"]["state"] == "in force"
    assert risk["entries"] == [1, 2, 3]
    assert document["counts"]["acceptedBy"] == "accountable-person"
    assert document["heat"][0][3] == {"level": "severe", "risks": 1}
    assert shown.risk(risks[0], in_days(300))["acceptance"]["state"] == "expired"


def test_what_nobody_decided_is_nothing():
    (risk,) = register.fold([entered()]).values()
    document = shown.risk(risk, TODAY)
    assert document["treatment"] is document["acceptance"] is document["closed_at"] is None
