import pytest

from ringfence.compute.model import NodeClass
from ringfence.testing.collecting import FakeTimekeeper
from ringfence.testing.home import TENANT
from ringfence.testing.staged import empty
from ringfence.workloads.collecting.timekeeping import Discipline, KernelClock, Timekeeping, draft


@pytest.fixture
def nodes(home, clock):
    with empty(home, clock) as stage:
        node = stage.node("trainer")
        yield [node]


def claims(nodes, **known):
    good = {"offset_micros": 10, "error_micros": 20, "synchronised": True, "source": "chrony"}
    return draft(TENANT, Discipline(**good | known), nodes).claims


def test_a_node_that_shares_our_kernel_shares_our_clock(nodes):
    assert claims(nodes) == {
        "offsetMillis": 1,
        "source": "chrony",
        "synchronised": True,
        "nodes": 1,
        "nodesOff": 0,
    }


@pytest.mark.parametrize(
    "known", [{"synchronised": False}, {"offset_micros": -100_001}, {"error_micros": 100_001}, {"offset_micros": 10**9}]
)
def test_where_our_clock_is_off_so_are_theirs(nodes, known):
    assert claims(nodes, **known)["nodesOff"] == 1


def test_the_worse_of_offset_and_error_counts_rounded_up():
    assert claims([], offset_micros=-2001, error_micros=5)["offsetMillis"] == 3
    assert claims([], offset_micros=0, error_micros=100_000)["offsetMillis"] == 100


@pytest.mark.parametrize("node_class", [NodeClass.VM, NodeClass.OWN])
def test_a_clock_that_nobody_can_read_is_off(nodes, node_class):
    from dataclasses import replace

    [node] = nodes
    other = replace(node, spec=replace(node.spec, node_class=node_class))
    assert claims([node, other])["nodesOff"] == 1


def test_it_asks_about_the_nodes_of_the_tenant(nodes):
    keeper = FakeTimekeeper(Discipline(0, 0, synchronised=True, source="ntpd"))
    look = Timekeeping(keeper, lambda tenant: nodes if tenant == TENANT else [])
    assert (look(TENANT).claims["nodes"], look("other").claims["nodes"]) == (1, 0)


def test_the_kernel_of_this_machine_answers():
    found = KernelClock().discipline()
    assert found.error_micros >= 0
    assert found.source in {"chrony", "timesyncd", "ntpd", "none"}


@pytest.mark.parametrize(
    ("name", "source"), [("chronyd", "chrony"), ("systemd-timesyn", "timesyncd"), ("ntpd", "ntpd"), ("sshd", "none")]
)
def test_the_program_is_known_by_the_name_that_the_kernel_has_for_it(tmp_path, name, source):
    (tmp_path / "17").mkdir()
    (tmp_path / "17" / "comm").write_text(f"{name}\n")
    (tmp_path / "18").mkdir()  # has ended
    assert KernelClock(tmp_path).source() == source
