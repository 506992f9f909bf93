from dataclasses import replace

import pytest

from ringfence.compute.model import Containment, NodeClass, NodeId, NodeState, Quarantine
from ringfence.kernel.errors import NotFound, Unavailable
from ringfence.testing.nodes import CARL, TENANT, World


@pytest.fixture
def world():
    return World()


@pytest.fixture
def desk(world):
    return world.compute().desk


def test_rows_are_remembered_for_when_the_database_is_away(world, desk):
    node = world.ready(world.compute())
    assert desk.fetch(node.id) == node
    world.database = "away"
    assert desk.fetch(node.id) == node
    assert desk.all(TENANT) == [node]
    with pytest.raises(Unavailable):
        desk.fetch(NodeId("n-00000000"))


def test_what_has_ended_is_not_listed_from_memory_either(world, desk):
    node = world.ready(world.compute())
    world.compute().stop(CARL, "alpha")
    assert desk.fetch(node.id).ended
    world.database = "away"
    assert desk.all(TENANT) == []


def test_the_newest_quarantine_is_remembered_too(world, desk):
    compute = world.compute()
    node = world.ready(compute)
    compute.quarantine(TENANT, node.id, reason="tried", finding="f-1")
    known = compute.desk.quarantine(world.row(node))
    row = world.row(node)
    world.database = "away"
    assert compute.desk.quarantine(row) == known
    assert desk.quarantine(row) is None
    assert desk.remembered(node.id, 1) is None


def test_containment_does_not_turn_the_life_of_a_node_back(world):
    compute = world.compute()
    seen = world.ready(compute)
    world.provider.ports.clear()
    compute.sweep()
    with compute.desk.transaction():
        cut = replace(seen, containment=Containment.QUARANTINED, quarantine=1)
        compute.desk.contain(cut, Quarantine(seen.id, TENANT, 1, "tried", "f-1", "", world.clock.now()))
    row = world.row(seen)
    assert (row.state, row.containment) == (NodeState.FAILED, Containment.QUARANTINED)


def test_what_is_unknown_is_named(desk):
    with pytest.raises(NotFound, match="n-00000000"):
        desk.fetch(NodeId("n-00000000"))
    with pytest.raises(NotFound, match="alpha"):
        desk.named(TENANT, "alpha")
    with pytest.raises(NotFound):
        desk.change(NodeId("n-00000000"), lambda node: node)
    with pytest.raises(Unavailable, match="own"):
        desk.provider_of(NodeClass.OWN)
