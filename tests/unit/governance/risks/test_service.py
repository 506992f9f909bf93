from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.governance.risks import statements
from ringfence.governance.risks.model import Rating, RiskId
from ringfence.governance.risks.statements import Accepting, Review
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused
from ringfence.kernel.evidence import Stage
from ringfence.testing.home import TENANT
from ringfence.testing.judging import PLAN, RISK, ROW, Signers, in_days

ENGINEER, SECURITY, MANAGEMENT = Role.ENGINEER, Role.SECURITY, Role.MANAGEMENT


@pytest.fixture
def people(services, home):
    return Signers(services, home)


@pytest.fixture
def risks(services):
    return services.judgements.risks


def enter(people, risks, *rows, role=ENGINEER):
    return risks.register(people.actor(role), *people.file(role, statements.registered(rows)))


def treat(people, risks, role=ENGINEER, **changes):
    draft = statements.treated(RISK, replace(PLAN, **changes))
    return risks.treat(people.actor(role), RISK, *people.file(role, draft))


def accepting(risks, **changes):
    risk = risks.one(TENANT, RISK)
    left = risk.row.plan.residual if risk.row.plan else risk.row.rating
    return replace(Accepting(RISK, risk.basis, left, in_days(200), "We bear it."), **changes)


def accept(people, risks, role=MANAGEMENT, sign=None, **changes):
    posted = (sign or people.passkey)(role, statements.accepted(accepting(risks, **changes)))
    return risks.accept(people.actor(role), RISK, *posted)


def owned(people, role=SECURITY):
    return replace(ROW, owner=people.actor(role).id)


def test_a_risk_is_entered_treated_and_accepted_by_management(people, risks, services):
    assert enter(people, risks, owned(people)).stage is Stage.PUBLISHED
    treat(people, risks)
    accept(people, risks)
    (risk,) = risks.all(TENANT)
    assert risk.accepted(risks.today())
    assert (risk.acceptance.by, risk.acceptance.until) == (people.actor(MANAGEMENT).id, in_days(200))
    assert risk.row.title == "Weights are taken"
    envelopes = [logged.envelope.payload for logged in services.ledger.statements(TENANT, statements.ALL)]
    assert not any(b"Weights" in payload or b"copies" in payload for payload in envelopes)


def test_what_management_accepts_is_what_it_saw(people, risks):
    enter(people, risks, owned(people))
    treat(people, risks)
    old = accepting(risks)
    treat(people, risks, residual=Rating(5, 5))
    with pytest.raises(Conflict, match="has changed since"):
        risks.accept(people.actor(MANAGEMENT), RISK, *people.passkey(MANAGEMENT, statements.accepted(old)))
    assert risks.one(TENANT, RISK).acceptance is None


def refused(people, risks, words, error=Refused, **given):
    with pytest.raises(error, match=words):
        accept(people, risks, **given)
    assert risks.one(TENANT, RISK).acceptance is None


def test_neither_the_owner_nor_the_author_accepts_a_risk(people, risks):
    enter(people, risks, owned(people, MANAGEMENT))
    treat(people, risks)
    refused(people, risks, "another person does")


def test_whoever_treated_a_risk_does_not_accept_it(people, risks):
    enter(people, risks, owned(people))
    treat(people, risks, role=MANAGEMENT)
    refused(people, risks, "another person does")


def test_an_acceptance_takes_a_passkey_an_end_within_a_year_and_a_treatment(people, risks):
    enter(people, risks, owned(people))
    refused(people, risks, "decide first how")
    treat(people, risks)
    refused(people, risks, "signed with a passkey", sign=people.file)
    refused(people, risks, "ends within 1 to 365 days", until=in_days(366))
    refused(people, risks, "ends within 1 to 365 days", until=in_days(0))
    refused(people, risks, "has changed since", error=Conflict, residual=Rating(1, 1))
    refused(people, risks, "reason", error=MalformedInput, reason=" ")
    assert accept(people, risks, until=in_days(365)).stage is Stage.PUBLISHED


def test_a_risk_without_owner_is_not_accepted(people, risks):
    enter(people, risks, replace(ROW, owner=None, owned=False))
    treat(people, risks)
    refused(people, risks, "has no owner")


def test_rows_are_taken_all_or_none(people, risks):
    good, bad = owned(people), replace(ROW, id=RiskId("risk-ffffffffffff"), threats=("nonsense",))
    for rows in ((good, bad), (good, replace(bad, threats=(), title="two\nlines"))):
        with pytest.raises(MalformedInput):
            enter(people, risks, *rows)
    with pytest.raises(Refused, match="owned says whether"):
        enter(people, risks, replace(good, owner=None))
    assert risks.all(TENANT) == []
    enter(people, risks, good)
    with pytest.raises(Conflict, match="in the register already"):
        enter(people, risks, good)


def review(people, risks, role=SECURITY, **changes):
    one = Review(RISK, ROW.rating, people.actor(SECURITY).id, True, in_days(180), False, "Looked at it.")
    draft = statements.reviewed(replace(one, **changes))
    return risks.review(people.actor(role), RISK, *people.file(role, draft))


def test_a_review_that_finds_the_same_keeps_the_acceptance_and_another_rating_ends_it(people, risks):
    enter(people, risks, owned(people))
    treat(people, risks)
    accept(people, risks)
    review(people, risks)
    assert risks.one(TENANT, RISK).accepted(risks.today())
    review(people, risks, rating=Rating(5, 5))
    assert risks.one(TENANT, RISK).acceptance is None
    with pytest.raises(Refused, match="lies ahead"):
        review(people, risks, review_on=in_days(0))
    review(people, risks, closed=True)
    with pytest.raises(Conflict, match="is closed"):
        treat(people, risks)


def test_an_acceptance_runs_out(people, risks):
    enter(people, risks, owned(people))
    treat(people, risks)
    accept(people, risks, until=in_days(2))
    risk = risks.one(TENANT, RISK)
    assert (risk.accepted(in_days(2)), risk.accepted(in_days(3))) == (True, False)


def test_the_register_as_of_a_time_is_what_it_was(people, risks, clock):
    enter(people, risks, owned(people))
    before = clock.now()
    shown = risks.all(TENANT)
    clock.advance(timedelta(hours=1))
    treat(people, risks)
    assert risks.all(TENANT, before) == shown
    with pytest.raises(NotFound):
        risks.one(TENANT, RISK, before - timedelta(days=1))


def test_what_was_signed_about_another_risk_is_refused(people, risks):
    enter(people, risks, owned(people))
    with pytest.raises(Refused, match="about another risk"):
        risks.treat(
            people.actor(ENGINEER),
            RiskId("risk-ffffffffffff"),
            *people.file(ENGINEER, statements.treated(RISK, PLAN)),
        )


def test_the_counts_name_the_state_that_they_were_counted_from(people, risks):
    empty = risks.counted(TENANT)
    enter(people, risks, owned(people))
    after = risks.counted(TENANT)
    assert (empty["risks"], after["risks"]) == (0, 1)
    assert empty["register"] != after["register"] == risks.counted(TENANT)["register"]
