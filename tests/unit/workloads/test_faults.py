from datetime import timedelta

import pytest

from ringfence.gateway.intake import Intake, Progress
from ringfence.gateway.publishing import Confirmation
from ringfence.gateway.pulse import PATIENCE, Pulse
from ringfence.identity.signin.service import owner_of
from ringfence.kernel.errors import VerificationFailed
from ringfence.retention.troubles import Troubles
from ringfence.soc.faults import GATEWAY_SILENT, OVERRIDES_REFUSED, RETENTION_STUCK, SEGMENT_REFUSED, UNCONFIRMED
from ringfence.testing.authenticator import Authenticator
from ringfence.testing.clock import START, FakeClock
from ringfence.testing.home import TENANT as MAIN
from ringfence.testing.signin import SITE, enrol
from ringfence.testing.soc import TENANT
from ringfence.workloads.faults import GatewayFaults, RefusedOverrides, RetentionFaults


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


def test_a_passkey_that_counted_backwards_waits_for_somebody_until_it_is_removed(services, home):
    owner = owner_of(home.actor())
    key = Authenticator(SITE.origin)
    enrol(services.signin, key, owner, SITE)
    desk = services.signin.passkeys
    (passkey,) = desk.passkeys.of(owner)
    desk.counting(passkey, 9)
    assert services.cutoff.not_working(MAIN) == []
    with pytest.raises(VerificationFailed):
        desk.counting(desk.passkeys.by_credential(passkey.credential), 3)
    services.ledger.integrate()
    (shown,) = services.cutoff.not_working(MAIN)
    assert (shown["rule"], passkey.id[:16] in shown["because"]) == ("passkey-copied", True)
    assert services.cutoff.not_working("other") == []
    desk.remove(owner, passkey.id, recoverable=True)
    assert services.cutoff.not_working(MAIN) == []


def test_what_a_sweep_cannot_do_is_one_fault_of_each_tenant_until_it_is_done():
    troubles = Troubles()
    faults, later = RetentionFaults(troubles), START + timedelta(hours=1)
    troubles.met(TENANT, {"segments inference-openings 2": "damaged"}, START)
    troubles.met(TENANT, {"segments inference-openings 2": "damaged", "run-1": "full"}, later)
    troubles.met(None, {"periods": "refused"}, later)
    own, shared = faults()
    assert (own.rule, own.tenant, own.since) == (RETENTION_STUCK, TENANT, START)
    assert own.because == "segments inference-openings 2: damaged; 1 more"
    assert (shared.tenant, shared.because) == (None, "periods: refused")
    troubles.met(TENANT, {}, later)
    troubles.met(None, {}, later)
    assert faults() == []


def test_refused_overrides_are_a_fault_of_everybody_since_the_start():
    assert RefusedOverrides("", START)() == []
    (fault,) = RefusedOverrides("overrides/a.yaml:3:7: shorter only", START)()
    assert (fault.rule, fault.tenant, fault.since) == (OVERRIDES_REFUSED, None, START)
    assert "overrides/a.yaml:3:7" in fault.because
