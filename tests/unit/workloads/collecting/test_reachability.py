import pytest

from ringfence.compute.model import NodeClass, ProbeResult
from ringfence.kernel.errors import Unavailable
from ringfence.testing.home import TENANT
from ringfence.testing.staged import empty
from ringfence.workloads.collecting.reachability import Probed, egress, netpolicy
from ringfence.workloads.collecting.wires import collectors

SHUT = ProbeResult("node-to-controller", "blocked", "blocked", ok=True)
THROUGH = ProbeResult("peer-to-node", "blocked", "open", ok=False)
ALLOWED = ProbeResult("node-to-peer", "open", "open", ok=True)
CLOSED_PEER = ProbeResult("node-to-peer", "open", "blocked", ok=False)
UNTRIED = ProbeResult("metadata", "blocked", "not-tried: its process is gone", ok=False)
KEPT_IN = ProbeResult("metadata", "blocked", "blocked", ok=True)
OUT = ProbeResult("metadata", "blocked", "open", ok=False)
WORLD = ProbeResult("node-to-world", "blocked", "open", ok=False)


def node(*results, node_class=NodeClass.NAMESPACE):
    return Probed("n-00000001", node_class, results)


@pytest.mark.parametrize(
    ("results", "counted"),
    [
        ((SHUT, KEPT_IN), (2, 0, 0)),
        ((SHUT, THROUGH), (1, 1, 0)),
        ((SHUT, ALLOWED, CLOSED_PEER), (1, 0, 0)),  # what should be open is no refusal, and no leak
        ((SHUT, UNTRIED), (1, 0, 1)),
        ((), (0, 0, 1)),
    ],
)
def test_only_paths_that_should_be_closed_and_were_tried_are_judged(results, counted):
    found = netpolicy(TENANT, [node(*results)]).claims
    assert (found["denied"], found["admitted"], found["unprobed"]) == counted


def test_a_machine_of_ones_own_has_no_policy_of_ours():
    found = netpolicy(TENANT, [node(THROUGH, WORLD, node_class=NodeClass.OWN)]).claims
    assert (found["nodes"], found["denied"], found["admitted"], found["unprobed"]) == (1, 0, 0, 1)


@pytest.mark.parametrize(
    ("results", "node_class", "counted"),
    [
        ((KEPT_IN, SHUT), NodeClass.NAMESPACE, (0, 1, 0)),
        ((OUT,), NodeClass.VM, (1, 0, 0)),
        ((UNTRIED,), NodeClass.NAMESPACE, (0, 0, 1)),
        ((SHUT,), NodeClass.NAMESPACE, (0, 0, 1)),  # nothing led out
        ((), NodeClass.OWN, (0, 0, 1)),
        ((KEPT_IN, WORLD), NodeClass.OWN, (1, 1, 0)),
    ],
)
def test_a_way_out_is_open_or_refused_or_was_not_tried(results, node_class, counted):
    found = egress(TENANT, [node(*results, node_class=node_class)]).claims
    assert (found["allowed"], found["refused"], found["unprobed"]) == counted


def test_where_something_got_through_stands_in_the_erasable_part():
    made = netpolicy(TENANT, [node(THROUGH)])
    assert made.details == {"open": [["n-00000001", "peer-to-node"]]}
    assert "n-0" not in str(dict(made.claims))


@pytest.fixture
def stage(home, clock):
    with empty(home, clock) as opened:
        yield opened


def claims(stage, name, tenant=TENANT):
    return collectors(stage.services)[name].collect.look(tenant).claims


def test_real_nodes_are_asked_and_only_those_of_the_tenant(stage):
    stage.node("trainer")
    assert claims(stage, "netpolicy.verified") == {"nodes": 1, "denied": 0, "admitted": 1, "unprobed": 0}
    assert claims(stage, "egress.verified")["unprobed"] == 1
    assert claims(stage, "netpolicy.verified", "other")["nodes"] == 0


def test_a_node_that_cannot_be_asked_was_not_probed(stage):
    stage.node("trainer")
    provider = stage.services.cutoff.compute.desk.providers[NodeClass.NAMESPACE]
    provider.broken["probe"] = Unavailable("the helper is away")
    assert claims(stage, "netpolicy.verified") == {"nodes": 1, "denied": 0, "admitted": 0, "unprobed": 1}
    assert claims(stage, "egress.verified") == {"nodes": 1, "allowed": 0, "refused": 0, "unprobed": 1}
