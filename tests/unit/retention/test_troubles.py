from datetime import timedelta

from ringfence.retention.troubles import Troubles
from ringfence.testing.clock import START
from ringfence.testing.home import TENANT

LATER = START + timedelta(hours=1)


def test_what_lasts_began_when_it_was_met_first_and_what_is_not_met_again_is_over():
    troubles = Troubles()
    troubles.met(TENANT, {"a": "damaged", "b": "damaged"}, START)
    troubles.met(TENANT, {"a": "another reason"}, LATER)
    (found,) = troubles.all()
    assert (found.key, found.because, found.since) == ("a", "another reason", START)
    troubles.met(TENANT, {}, LATER)
    assert troubles.all() == ()


def test_a_turn_over_one_tenant_says_nothing_of_the_others():
    troubles = Troubles()
    troubles.met(None, {"periods": "refused"}, START)
    troubles.met(TENANT, {"a": "damaged"}, START)
    troubles.met(TENANT, {}, LATER)
    assert [found.key for found in troubles.all()] == ["periods"]
