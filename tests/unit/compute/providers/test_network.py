from ringfence.compute.model import NodeId
from ringfence.compute.providers.network import Network
from ringfence.fabric.client import Fabric
from ringfence.fabric.model import Flow
from ringfence.kernel.errors import Unavailable


def test_a_network_that_cannot_be_had_is_named():
    def absent():
        raise Unavailable("nft is missing")

    assert Network(absent).problem() == "nft is missing"


class Counted:
    def flows(self):
        return [flow("n-00000001", "10.203.0.6"), flow("outside", "10.203.0.2"), flow("n-00000002", "10.203.0.10")]


def flow(source, target):
    return Flow(source, "-", target, "tcp", 22, 1, 60, "denied")


def test_the_flows_of_a_node_are_from_it_and_to_its_address():
    found = Network(Counted).flows(NodeId("n-00000001"), "10.203.0.2")
    assert [(one.source_node, one.target) for one in found] == [
        ("n-00000001", "10.203.0.6"),
        ("outside", "10.203.0.2"),
    ]


def test_ssh_is_handed_a_connection_by_a_program_that_names_the_way(tmp_path):
    network = Network(lambda: Fabric(tmp_path))
    command = network.proxy(NodeId("n-00000001"), forensic=True)
    assert command[1:3] == ("-I", "-S")
    assert command[-3:] == (str(tmp_path), "n-00000001", "forensic")
    assert network.proxy(NodeId("n-00000001"), forensic=False)[-1] == "control"
