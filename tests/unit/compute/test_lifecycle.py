from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.compute import lifecycle
from ringfence.compute.lifecycle import Birth, Due, Order
from ringfence.compute.model import Containment, NodeClass, NodeId, NodeState, Offer, QuarantineKind
from ringfence.compute.providers.bootvalues import SIZES_MIB
from ringfence.kernel.errors import Conflict, MalformedInput, Refused, Unavailable
from ringfence.testing.clock import START
from ringfence.testing.nodes import CARL, TENANT
from ringfence.testing.sandboxes import HOST_KEY

OFFER = Offer(NodeClass.NAMESPACE, True, "", "shared-kernel", QuarantineKind.OUTSIDE_GUEST, ())
ORDER = Order("alpha", NodeClass.NAMESPACE, expose=(22,))


def birth(number=1):
    return Birth(NodeId(f"n-{number:08x}"), bytes([number]) * 16, CARL.id, START)


def request(order=ORDER, offer=OFFER, living=(), number=1):
    return lifecycle.request(order.checked(), offer, list(living), birth(number), TENANT)


@pytest.fixture
def node():
    return request().node


class TestRequest:
    def test_states_that_it_was_asked_for_and_keeps_names_out_of_the_claims(self):
        decision = request()
        (draft,) = decision.drafts
        assert draft.predicate == "node.requested"
        assert draft.details["name"] == "alpha"
        assert "alpha" not in str(draft.claims)
        assert decision.node.state is NodeState.REQUESTED

    def test_the_same_order_again_is_the_same_node(self, node):
        decision = request(living=[node], number=2)
        assert decision.node == node
        assert decision.drafts == ()

    def test_another_order_of_the_name_conflicts(self, node):
        with pytest.raises(Conflict):
            request(replace(ORDER, memory_mib=512), living=[node])

    def test_a_name_that_is_being_stopped_is_not_free_yet(self, node):
        with pytest.raises(Conflict):
            request(living=[replace(node, wanted=NodeState.STOPPED)])

    def test_what_cannot_run_here_says_why(self):
        with pytest.raises(Unavailable, match="bubblewrap"):
            request(offer=replace(OFFER, available=False, because="bubblewrap is missing"))

    def test_a_tenant_has_so_many_nodes_and_no_more(self, node):
        named = [replace(node, spec=replace(node.spec, name=f"n{i}")) for i in range(lifecycle.MAX_NODES)]
        with pytest.raises(Refused):
            request(living=named)
        assert request(living=named[1:]).drafts

    def test_two_descriptors_of_one_id_differ(self):
        node = NodeId("n-00000001")
        assert lifecycle.describe(node, b"a" * 16) != lifecycle.describe(node, b"b" * 16)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "No"},
        {"memory_mib": 31},
        {"memory_mib": 262_145},
        {"cpus_percent": 4},
        {"processes": 15},
        {"processes": 65_537},
        {"expose": (0,)},
        {"expose": (65_536,)},
        {"expose": (80, 80)},
        {"expose": tuple(range(1, 18))},
        {"address": "ssh://a@b"},
        {"node_class": NodeClass.OWN},
        {"node_class": NodeClass.OWN, "address": "ssh://a@b"},
        {"node_class": NodeClass.OWN, "address": "ssh://a@b", "host_key": "ssh-rsa AAAA"},
        {"node_class": NodeClass.OWN, "address": "b", "host_key": HOST_KEY},
    ],
)
def test_orders_out_of_bounds_are_refused(wrong):
    with pytest.raises(MalformedInput):
        replace(ORDER, **wrong).checked()


@pytest.mark.parametrize("right", [{"memory_mib": 32}, {"cpus_percent": 5}, {"processes": 16}, {"expose": (1, 65_535)}])
def test_orders_at_the_bounds_are_taken(right):
    assert replace(ORDER, **right).checked()


def test_only_a_namespace_node_has_a_runtime():
    (draft,) = request(replace(ORDER, runtime=True)).drafts
    assert draft.claims["runtime"] is True
    assert request().drafts[0].claims["runtime"] is False
    with pytest.raises(MalformedInput, match="namespace"):
        replace(ORDER, node_class=NodeClass.VM, runtime=True).checked()


def test_python_with_a_model_needs_more_memory():
    assert lifecycle.default_memory(runtime=True) > lifecycle.default_memory(runtime=False) == ORDER.memory_mib
    assert lifecycle.default_memory(runtime=False, node_class=NodeClass.MEASURED) in SIZES_MIB


def test_a_host_of_ones_own_brings_its_key_and_has_no_limits_of_ours():
    own = replace(ORDER, node_class=NodeClass.OWN, address="ssh://a@b", host_key=f"{HOST_KEY} root@b").checked()
    assert own.host_key == HOST_KEY
    assert (own.memory_mib, own.cpus_percent, own.processes) == (0, 0, 0)


LATE = START + lifecycle.START_LIMIT
READY = NodeState.READY
STOPPED = NodeState.STOPPED


@pytest.mark.parametrize(
    ("state", "wanted", "running", "ready", "at", "due"),
    [
        ("requested", READY, False, False, START, Due.CREATE),
        ("starting", READY, False, False, START, Due.CREATE),
        ("starting", READY, True, False, START, Due.AWAIT),
        ("requested", READY, True, True, START, Due.WELCOME),
        ("starting", READY, True, True, LATE, Due.WELCOME),
        ("starting", READY, True, False, LATE, Due.GIVE_UP),
        ("requested", READY, False, False, LATE, Due.GIVE_UP),
        ("starting", READY, True, False, LATE - timedelta(milliseconds=1), Due.AWAIT),
        ("ready", READY, True, False, LATE, Due.NOTHING),
        ("ready", READY, False, False, START, Due.LOST),
        ("ready", STOPPED, True, False, START, Due.DESTROY),
        ("stopping", STOPPED, False, False, START, Due.DESTROY),
        ("stopped", STOPPED, False, False, START, Due.NOTHING),
        ("failed", STOPPED, True, True, LATE, Due.NOTHING),
    ],
)
def test_what_is_due(node, state, wanted, running, ready, at, due):
    seen = replace(node, state=NodeState(state), wanted=wanted)
    assert lifecycle.due(seen, running=running, ready=ready, at=at) is due


def test_a_host_of_ones_own_is_waited_for_until_somebody_has_installed_our_authority(node):
    own = replace(node, state=NodeState.STARTING, spec=replace(node.spec, node_class=NodeClass.OWN))
    assert lifecycle.due(own, running=True, ready=False, at=LATE) is Due.AWAIT
    assert lifecycle.due(own, running=True, ready=False, at=START + lifecycle.TRUST_LIMIT) is Due.GIVE_UP


class TestOutcomes:
    def test_started_corrects_how_it_can_be_cut_off(self, node):
        decision = lifecycle.started(node, "ssh-ed25519 AAAA", START, kind=QuarantineKind.NO)
        assert decision.node.kind is QuarantineKind.NO
        assert decision.drafts[0].claims["quarantine"] == "none"

    def test_started_says_how_long_it_took(self, node):
        sandbox, ready = START + timedelta(milliseconds=90), START + timedelta(milliseconds=250)
        decision = lifecycle.started(lifecycle.starting(node, sandbox).node, "ssh-ed25519 AAAA", ready)
        (draft,) = decision.drafts
        assert decision.node.state is NodeState.READY
        assert draft.claims["millisecondsToSandbox"] == 90
        assert draft.claims["millisecondsToReady"] == 250

    def test_starting_again_does_not_move_the_time_of_the_sandbox(self, node):
        once = lifecycle.starting(node, START + timedelta(seconds=1)).node
        assert lifecycle.starting(once, LATE).node == once

    def test_one_that_is_to_stop_is_not_welcomed(self, node):
        stopping = replace(node, wanted=NodeState.STOPPED)
        assert lifecycle.started(stopping, "", START) == lifecycle.Decision(stopping)

    def test_failure_says_in_which_phase(self, node):
        decision = lifecycle.failed(node, "lost", "it is gone", START)
        assert decision.node.ended
        assert decision.node.because == "it is gone"
        assert decision.drafts[0].claims == {"node": node.id, "phase": "lost", "contained": False}

    def test_an_end_is_stated_once(self, node):
        for end in (lifecycle.failed(node, "start", "no", START).node, lifecycle.stopped(node, START).node):
            assert lifecycle.failed(end, "lost", "again", LATE) == lifecycle.Decision(end)
            assert lifecycle.stopped(end, LATE) == lifecycle.Decision(end)
            assert lifecycle.stop(end, LATE) == lifecycle.Decision(end)

    def test_stopping_twice_is_stopping_once(self, node):
        once = lifecycle.stop(node, START).node
        assert once.state is NodeState.STOPPING
        assert lifecycle.stop(once, LATE).node == once

    @pytest.mark.parametrize("containment", [c for c in Containment if c is not Containment.NONE])
    def test_one_that_is_cut_off_is_not_stopped(self, node, containment):
        with pytest.raises(Refused, match="evidence"):
            lifecycle.stop(replace(node, containment=containment), START)


def test_leaks_are_what_is_left_of_the_ended_and_nothing_else(node):
    ended = replace(node, state=NodeState.STOPPED, spec=replace(node.spec, node=NodeId("n-0000000e")))
    held = replace(
        node,
        state=NodeState.FAILED,
        containment=Containment.QUARANTINED,
        spec=replace(node.spec, node=NodeId("n-0000000f")),
    )
    existing = [node.id, ended.id, held.id, NodeId("n-99999999")]
    assert lifecycle.leaks(existing, [node, ended, held]) == ([ended.id], ["n-99999999"])
