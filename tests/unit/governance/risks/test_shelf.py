from dataclasses import replace

import pytest

from ringfence.governance.risks import register
from ringfence.governance.risks.model import Rating, RiskId
from ringfence.governance.risks.shelf import Filters, controls_of
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.judging import BEN, RISK, TODAY, accepted, entered, in_days, treated

OTHER = RiskId("risk-ffffffffffff")


@pytest.fixture
def risks():
    plan = treated(by=BEN)
    second = entered(entry=4, id=OTHER, rating=Rating(1, 1), owner=None, owned=False, threats=(), controls=())
    return list(register.fold([entered(), plan, accepted(plan), second]).values())


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(), {RISK, OTHER}),
        (Filters(state="closed"), set()),
        (Filters(state="all"), {RISK, OTHER}),
        (Filters(level="severe"), {RISK}),
        (Filters(lacks="owner"), {OTHER}),
        (Filters(lacks="treatment"), {OTHER}),
        (Filters(lacks="acceptance"), {OTHER}),
        (Filters(lacks="overdue"), set()),
        (Filters(threat="T01"), {RISK}),
        (Filters(control="MOD-01"), {RISK}),
        (Filters(likelihood=4, impact=5), {RISK}),
        (Filters(likelihood=4, impact=4), set()),
    ],
)
def test_each_filter_leaves_out_what_does_not_fit(risks, filters, found):
    assert {risk.id for risk in filters.chosen(risks, TODAY)} == found


def test_what_is_overdue_depends_on_the_day(risks):
    assert {risk.id for risk in Filters(lacks="overdue").chosen(risks, in_days(61))} == {RISK}


def test_the_controls_of_a_risk_are_its_own_and_those_of_its_treatment(risks):
    assert controls_of(risks[0]) == ("DAT-01", "MOD-01")


@pytest.mark.parametrize("change", [{"state": "gone"}, {"level": "huge"}, {"lacks": "love"}])
def test_a_filter_that_is_none_is_refused(change):
    with pytest.raises(MalformedInput):
        replace(Filters(), **change).check()
    Filters("all", "high", "overdue").check()
