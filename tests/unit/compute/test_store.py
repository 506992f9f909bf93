from dataclasses import replace

import pytest

from ringfence.compute.model import Block, Containment, NodeState, Release, ReleaseState
from ringfence.compute.store import NodeTables, StatedTable
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, InternalError
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.testing.clock import START
from ringfence.testing.nodes import ANNA, BERT, TENANT, World

pytestmark = pytest.mark.databases


@pytest.fixture
def world():
    return World()


@pytest.fixture
def node(world):
    compute = world.compute()
    made = world.ready(compute, expose=(22, 80), password="$6$salt$hash", training=True)
    compute.quarantine(TENANT, made.id, reason="tried", finding="f-1", by=ANNA, triggered_at=START)
    return world.row(made)


@pytest.fixture
def tables(database):
    return NodeTables(database)


def put(tables, *nodes):
    with tables.database.transaction():
        for node in nodes:
            tables.put(node)


def test_a_node_comes_back_as_it_was(tables, node):
    put(tables, node)
    assert tables.get(node.id) == node
    put(tables, replace(node, containment=Containment.RELEASING))
    assert tables.get(node.id).containment is Containment.RELEASING


def test_one_living_name_per_tenant(tables, node):
    other = replace(node, spec=replace(node.spec, node="n-ffffffff"))
    put(tables, node, replace(other, spec=replace(other.spec, tenant=Tenant("other"))))
    with pytest.raises(Conflict, match="alpha"):
        put(tables, replace(other, spec=replace(other.spec, node="n-eeeeeeee")))
    put(tables, replace(node, state=NodeState.STOPPED, ended_at=START))
    put(tables, replace(other, spec=replace(other.spec, node="n-eeeeeeee")))


def test_the_ended_are_left_out_unless_they_are_cut_off(tables, node):
    held = replace(node, state=NodeState.FAILED, ended_at=START)
    gone = replace(held, containment=Containment.NONE, spec=replace(node.spec, node="n-ffffffff"))
    put(tables, held, gone)
    assert tables.all() == [held]
    assert tables.all(TENANT) == [held]
    assert tables.all(Tenant("other")) == []
    assert {row.id for row in tables.all(ended=True)} == {held.id, gone.id}


def test_a_quarantine_comes_back_as_it_was(tables, world, node):
    known = world.rows["quarantines"][node.id, 1]
    with tables.database.transaction():
        tables.put_quarantine(known)
        tables.put_quarantine(known)
    assert tables.quarantine(node.id, 1) == known
    assert tables.quarantine(node.id, 2) is None


def test_releases_come_back_in_order(tables, node):
    first = Release(Digest.of(b"1"), node.id, TENANT, 1, ANNA.id, START, "cleaned", ReleaseState.ASKED)
    later = replace(first, request=Digest.of(b"0"), asked_at=START.replace(hour=10))
    with tables.database.transaction():
        tables.put_release(later)
        tables.put_release(first)
        tables.put_release(replace(first, state=ReleaseState.RELEASED, approval="x", approved_by=BERT.id))
    assert [release.request for release in tables.releases(node.id, 1)] == [first.request, later.request]
    assert tables.release(first.request).state is ReleaseState.RELEASED
    assert tables.release(Digest.of(b"2")) is None
    assert tables.releases(node.id, 2) == []


def test_blocks_until_they_end(tables):
    block = Block(TENANT, Digest.of(b"b"), "203.0.113.7", "f-1", 600, START)
    with tables.database.transaction():
        tables.put_block(block)
    assert tables.blocks() == [block]
    with tables.database.transaction():
        tables.put_block(replace(block, ended_at=START))
    assert tables.blocks() == []


def test_nothing_is_written_outside_a_transaction(tables, node):
    with pytest.raises(InternalError):
        tables.put(node)


def test_what_was_stated_is_found_in_database_and_journal(services, world, node):
    confirmed = PredicateName("quarantine.confirmed")
    stated = StatedTable(services.database, services.journal.waiting)
    tenant = services.home.tenant
    assert not stated(tenant, confirmed, node.id, 1)
    draft = next(draft for _, draft in world.stated if draft.predicate == confirmed)
    services.journal.record(draft, tenant=tenant)
    assert stated(tenant, confirmed, node.id, 1)
    assert not stated(tenant, confirmed, node.id, 2)
    assert not stated(tenant, PredicateName("quarantine.failed"), node.id, 1)


def test_what_waits_in_the_journal_counts_as_stated(services, world, node):
    draft = next(draft for _, draft in world.stated if draft.predicate == "quarantine.requested")
    envelope, _ = world.signed(draft, ANNA)
    stated = StatedTable(services.database, lambda _tenant: [envelope.statement])
    assert stated(services.home.tenant, draft.predicate, node.id, 1)
