import logging

import pytest

from ringfence.compute.reconcile import Reconciler
from ringfence.kernel.errors import Unavailable
from ringfence.testing.nodes import TENANT, World


@pytest.fixture
def world():
    return World()


@pytest.fixture
def turn(world):
    return Reconciler(world.compute())


def test_only_the_first_turn_asserts_every_cut_again(world, turn):
    node = world.ready(turn.compute)
    turn.compute.quarantine(TENANT, node.id, reason="tried", finding="f-1")
    before = len(world.effects)
    turn()
    turn()
    assert world.effects[before:] == ["isolate"]


def test_a_first_turn_that_fails_is_still_to_be_taken(world, turn):
    world.database = "away"
    with pytest.raises(Unavailable):
        turn()
    world.database = "up"
    node = world.ready(turn.compute)
    turn.compute.quarantine(TENANT, node.id, reason="tried", finding="f-1")
    before = len(world.effects)
    turn()
    assert world.effects[before:] == ["isolate"]


def test_the_same_problem_is_told_once(world, turn, caplog):
    node = world.ready(turn.compute)
    del world.rows["nodes"][node.id]
    with caplog.at_level(logging.WARNING):
        turn()
        turn()
    assert [record.getMessage() for record in caplog.records] == [
        f"{node.id} runs here and nobody asked for it; it was left alone"
    ]
