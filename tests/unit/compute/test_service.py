from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.compute import lifecycle
from ringfence.compute.lifecycle import Order
from ringfence.compute.model import Containment, NodeClass, NodeState
from ringfence.compute.service import CERTIFICATE_SECONDS
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused, Unavailable, VerificationFailed
from ringfence.kernel.identifier import Tenant
from ringfence.testing.nodes import ANNA, CARL, TENANT, World
from ringfence.testing.sandboxes import HOST_KEY

ORDER = Order("alpha", NodeClass.NAMESPACE)
LIFE = ("node",)


@pytest.fixture
def world():
    return World()


@pytest.fixture
def compute(world):
    return world.compute()


class TestStart:
    def test_comes_up_once_and_says_so(self, world, compute):
        node = compute.start(CARL, ORDER)
        assert (node.state, node.host_key) == (NodeState.READY, HOST_KEY)
        assert compute.start(CARL, ORDER) == node
        assert world.said() == ["node.requested", "node.started"]
        assert len(world.provider.makes) == 1

    def test_nothing_is_made_before_it_was_stated(self, world, compute):
        world.database = "full"
        with pytest.raises(Unavailable):
            compute.start(CARL, ORDER)
        assert world.provider.makes == []

    def test_without_waiting_the_reconciler_brings_it_up(self, world, compute):
        node = compute.start(CARL, ORDER, wait=False)
        assert node.state is NodeState.REQUESTED
        for _ in range(3):
            compute.sweep()
        assert world.row(node).state is NodeState.READY

    def test_what_cannot_be_made_says_why_and_leaves_nothing(self, world, compute):
        world.provider.broken["create"] = Unavailable("bubblewrap is missing; install bubblewrap")
        node = compute.start(CARL, ORDER)
        assert (node.state, node.because) == (NodeState.FAILED, "bubblewrap is missing; install bubblewrap")
        assert world.said() == ["node.requested", "node.failed"]
        world.provider.broken.clear()
        assert compute.start(CARL, ORDER).id != node.id

    def test_one_that_never_answers_is_given_up(self, world, compute):
        world.provider.polls = 10**6
        node = compute.start(CARL, ORDER)
        assert node.state is NodeState.STARTING
        world.clock.advance(timedelta(minutes=3))
        compute.sweep()
        assert world.row(node).state is NodeState.FAILED
        assert world.provider.existing() == frozenset()

    def test_one_that_does_not_come_up_can_be_stopped(self, world, compute):
        world.provider.polls = 10**6
        node = compute.start(CARL, ORDER)
        assert compute.stop(CARL, "alpha").state is NodeState.STOPPED
        assert world.row(node).ended
        assert world.said() == ["node.requested", "node.stopped"]

    def test_a_class_that_nobody_provides_is_named(self, compute):
        with pytest.raises(Unavailable, match="vm"):
            compute.start(CARL, Order("alpha", NodeClass.VM))

    def test_two_tenants_may_use_one_name(self, world, compute):
        other = type(CARL)(CARL.id, Tenant("other"), CARL.role)
        assert compute.start(CARL, ORDER).id != compute.start(other, ORDER).id
        assert [node.tenant for node in compute.all(TENANT)] == [TENANT]
        with pytest.raises(NotFound):
            compute.node(Tenant("third"), "alpha")
        assert len(world.provider.makes) == 2


class TestStop:
    def test_leaves_nothing_and_frees_the_name(self, world, compute):
        node = compute.start(CARL, ORDER)
        assert compute.stop(CARL, "alpha").state is NodeState.STOPPED
        assert world.provider.existing() == frozenset()
        assert compute.node(TENANT, "alpha").id == node.id
        assert compute.start(CARL, ORDER).id != node.id

    def test_evidence_is_not_destroyed(self, world, compute):
        node = compute.start(CARL, ORDER)
        compute.quarantine(TENANT, node.id, reason="tried", finding="f-1")
        with pytest.raises(Refused, match="release"):
            compute.stop(CARL, "alpha")
        assert world.provider.existing() == {node.id}

    def test_nor_where_the_row_does_not_know_of_the_cut_yet(self, world, compute):
        node = compute.start(CARL, ORDER)
        world.provider.isolate(node.id)
        compute.stop(CARL, "alpha")
        assert world.provider.existing() == {node.id}

    def test_what_is_not_there_is_not_stopped(self, compute):
        with pytest.raises(NotFound):
            compute.stop(CARL, "alpha")


class TestSweep:
    def test_one_that_vanishes_is_said_to_be_lost(self, world, compute):
        node = compute.start(CARL, ORDER)
        world.provider.ports.clear()
        compute.sweep()
        compute.sweep()
        assert world.row(node).because == "no such node"
        assert world.said("node.failed") == ["node.failed"]

    def test_what_is_left_of_an_ended_node_goes(self, world, compute):
        node = compute.start(CARL, ORDER)
        port = world.provider.ports[node.id]
        compute.stop(CARL, "alpha")
        world.provider.ports[node.id] = port
        compute.sweep()
        assert world.provider.existing() == frozenset()

    def test_what_nobody_asked_for_is_told_and_left_alone(self, world, compute):
        node = compute.start(CARL, ORDER)
        del world.rows["nodes"][node.id]
        assert compute.sweep().strangers == (node.id,)
        assert world.provider.existing() == {node.id}

    def test_a_node_that_somebody_works_on_is_left_to_them(self, world, compute):
        node = compute.start(CARL, ORDER, wait=False)
        with compute.desk.exclusive.working(node.id) as mine:
            assert mine
            compute.sweep()
        assert world.provider.makes == []

    def test_a_provider_that_fails_is_a_problem_and_no_end(self, world, compute):
        compute.start(CARL, ORDER)
        compute.start(CARL, Order("beta", NodeClass.NAMESPACE))
        compute.desk.change(compute.node(TENANT, "alpha").id, lambda n: lifecycle.stop(n, world.clock.now()))
        world.provider.broken["destroy"] = Unavailable("a process does not end")
        assert compute.sweep().problems == ("a process does not end",)
        world.provider.broken.clear()
        assert compute.sweep().problems == ()


class TestCertificate:
    def test_is_recorded_before_it_is_handed_out(self, world, compute):
        node = compute.start(CARL, ORDER)
        access = compute.certificate(CARL, "alpha", HOST_KEY)
        assert access.seconds == CERTIFICATE_SECONDS
        assert node.id in access.certificate
        (claims,) = world.claims("ssh.certificate_issued")
        assert (claims["channel"], claims["by"], claims["seconds"]) == ("control", CARL.id, CERTIFICATE_SECONDS)

    def test_what_cannot_be_recorded_is_not_handed_out(self, world, compute):
        compute.start(CARL, ORDER)
        world.database = "full"
        with pytest.raises(Unavailable):
            compute.certificate(CARL, "alpha", HOST_KEY)

    def test_a_quarantined_node_is_reached_by_the_forensic_channel_alone(self, world, compute):
        node = compute.start(CARL, ORDER)
        with pytest.raises(Conflict):
            compute.certificate(ANNA, "alpha", HOST_KEY, forensic=True, reason="looking")
        compute.quarantine(TENANT, node.id, reason="tried", finding="f-1")
        with pytest.raises(Refused, match="--forensic"):
            compute.certificate(CARL, "alpha", HOST_KEY)
        access = compute.certificate(ANNA, "alpha", HOST_KEY, forensic=True, reason="looking")
        assert access.endpoint.proxy[-1] == "forensic"
        assert world.stated[-1][1].details == {"reason": "looking"}

    def test_the_forensic_channel_asks_why(self, compute):
        node = compute.start(CARL, ORDER)
        compute.quarantine(TENANT, node.id, reason="tried", finding="f-1")
        with pytest.raises(MalformedInput):
            compute.certificate(ANNA, "alpha", HOST_KEY, forensic=True)

    def test_another_host_key_than_the_recorded_one_is_refused(self, world, compute):
        node = compute.start(CARL, ORDER)
        with world.transaction():
            world.write("nodes", node.id, replace(world.row(node), host_key="ssh-ed25519 BBBB"))
        with pytest.raises(VerificationFailed):
            compute.certificate(CARL, "alpha", HOST_KEY)

    def test_a_node_that_is_not_ready_takes_no_login(self, compute):
        compute.start(CARL, ORDER, wait=False)
        with pytest.raises(Conflict):
            compute.certificate(CARL, "alpha", HOST_KEY)


class TestRead:
    def test_offers_name_what_is_missing(self, compute):
        offers = {offer.node_class: offer for offer in compute.offers()}
        assert offers[NodeClass.NAMESPACE].available
        assert not offers[NodeClass.VM].available
        assert offers[NodeClass.VM].because

    def test_logs_say_whose_and_of_which_node_they_are(self, compute):
        node = compute.start(CARL, Order("alpha", NodeClass.NAMESPACE, training=True))
        compute.start(CARL, Order("beta", NodeClass.NAMESPACE))
        compute.stop(CARL, "beta")
        ((tenant, log, facts),) = compute.logs()
        assert (tenant, log.node, facts.node) == (TENANT, node.id, node.id)
        assert (facts.name, facts.training, facts.containment) == ("alpha", True, Containment.NONE)
