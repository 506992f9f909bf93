from dataclasses import replace

from ringfence.governance.risks import counts, register
from ringfence.governance.risks.model import Level, Rating, Treatment
from ringfence.testing.judging import BEN, RISK, TODAY, accepted, entered, in_days, treated


def of(*said, day=TODAY):
    return counts.counts(register.fold(said).values(), day)


def test_an_empty_register_counts_nothing_and_nobody_accepted():
    assert of() == {
        "risks": 0, "withoutOwner": 0, "undecided": 0, "treatmentsOverdue": 0, "reviewsOverdue": 0,
        "acceptedWithoutReason": 0, "acceptedBy": "nobody",
    }  # fmt: skip


def test_each_count_counts_its_own():
    assert of(entered(owner=None, owned=False)) | {"risks": 1, "withoutOwner": 1, "undecided": 1} == of(
        entered(owner=None, owned=False)
    )
    plan = treated(by=BEN)
    late = of(entered(), plan, day=in_days(91))
    assert (late["treatmentsOverdue"], late["reviewsOverdue"], late["undecided"]) == (1, 1, 0)
    assert of(entered(), plan)["acceptedBy"] == "nobody"
    whole = (entered(), plan, accepted(plan))
    assert of(*whole)["acceptedBy"] == "accountable-person"
    assert of(*whole, day=in_days(201))["acceptedBy"] == "nobody"


def test_what_is_borne_as_it_is_needs_an_acceptance_in_force():
    plan = treated(by=BEN, kind=Treatment.ACCEPT, due_on=None)
    assert of(entered(), plan)["acceptedWithoutReason"] == 1
    whole = (entered(), plan, accepted(plan))
    assert of(*whole)["acceptedWithoutReason"] == 0
    assert of(*whole, day=in_days(201))["acceptedWithoutReason"] == 1


def test_closed_risks_are_not_counted():
    risk = register.fold([entered()])[RISK]
    assert counts.counts([replace(risk, closed_at=risk.registered_at)], TODAY)["risks"] == 0


def test_the_heat_map_holds_every_open_risk_once():
    plan = treated(by=BEN, done=True)
    risks = list(register.fold([entered(), plan]).values())
    rated, left = counts.heat(risks), counts.heat(risks, left=True)
    assert rated[0][3] == (Level.SEVERE, 1)  # impact 5 in the first line, likelihood 4 in the fourth column
    assert left[2][1] == (Rating(2, 3).level, 1)
    assert sum(count for line in rated for _, count in line) == 1
    assert [len(line) for line in rated] == [5] * 5
