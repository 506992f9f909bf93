from datetime import timedelta

from ringfence.soc.availability import warnings
from ringfence.testing.clock import START
from ringfence.testing.soc import node

CUT = node(serves=True, contained_since=START)


def after(minutes):
    return warnings([CUT], START + timedelta(minutes=minutes))


def test_the_warning_comes_at_twenty_minutes_and_stays_the_same():
    assert after(19.9) == []
    (first,), (later,) = after(20), after(45)
    assert first.id == later.id
    assert (first.rule, first.subject) == ("availability-threshold", CUT.node)


def test_a_later_isolation_is_another_outage():
    again = node(serves=True, contained_since=START + timedelta(hours=2))
    (later,) = warnings([again], START + timedelta(hours=3))
    assert later.id != after(20)[0].id


def test_who_serves_nobody_or_is_not_cut_off_warns_nobody():
    late = START + timedelta(days=1)
    assert warnings([node(serves=False, contained_since=START), node(serves=True)], late) == []
