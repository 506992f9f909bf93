"""What a decision rests on is gathered where it cannot change any more."""

from dataclasses import replace

import pytest

from ringfence.kernel.errors import Refused
from ringfence.testing.keyrelease import ANNA, WISH, World


def test_a_node_that_is_cut_off_while_it_is_attested_gets_nothing():
    world = World()
    node = world.nodes["alpha"]

    def cut(binding):
        node.target = replace(node.target, cut_off=True)
        return node.device.evidence(binding)

    node.answer = cut
    with pytest.raises(Refused, match="cut off"):
        world.service().release(ANNA, WISH)
    assert not node.held
