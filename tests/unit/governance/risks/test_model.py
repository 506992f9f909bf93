from dataclasses import replace

import pytest

from ringfence.governance.risks import register
from ringfence.governance.risks.model import Rating, Treatment, risk_id
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.judging import RISK, entered, in_days, treated


@pytest.mark.parametrize(
    ("likelihood", "impact", "level"),
    [
        (1, 1, "low"),
        (2, 2, "low"),
        (1, 5, "moderate"),
        (3, 3, "moderate"),
        (2, 5, "high"),
        (3, 5, "high"),
        (4, 4, "severe"),
    ],
)
def test_a_rating_has_a_word(likelihood, impact, level):
    assert Rating(likelihood, impact).level == level


def of(*said):
    return register.fold(said)[RISK]


def test_what_is_left_is_the_whole_risk_until_the_treatment_is_done():
    assert of(entered(), treated()).left == Rating(4, 5)
    assert of(entered(), treated(done=True)).left == Rating(2, 3)
    assert of(entered(), treated(kind=Treatment.ACCEPT, due_on=None)).left == Rating(2, 3)


def test_what_is_past_its_day_is_overdue_and_closed_risks_never():
    risk = of(entered(), treated())
    assert (risk.treatment_overdue(in_days(60)), risk.treatment_overdue(in_days(61))) == (False, True)
    assert (risk.review_overdue(in_days(90)), risk.review_overdue(in_days(91))) == (False, True)
    closed = replace(risk, closed_at=risk.registered_at)
    assert not closed.treatment_overdue(in_days(400))
    assert not closed.review_overdue(in_days(400))


def test_an_id_is_one_of_a_risk():
    assert risk_id(RISK) == RISK
    with pytest.raises(MalformedInput):
        risk_id("opinion-0123456789ab")
