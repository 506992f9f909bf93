"""Over a whole installation: what Today lists rests on the tables, and on nothing else."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.cutoff.waiting import EverythingThatWaits
from ringfence.frontends.waiting import Kind
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.soc.faults import Fault
from ringfence.soc.policy import Policy
from ringfence.testing.home import TENANT
from ringfence.testing.soc import FakeNotifiers
from ringfence.testing.staged import TAKEN, empty


@pytest.fixture
def stage(home, clock):
    with empty(home, clock) as made:
        yield made


def waits(stage):
    cut = stage.services.cutoff
    return EverythingThatWaits(cut.compute, cut.incidents, cut.watch)


def kinds(stage):
    return {item.kind for item in waits(stage).waiting(TENANT)}


def test_nothing_waits_in_a_new_installation(stage):
    assert waits(stage).waiting(TENANT) == []
    assert waits(stage).clocks(TENANT) is None


def test_a_free_node_waits_for_nobody(stage):
    stage.node("web")
    assert waits(stage).waiting(TENANT) == []


def test_an_attack_leaves_a_node_an_incident_and_an_alert_to_people(stage):
    stage.node("free")
    stage.see(TAKEN, stage.node("web"), "203.0.113.7")
    stage.services.cutoff.posting.deliver()  # mail takes it, the webhook does not
    assert kinds(stage) == {Kind.CUT_OFF, Kind.UNDECIDED, Kind.NOT_SENT}
    found = waits(stage)
    assert [item.link for item in found.waiting(TENANT) if item.kind is Kind.CUT_OFF] == ["/nodes/web"]
    (missed,) = [item for item in found.waiting(TENANT) if item.kind is Kind.NOT_SENT]
    assert missed.text.startswith("webhook: not sent yet after 1 attempt")
    assert found.clocks(TENANT).count == 1
    assert found.clocks(TENANT).nearest > stage.clock.now()
    assert found.waiting(Tenant("other")) == []
    assert found.clocks(Tenant("other")) is None


def test_an_alert_that_nobody_has_tried_to_send_is_missed_after_a_minute(stage):
    stage.see(TAKEN, stage.node("web"), "203.0.113.7")
    assert Kind.NOT_SENT not in kinds(stage)
    stage.clock.advance(timedelta(minutes=1, seconds=1))
    assert Kind.NOT_SENT in kinds(stage)


def test_what_a_cap_leaves_to_a_person_waits_until_one_settles_it(stage):
    by = stage.home.actor()
    stage.services.cutoff.watch.change(by, 0, Policy(isolations=0, share_percent=0))
    reference = stage.see(TAKEN, stage.node("web"), "203.0.113.7")
    (queued,) = [item for item in waits(stage).waiting(TENANT) if item.kind is Kind.QUEUED]
    assert (queued.link, queued.due) == (f"/findings/{reference}", None)
    done = stage.services.cutoff.watch.settle(by, reference, "a drill")
    assert Kind.QUEUED not in kinds(stage)
    assert stage.services.ledger.entry_of(done.envelope) is not None


def test_a_decision_ends_the_provisional_clock_and_starts_those_of_the_law(stage):
    stage.see(TAKEN, stage.node("web"), "203.0.113.7")
    stage.decide(stage.newest(), significant=False)
    assert waits(stage).clocks(TENANT) is None
    stage.decide(stage.newest(), significant=True)
    assert waits(stage).clocks(TENANT).count == 2  # early warning and notification
    assert Kind.UNDECIDED not in kinds(stage)


class Broken:
    def of(self, _tenant):
        raise MalformedInput("the file has format x", source="alerts.json")


@pytest.mark.parametrize(("channels", "words"), [(FakeNotifiers([]), "no channel"), (Broken(), "the file has format")])
def test_without_a_channel_it_is_not_as_if_every_alert_were_sent(stage, channels, words):
    cut = stage.services.cutoff
    watch = replace(cut.watch, post=replace(cut.posting, notifiers=channels))
    found = EverythingThatWaits(cut.compute, cut.incidents, watch)
    assert found.waiting(TENANT) == []
    stage.see(TAKEN, stage.node("web"), "203.0.113.7")
    assert [words in item.text for item in found.waiting(TENANT) if "nobody" in item.text] == [True]


def test_what_does_not_work_waits_for_everybody_whom_it_concerns(stage):
    faults = [
        Fault("gateway-silent", None, "a", stage.clock.now(), "nobody answers"),
        Fault("segment-refused", Tenant("other"), "other 2", stage.clock.now(), "a gap"),
    ]
    found = replace(waits(stage), faults=lambda: faults)
    assert [item.text for item in found.waiting(TENANT)] == ["The gateway does not serve: nobody answers"]
    assert {item.kind for item in found.waiting(Tenant("other"))} == {Kind.NOT_WORKING}
    assert len(found.waiting(Tenant("other"))) == 2
