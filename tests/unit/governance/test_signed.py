from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from ringfence.governance.signed import agrees, counting
from ringfence.kernel import assertion
from ringfence.kernel.statement import KeyRole
from ringfence.testing.clock import START
from ringfence.testing.home import draft, signed
from ringfence.testing.judging import ANNA, BEN, CARA, asked, entered, said


@pytest.fixture
def logged(services, home):
    """A statement as the log gives it, and what of it can be changed."""
    person = next(iter(home.people.values()))
    envelope, opening = signed(services, person, draft(details={"why": "so"}))
    issuer = SimpleNamespace(
        role=KeyRole.OPERATOR, person=ANNA, algorithm=assertion.ALGORITHM, valid_from=START, enrolled_by="root"
    )
    return SimpleNamespace(
        entry=4,
        recorded_at=START + timedelta(hours=23),
        envelope=envelope,
        opening=opening,
        standing="trusted",
        issuer=issuer,
    )


def test_what_a_person_signed_counts_with_its_details(logged):
    (one,) = counting([logged])
    assert (one.entry, one.by, one.with_passkey, one.enrolled_by) == (4, ANNA, True, "root")
    assert one.details == {"why": "so"}
    assert one.envelope == logged.envelope.digest


def test_erased_details_leave_the_claims(logged):
    logged.opening = None
    (one,) = counting([logged])
    assert one.details == {}
    assert one.claims


@pytest.mark.parametrize("standing", ["revoked", "expired", "unknown", "unproven", "not-yet-valid"])
def test_a_key_that_was_not_in_force_counts_for_nothing(logged, standing):
    logged.standing = standing
    assert list(counting([logged])) == []


@pytest.mark.parametrize("change", [{"person": None}, {"role": KeyRole.CONTROL_PLANE}, {"role": KeyRole.GATEWAY}])
def test_what_no_person_signed_counts_for_nothing(logged, change):
    vars(logged.issuer).update(change)
    assert list(counting([logged])) == []


def test_a_key_of_less_than_a_day_is_young(logged):
    (young,) = counting([logged])
    logged.recorded_at = START + timedelta(hours=24)
    (older,) = counting([logged])
    assert (young.young(), older.young()) == (True, False)
    assert older.young(replace(older, key_since=older.at))


def test_a_second_person_is_another_one_with_a_passkey():
    first, second = asked(), entered(by=BEN)
    assert agrees(second, first)
    assert not agrees(replace(second, by=ANNA), first)
    assert not agrees(replace(second, with_passkey=False), first)
    assert not agrees(second, first, others=(BEN,))


def test_who_enrolled_the_other_is_no_second_person():
    first, second = asked(), entered(by=BEN)
    assert not agrees(second, replace(first, enrolled_by=BEN))
    assert not agrees(replace(second, enrolled_by=ANNA), first)
    assert agrees(replace(second, enrolled_by=CARA), first)


def test_what_the_fake_says_is_what_was_drafted():
    made = draft()
    assert said(made, 3).claims == made.claims
