"""What is stated of nodes beside their baselines."""

import pytest

from ringfence.compute.baselines import Compared
from ringfence.compute.configuration import Fact
from ringfence.compute.model import NodeId
from ringfence.kernel.identifier import Tenant
from ringfence.workloads.collecting.configuration import Configurations, draft

TENANT = Tenant("acme")
FACTS = {Fact.SSHD: "aa", Fact.REMOVABLE: "blocked"}
RIGHT = Compared(NodeId("n-00000001"), FACTS, FACTS)


def claims(*nodes):
    return dict(draft(TENANT, nodes).claims)


def test_nodes_as_they_should_be_are_counted():
    found = claims(RIGHT)
    assert {name: found[name] for name in ("nodes", "drifted", "unknown", "removableBlocked")} == {
        "nodes": 1,
        "drifted": 0,
        "unknown": 0,
        "removableBlocked": 1,
    }


@pytest.mark.parametrize(
    ("node", "changed"),
    [
        (Compared(NodeId("n-00000002"), FACTS, {**FACTS, Fact.SSHD: "bb"}), {"drifted": 1, "removableBlocked": 2}),
        (Compared(NodeId("n-00000002"), FACTS, {}, "no answer"), {"unknown": 1}),
        (Compared(NodeId("n-00000002"), {}, FACTS), {"unknown": 1, "removableBlocked": 2}),
        (Compared(NodeId("n-00000002"), FACTS, {**FACTS, Fact.REMOVABLE: "open"}), {"drifted": 1}),
        (Compared(NodeId("n-00000002"), {Fact.SSHD: "aa"}, {Fact.SSHD: "aa", Fact.REMOVABLE: "unknown"}), {}),
    ],
    ids=["changed", "silent", "no-baseline", "media", "media-unknown"],
)
def test_each_way_to_be_wrong_is_counted(node, changed):
    found = claims(RIGHT, node)
    wanted = {"nodes": 2, "drifted": 0, "unknown": 0, "removableBlocked": 1} | changed
    assert {name: found[name] for name in wanted} == wanted


def test_the_details_say_which_node_and_which_fact():
    made = draft(TENANT, [RIGHT, Compared(NodeId("n-00000002"), FACTS, {Fact.SSHD: "bb"}, "")])
    assert made.details == {"drifted": {"n-00000002": [Fact.SSHD]}, "unknown": {"n-00000002": "removable"}}


def test_another_baseline_has_another_digest():
    assert claims(RIGHT)["baseline"] != claims(Compared(RIGHT.node, {Fact.SSHD: "aa"}, FACTS))["baseline"]


def test_the_collector_reads_the_tenant_it_is_asked_for():
    asked = []
    Configurations(lambda tenant: asked.append(tenant) or [])(TENANT)
    assert asked == [TENANT]
