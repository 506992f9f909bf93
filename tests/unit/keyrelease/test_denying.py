"""Denials of a node are counted by windows."""

from dataclasses import replace

import pytest

from ringfence.kernel.errors import Refused
from ringfence.keyrelease.model import DENIAL_WINDOW, MOST_DENIALS
from ringfence.testing.keyrelease import ANNA, TENANT, WISH, World


def test_each_node_has_a_window_of_its_own():
    world = World()
    world.node("beta").device = world.nodes["alpha"].device = None
    for _ in range(MOST_DENIALS + 1):
        with pytest.raises(Refused):
            world.service().release(ANNA, WISH)
    with pytest.raises(Refused):
        world.service().release(ANNA, replace(WISH, node="beta"))
    assert len(world.said("key.denied")) == MOST_DENIALS + 1
    first = world.store.denials(TENANT, world.nodes["alpha"].target.node)
    assert (first.recorded, first.unrecorded) == (MOST_DENIALS, 1)
    assert world.store.uncounted(world.clock.now()) == []
    assert world.store.uncounted(world.clock.now() + DENIAL_WINDOW) == [first]
