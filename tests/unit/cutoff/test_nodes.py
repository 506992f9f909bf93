from datetime import timedelta

import pytest

from ringfence.compute.model import Containment
from ringfence.cutoff.nodes import ComputeLogs, ComputeResponder, Network
from ringfence.kernel.errors import NotFound, Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.testing.nodes import CARL, TENANT, World


@pytest.fixture
def world():
    return World()


@pytest.fixture
def compute(world):
    return world.compute()


def test_a_look_starts_no_network_helper(tmp_path):
    network = Network(tmp_path / "fabric")
    assert network.existing() is None
    assert network.blocked() == []
    assert not (tmp_path / "fabric").exists()


def test_whose_log_it_is_comes_with_the_file(world, compute):
    node = world.ready(compute, "alpha", training=True)
    ((tenant, file),) = ComputeLogs(compute).logs()
    assert tenant == TENANT
    assert (file.facts.node, file.facts.name, file.facts.training) == (node.id, "alpha", True)
    assert (file.source, file.running) == ("sshd", True)
    assert file.heartbeat_seconds > 0, "or a sensor that falls silent is never noticed"


@pytest.mark.parametrize(("ports", "serves"), [((), False), ((22,), False), ((22, 8443), True)])
def test_a_node_that_offers_more_than_ssh_serves_somebody(world, compute, ports, serves):
    world.ready(compute, expose=ports)
    ((_, file),) = ComputeLogs(compute).logs()
    assert file.facts.serves is serves


def test_since_when_a_node_is_cut_off_is_known(world, compute):
    node = world.ready(compute)
    logs = ComputeLogs(compute)
    assert logs.facts(world.row(node)).contained_since is None
    ComputeResponder(compute).quarantine(TENANT, node.id, reason="x", finding="f-1", line_at=world.clock.now())
    assert logs.facts(world.row(node)).contained_since == world.clock.now()
    assert logs.owners() == {node.id: TENANT}


def test_a_node_that_has_ended_is_not_listened_to(world, compute):
    node = world.ready(compute)
    compute.stop(CARL, node.spec.name)
    assert ComputeLogs(compute).logs() == []


def test_the_time_of_the_line_is_what_the_cut_is_measured_from(world, compute):
    node = world.ready(compute)
    line_at = world.clock.now() - timedelta(milliseconds=700)
    ComputeResponder(compute).quarantine(TENANT, node.id, reason="x", finding="f-1", line_at=line_at)
    row = world.row(node)
    assert row.containment is Containment.QUARANTINED
    assert compute.desk.quarantine(row).triggered_at == line_at
    assert compute.desk.quarantine(row).finding == "f-1"


def test_a_cut_that_is_not_confirmed_is_no_success(world, compute):
    node = world.ready(compute)
    world.journal_full = True
    with pytest.raises(Unavailable, match="not confirmed"):
        ComputeResponder(compute).quarantine(TENANT, node.id, reason="x", finding="f-1", line_at=world.clock.now())


def test_a_finding_of_one_tenant_cuts_off_nothing_of_another(world, compute):
    node = world.ready(compute)
    with pytest.raises(NotFound):
        ComputeResponder(compute).quarantine(Tenant("other"), node.id, reason="x", finding="f", line_at=node.changed_at)
    assert world.row(node).containment is Containment.NONE


def test_a_block_ends_when_the_response_says(world, compute):
    ComputeResponder(compute).block(TENANT, "203.0.113.7", seconds=60, finding="f-1")
    (block,) = world.rows["blocks"].values()
    assert (block.tenant, block.address, block.seconds) == (TENANT, "203.0.113.7", 60)
