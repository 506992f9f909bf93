"""When a lease is due, and when it is over."""

from datetime import timedelta

from ringfence.keyrelease import deciding
from ringfence.keyrelease.model import LeaseState
from ringfence.testing.clock import START
from ringfence.testing.keyrelease import lease

MINUTE = timedelta(minutes=1)


def test_a_lease_is_due_at_two_thirds_of_its_life_and_never_once_it_ended():
    made = lease(1, START)
    assert not deciding.due_for_renewal(made, START + 10 * MINUTE - timedelta(milliseconds=1))
    assert deciding.due_for_renewal(made, START + 10 * MINUTE)
    assert not deciding.due_for_renewal(lease(1, START, state=LeaseState.ENDED), START + 99 * MINUTE)


def test_a_lease_is_over_at_its_end_and_where_the_clock_went_back_behind_its_grant():
    made = lease(1, START)
    assert not deciding.over(made, START + 15 * MINUTE - timedelta(milliseconds=1))
    assert deciding.over(made, START + 15 * MINUTE)
    assert not deciding.over(made, START - timedelta(seconds=5))
    assert deciding.over(made, START - timedelta(seconds=6))
