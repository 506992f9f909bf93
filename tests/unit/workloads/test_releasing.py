"""Nodes as key release sees them."""

import pytest

from ringfence.kernel.errors import NotFound
from ringfence.testing.nodes import TENANT, World
from ringfence.workloads.releasing import NodeTargets


def test_nodes_are_seen_as_compute_has_them():
    world = World()
    compute = world.compute()
    node, nodes = world.ready(compute), NodeTargets(compute)
    found = nodes.named(TENANT, node.spec.name)
    assert (found.node, found.ready, found.cut_off, found.node_class) == (node.id, True, False, "namespace")
    assert nodes.living(node.id)
    assert not nodes.living("n-ffffffff")
    with pytest.raises(NotFound):
        nodes.named(TENANT, "nowhere")


def test_a_node_that_is_cut_off_is_seen_as_that():
    world = World()
    compute = world.compute()
    node = world.ready(compute)
    compute.quarantine(TENANT, node.id, reason="tried")
    assert NodeTargets(compute).named(TENANT, node.spec.name).cut_off
