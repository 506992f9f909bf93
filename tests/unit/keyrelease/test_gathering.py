"""What a decision rests on is gathered where it cannot change any more."""

from dataclasses import replace

import pytest

from ringfence.attestation.model import Binding
from ringfence.kernel.errors import Refused
from ringfence.testing.keyrelease import ANNA, TENANT, WISH, FakeAppraiser, World


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


def test_evidence_that_breaks_a_reader_is_a_denial_on_record():
    """Whoever finds such bytes could else try them again and again, and nobody would see it in the log."""

    class Broken(FakeAppraiser):
        def judge(self, *_given):
            raise RecursionError("deeper than anybody thought of")

    world = World(appraiser=Broken())
    with pytest.raises(Refused, match="cannot be read"):
        world.service().release(ANNA, WISH)
    assert world.said("key.denied")[0].claims["because"] == ["malformed-evidence"]


def test_a_node_whose_device_is_known_shows_that_one():
    """Another node's evidence and certificate are as good as its own, but for whose they are."""
    world = World()
    alpha, beta = world.nodes["alpha"], world.node("beta")
    alpha.known_device = alpha.device.name
    world.service().release(ANNA, WISH)

    beta.known_device = "tpm2:sha256:" + "e" * 64
    service, wish = world.service(), replace(WISH, node="beta")
    drawn = service.challenge(TENANT, wish, beta.keys.public)
    evidence = beta.device.evidence(Binding(drawn.nonce, drawn.node_key, drawn.workload, drawn.dataset))
    with pytest.raises(Refused, match="another device"):
        service.answer(ANNA, wish, drawn.nonce, evidence)
    assert world.said("key.denied")[0].claims["because"] == ["another-device-than-the-nodes"]


def test_nobody_else_decides_on_a_device_between_the_look_and_the_note():
    """A database that lets transactions run beside one another would let two nodes with one device through."""
    world = World()
    world.service().release(ANNA, WISH)
    assert world.store.steps == ["turn", "read", "read", "write", "write"]
