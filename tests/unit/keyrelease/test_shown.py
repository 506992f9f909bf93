"""A lease as front ends show it."""

from datetime import timedelta

from ringfence.keyrelease import shown
from ringfence.testing.clock import START
from ringfence.testing.keyrelease import lease


def test_what_is_left_of_a_lease_is_never_less_than_nothing():
    made = lease(1, START)
    assert shown.lease(made, START)["seconds_left"] == 900
    assert shown.lease(made, START + timedelta(hours=1))["seconds_left"] == 0
