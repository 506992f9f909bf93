from dataclasses import replace

import pytest

from ringfence.compute import rows
from ringfence.compute.model import Block, NodeClass
from ringfence.kernel.digest import Digest
from ringfence.testing.clock import START
from ringfence.testing.nodes import TENANT, World


class Row:
    """A row as the database gives it: attributes."""

    def __init__(self, **values):
        self.__dict__ |= values


@pytest.fixture
def node():
    world = World()
    return world.ready(world.compute(), expose=(22,))


def test_a_node_with_a_runtime(node):
    shown = replace(node, spec=replace(node.spec, runtime=True))
    assert rows.node(Row(node=node.id, **rows.node_row(shown))) == shown


def test_a_node(node):
    assert rows.node(Row(node=node.id, **rows.node_row(node))) == node


def test_a_host_of_ones_own_keeps_the_key_that_it_must_show(node):
    own = replace(node.spec, node_class=NodeClass.OWN, address="ssh://a@b", host_key="ssh-ed25519 AAAA")
    added = replace(node, spec=own, host_key="")
    assert rows.node(Row(node=node.id, **rows.node_row(added))).spec == own


def test_what_a_component_said_is_bounded(node):
    assert len(rows.node_row(replace(node, because="x" * 5000))["because"]) == 1000


def test_a_block():
    block = Block(TENANT, Digest.of(b"b"), "203.0.113.7", "", 0, START, START)
    assert rows.block(Row(subject=block.subject.value, **rows.block_row(block))) == block
