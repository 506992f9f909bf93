import json
from dataclasses import replace

import pytest

from ringfence.compute import shown
from ringfence.compute.model import Containment, NodeClass, QuarantineKind
from ringfence.testing.nodes import ANNA, CARL, TENANT, World
from ringfence.testing.sandboxes import HOST_KEY


@pytest.fixture
def world():
    return World()


@pytest.fixture
def compute(world):
    return world.compute()


def test_the_hash_of_a_password_is_not_shown(world, compute):
    node = world.ready(compute, password="$6$salt$hash")
    document = shown.node(node)
    assert document["passwords"] is True
    assert "$6$" not in json.dumps(document)


def test_what_is_to_be_installed_stands_there_until_it_is(world, compute):
    node = world.ready(compute)
    own = replace(node, ready_at=None, spec=replace(node.spec, node_class=NodeClass.OWN, address="ssh://deploy@b"))
    assert any("Match User deploy" in line for line in shown.to_trust(own, "ssh-ed25519 AAAA")["to_trust"])
    assert shown.to_trust(replace(own, ready_at=node.ready_at), "ssh-ed25519 AAAA") == {}
    assert shown.to_trust(node, "ssh-ed25519 AAAA") == {}


def test_an_endpoint_comes_back_as_it_was(world, compute):
    world.ready(compute)
    access = compute.certificate(CARL, "alpha", HOST_KEY)
    assert shown.endpoint_of(json.loads(json.dumps(shown.access(access)))) == access.endpoint


def test_everything_is_plain_json(world, compute):
    node = world.ready(compute)
    done = compute.quarantine(TENANT, node.id, reason="tried", by=ANNA)
    world.request(compute, node)
    known = compute.desk.quarantine(world.row(node))
    (asked,) = compute.desk.nodes.releases(node.id, 1)
    for document in (shown.quarantined(done), shown.quarantine(known), shown.release(asked)):
        assert json.loads(json.dumps(document)) == document
    assert [json.dumps(shown.offer(offered)) for offered in compute.offers()]


def test_every_kind_has_its_words():
    assert set(shown.KIND) == {kind.value for kind in QuarantineKind}


@pytest.mark.parametrize("containment", Containment)
def test_every_standing_has_its_words(world, compute, containment):
    words = shown.standing(replace(world.ready(compute), containment=containment))
    assert words == ("ready" if containment is Containment.NONE else words)
    assert containment is Containment.NONE or words != "ready"
