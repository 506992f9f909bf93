"""The fold looks at every rule again: whoever writes past the service, writes nothing that counts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.governance.exceptions import register, statements
from ringfence.governance.exceptions.model import WAITS, State
from ringfence.kernel.digest import Digest
from ringfence.testing.clock import START
from ringfence.testing.judging import (
    ANNA,
    BEN,
    CARA,
    EXCEPTION,
    approved,
    asked,
    in_days,
    rewritten,
    said,
)


def of(*several):
    return register.fold(several).get(EXCEPTION)


def test_an_exception_is_what_two_people_signed():
    request = asked()
    one = of(request, approved(request))
    assert (one.asked_by, one.approval.by, one.state(START)) == (ANNA, BEN, State.IN_FORCE)
    assert one.entries == (1, 2)
    assert not one.approval.young


@pytest.mark.parametrize(
    "change", [{"by": ANNA}, {"with_passkey": False}, {"enrolled_by": ANNA}, {"at": START + WAITS}]
)
def test_an_approval_that_breaks_a_rule_counts_for_nothing(change):
    request = asked()
    assert of(request, replace(approved(request), **change)).approval is None


def test_the_owner_does_not_approve():
    request = asked(owner=BEN)
    assert of(request, approved(request)).approval is None
    assert of(request, approved(request, by=CARA)).approval is not None


@pytest.mark.parametrize("days", [0, -1, 366, 5000])
def test_an_exception_that_does_not_end_within_a_year_is_none(days):
    assert of(rewritten(asked(), until=str(in_days(days)))) is None
    assert of(rewritten(asked(), until=str(in_days(365)))) is not None


def test_an_approval_is_of_exactly_that_request():
    request = asked()
    other = rewritten(approved(request), request=str(Digest.of(b"another")))
    assert of(request, other).approval is None
    assert of(approved(request, entry=1)) is None


def test_an_end_ends_it_once_and_nothing_revives_it():
    request = asked()
    end = said(statements.ended(EXCEPTION, "Over."), 3, CARA)
    one = of(request, approved(request), end, replace(approved(request), entry=4))
    assert one.state(START) is State.ENDED
    assert one.ended.reason == "Over."
    assert one.entries == (1, 2, 3)
    late = replace(end, at=START + timedelta(days=200))
    assert of(request, approved(request), late).state(START + timedelta(days=200)) is State.EXPIRED


def test_a_young_key_is_remembered_and_what_cannot_be_read_changes_nothing():
    request = asked()
    assert of(request, replace(approved(request), key_since=START)).approval.young
    assert of(request, replace(approved(request), claims={})).approval is None
    assert of(request, asked(entry=2, by=BEN, owner=BEN)).wanted.owner == ANNA
