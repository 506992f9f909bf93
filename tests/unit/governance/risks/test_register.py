"""The fold looks at every rule again: whoever writes past the service, writes nothing that counts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.governance.risks import register, statements
from ringfence.governance.risks.model import Rating
from ringfence.governance.risks.statements import Review
from ringfence.testing.judging import (
    ANNA,
    BEN,
    CARA,
    RISK,
    accepted,
    entered,
    in_days,
    rewritten,
    said,
    treated,
)  # fmt: skip


def of(*several):
    return register.fold(several).get(RISK)


def test_a_risk_is_what_was_signed_about_it():
    plan = treated(by=BEN)
    risk = of(entered(), plan, accepted(plan))
    assert (risk.registered_by, risk.basis_by, risk.acceptance.by) == (ANNA, BEN, CARA)
    assert risk.entries == (1, 2, 3)
    assert risk.accepted(in_days(200))
    assert not risk.accepted(in_days(201))


@pytest.mark.parametrize(
    "change",
    [
        {"by": ANNA},  # owns it
        {"by": BEN},  # treated it
        {"with_passkey": False},
        {"enrolled_by": BEN},
    ],
)
def test_an_acceptance_that_breaks_a_rule_counts_for_nothing(change):
    plan = treated(by=BEN)
    assert of(entered(), plan, replace(accepted(plan), **change)).acceptance is None


@pytest.mark.parametrize(
    "change", [{"until": str(in_days(366))}, {"until": str(in_days(0))}, {"residualImpact": 1}, {"until": 5}]
)
def test_an_acceptance_of_something_else_or_without_end_counts_for_nothing(change):
    plan = treated(by=BEN)
    assert of(entered(), plan, rewritten(accepted(plan), **change)).acceptance is None


def test_an_acceptance_of_an_older_state_counts_for_nothing():
    old, new = treated(by=BEN), treated(entry=3, by=BEN, residual=Rating(5, 5))
    assert of(entered(), old, new, accepted(old, entry=4)).acceptance is None
    same = treated(entry=3, by=BEN, text="Another plan that leaves as much.")
    assert of(entered(), old, same, accepted(old, entry=4)).acceptance is None
    assert of(entered(), old, same, accepted(same, entry=4)).acceptance is not None
    assert of(entered(), old, accepted(old), replace(new, entry=4)).acceptance is None


def test_a_risk_without_owner_or_treatment_is_not_accepted():
    first = entered()
    assert of(first, accepted(first, entry=2)).acceptance is None
    plan = treated(by=BEN)
    assert of(entered(owner=None, owned=False), plan, accepted(plan)).acceptance is None


def reviewed(entry, by=BEN, at=timedelta(0), **changes):
    one = Review(RISK, Rating(4, 5), ANNA, True, in_days(180), False, "Looked.")
    made = said(statements.reviewed(replace(one, **changes)), entry, by)
    return replace(made, at=made.at + at)


def test_another_owner_or_rating_ends_an_acceptance():
    plan = treated(by=BEN)
    base = (entered(), plan, accepted(plan))
    assert of(*base, reviewed(4)).acceptance is not None
    assert of(*base, reviewed(4, owner=BEN)).acceptance is None
    assert of(*base, reviewed(4, rating=Rating(5, 5))).acceptance is None


def test_what_is_closed_stays_closed():
    risk = of(entered(), reviewed(2, closed=True), treated(3), reviewed(4))
    assert not risk.open
    assert risk.row.plan is None
    assert risk.entries == (1, 2)


def test_a_risk_is_entered_once_and_others_know_nothing_of_it():
    assert of(entered(), entered(entry=2, by=BEN, rating=Rating(1, 1))).row.rating == Rating(4, 5)
    assert of(treated(), reviewed(2)) is None


def test_what_cannot_be_read_changes_nothing():
    assert of(entered(), replace(treated(), claims={"risk": RISK})).row.plan is None
    assert of(replace(entered(), claims={})) is None


def test_young_keys_are_remembered():
    plan = treated(by=BEN)
    young = replace(accepted(plan), key_since=plan.at)
    assert of(entered(), plan, young).acceptance.young
    assert not of(entered(), plan, accepted(plan)).acceptance.young


def test_the_digest_of_the_register_moves_with_every_statement():
    names = {register.named_by(some) for some in ([], [entered()], [entered(), treated()], [treated(), entered()])}
    assert len(names) == 4
