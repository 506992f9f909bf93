from datetime import timedelta

import pytest

from ringfence.gateway.intake import Intake, Progress
from ringfence.gateway.publishing import Confirmation
from ringfence.gateway.pulse import PATIENCE, Pulse
from ringfence.soc.faults import GATEWAY_SILENT, SEGMENT_REFUSED, UNCONFIRMED
from ringfence.testing.clock import START, FakeClock
from ringfence.testing.soc import TENANT
from ringfence.workloads.faults import GatewayFaults


@pytest.fixture
def faults():
    clock = FakeClock()
    return GatewayFaults(Pulse(clock), Confirmation(), Intake(None, None, None, clock), clock)


def test_nothing_is_wrong_with_what_has_not_begun(faults):
    assert faults() == []


def test_silence_what_is_not_confirmed_and_what_is_refused_are_each_a_fault(faults):
    faults.pulse.expect(lambda: "nobody answers")
    faults.pulse.take()
    faults.confirmation.note(START, "the disk is full")
    faults.intake.progress[TENANT] = Progress(admitted=1, refused="a gap", refused_since=START)
    assert [fault.rule for fault in faults()] == [SEGMENT_REFUSED]  # the others may be over in a moment
    faults.clock.advance(PATIENCE)
    found = {fault.rule: fault for fault in faults()}
    assert {rule: fault.because for rule, fault in found.items()} == {
        GATEWAY_SILENT: "nobody answers",
        UNCONFIRMED: "the disk is full",
        SEGMENT_REFUSED: "a gap",
    }
    assert (found[SEGMENT_REFUSED].tenant, found[SEGMENT_REFUSED].key) == (TENANT, "acme 2")
    assert found[GATEWAY_SILENT].tenant is found[UNCONFIRMED].tenant is None


def test_what_is_mended_is_no_fault(faults):
    faults.confirmation.note(START, "the disk is full")
    faults.clock.advance(timedelta(minutes=1))
    assert faults()
    faults.confirmation.note(faults.clock.now())
    assert faults() == []
