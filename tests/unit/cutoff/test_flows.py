from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.cutoff.flows import FlowFeed, sent
from ringfence.fabric.model import Flow
from ringfence.kernel.errors import Unavailable
from ringfence.soc.detection.detector import Detector
from ringfence.soc.detection.shipped import rules
from ringfence.testing.clock import FakeClock
from ringfence.testing.soc import TENANT

NOW = FakeClock().now()
DENIED = Flow("n-00000001", "10.203.0.2", "10.203.0.6", "tcp", 9000, 3, 180, "denied")
READ = Flow("n-00000001", "10.203.0.2", "203.0.113.7", "tcp", 22, 900, 2**20, "accepted")


class Counters:
    """The helper, as far as its counters are asked for."""

    def __init__(self, *flows):
        self.now = flows

    def flows(self):
        if isinstance(self.now, Exception):
            raise self.now
        return self.now


def begun(fabric, owners=None):
    """Return a feed that has not read yet."""
    return FlowFeed(lambda: fabric, lambda: owners if owners is not None else {"n-00000001": TENANT})


def feed(fabric, owners=None):
    """Return a feed that was begun before anything was counted."""
    made, now = begun(fabric, owners), fabric.now if fabric else ()
    if fabric:
        fabric.now = ()
    made.events(NOW)
    if fabric:
        fabric.now = now
    return made


def packets(found):
    return [event.fields["traffic.packets"] for _, event in found.events(NOW)]


def test_a_flow_is_an_event_of_the_tenant_whose_port_it_came_in_by():
    ((tenant, event),) = feed(Counters(DENIED)).events(NOW)
    assert (tenant, event.node, event.received_at) == (TENANT, "n-00000001", NOW)
    assert event.fields["status"] == "Failure"
    assert "10.203.0.6" in event.raw


def test_only_what_has_grown_since_is_told():
    fabric = Counters(DENIED)
    found = feed(fabric)
    assert packets(found) == [3]
    assert packets(found) == []
    fabric.now = (replace(DENIED, packets=7, bytes=420),)
    assert packets(found) == [4]


def targets(detector, found, at):
    """Return the rules that fire on what a feed tells at a time."""
    events = [event for _, event in found.events(at)]
    return {finding.rule for event in events for finding in detector.feed(event)}


def denied(count, first=1000):
    return tuple(replace(DENIED, port=first + number, packets=1, bytes=60) for number in range(count))


def test_what_was_counted_before_the_start_is_no_scan_of_now():
    """The helper outlives `up`: ten refusals of a week, told anew at a restart, would look like one second's."""
    pytest.importorskip("sigma", reason="pySigma is not installed (extra soc)")
    found, detector = begun(Counters(*denied(30))), Detector(rules())
    assert targets(detector, found, NOW) == set()


def test_a_scan_that_goes_on_at_the_start_is_found():
    pytest.importorskip("sigma", reason="pySigma is not installed (extra soc)")
    fabric, detector = Counters(*denied(30)), Detector(rules())
    found = begun(fabric)
    targets(detector, found, NOW)
    fabric.now = denied(40)
    assert targets(detector, found, NOW + timedelta(seconds=1)) == {"flow-denied-scan"}
    again, rounds = Counters(*denied(30)), Detector(rules())  # or one that tries the same ports over and over
    found = begun(again)
    targets(rounds, found, NOW)
    again.now = tuple(replace(flow, packets=2) for flow in denied(30))
    assert targets(rounds, found, NOW + timedelta(seconds=1)) == {"flow-denied-scan"}


def test_a_helper_that_does_not_answer_at_first_is_read_from_where_it_is_then():
    fabric = Counters(*denied(30))
    found, now = begun(fabric), fabric.now
    fabric.now = Unavailable("the helper does not answer")
    with pytest.raises(Unavailable):
        found.events(NOW)
    fabric.now = now
    assert packets(found) == []
    fabric.now = (*now, DENIED)
    assert packets(found) == [3]


def test_counters_that_begin_afresh_are_no_gap():
    fabric = Counters(replace(DENIED, packets=50))
    found = feed(fabric)
    packets(found)
    fabric.now = (replace(DENIED, packets=2),)
    assert packets(found) == [2]


def test_a_flow_that_was_let_through_and_one_that_was_not_are_two():
    assert sorted(packets(feed(Counters(DENIED, replace(DENIED, verdict="accepted", packets=9))))) == [3, 9]


def test_ports_of_nobody_and_a_home_without_a_helper_tell_nothing():
    assert packets(feed(Counters(replace(DENIED, source_node="outside")))) == []
    assert packets(feed(Counters(DENIED), owners={})) == []
    assert packets(feed(None)) == []


def test_what_a_node_sent_to_somebody_is_what_was_let_through_to_that_address_only():
    others = (replace(READ, target="203.0.113.8"), replace(READ, source_node="n-00000002"))
    fabric = Counters(READ, replace(READ, port=443, bytes=5), replace(READ, verdict="denied"), *others)
    assert sent(lambda: fabric, "n-00000001", "203.0.113.7") == 2**20 + 5


@pytest.mark.parametrize("fabric", [None, Counters()])
def test_where_nothing_was_counted_nothing_is_claimed(fabric):
    assert sent(lambda: fabric, "n-00000001", "203.0.113.7") == 0


def test_a_helper_that_does_not_answer_claims_nothing_and_stops_nothing():
    fabric = Counters()
    fabric.now = Unavailable("the helper does not answer")
    assert sent(lambda: fabric, "n-00000001", "203.0.113.7") == 0
