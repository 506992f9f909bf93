"""One round over all leases."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Event

import pytest

from ringfence.attestation.model import Binding
from ringfence.kernel.errors import Unavailable
from ringfence.keyrelease.model import CHALLENGE_LIFE, DENIAL_WINDOW, LeaseId, LeaseState
from ringfence.keyrelease.reconcile import AT_ONCE, Rounds
from ringfence.testing.keyrelease import ANNA, OTHER, TENANT, WISH, World, lease

WITHIN = 30  # seconds: a test that waits that long has failed


def test_a_round_forgets_old_challenges_and_no_open_ones():
    world = World()
    service, key = world.service(), world.nodes["alpha"].keys.public
    old = service.challenge(TENANT, WISH, key)
    world.clock.advance(DENIAL_WINDOW + CHALLENGE_LIFE)
    fresh = service.challenge(TENANT, WISH, key)
    Rounds(service)()
    assert world.store.challenge(TENANT, old.nonce) is None
    assert world.store.challenge(TENANT, fresh.nonce) == fresh


@pytest.mark.parametrize("other", [{"tenant": OTHER}, {"node": "n-00000002"}])
def test_nodes_that_do_not_answer_hold_up_no_others(other):
    world, both = World(), Barrier(2)

    class Meeting(Rounds):
        def _look(self, listed, newest):
            del listed, newest
            both.wait(timeout=WITHIN)  # neither goes on without the other
            return 1

    for number, more in enumerate(({}, other), 1):
        world.store.put_lease(lease(number, world.clock.now(), **more))
    assert Meeting(world.service())() == 2


def test_a_node_that_hangs_holds_up_no_round_after_the_first():
    """An SSH session takes a minute to fail, and a key may have been withdrawn meanwhile, of whichever tenant."""
    world, let_go, came, looked = World(), Event(), Event(), []

    class Slow(Rounds):
        def _look(self, listed, newest):
            del newest
            looked.append(listed.node)
            if listed.tenant == OTHER:
                came.set()
                return 1
            return int(let_go.wait(timeout=WITHIN))

    world.store.put_lease(lease(1, world.clock.now()))
    rounds = Slow(world.service(), patience=0)
    assert rounds() == 0
    world.store.put_lease(lease(2, world.clock.now(), node="n-00000002", tenant=OTHER))
    rounds()
    assert came.wait(timeout=WITHIN)
    assert looked == ["n-00000001", "n-00000002"]  # what is under way is not begun again
    let_go.set()
    rounds.patience = None
    assert 1 <= rounds() <= 3


def test_a_lease_that_fails_in_an_unforeseen_way_keeps_none_of_the_others():
    world = World()
    service, node, asked = world.service(), world.nodes["alpha"], []
    service.release(ANNA, WISH)
    service.release(ANNA, WISH)

    def answer(binding):
        asked.append(binding)
        if len(asked) == 1:
            raise OSError("no descriptors are left")
        return node.device.evidence(binding)

    node.answer = answer
    world.clock.advance(timedelta(minutes=10))
    with pytest.raises(OSError, match="descriptors"):
        Rounds(service)()
    assert [draft.claims["renewal"] for draft in world.said("key.released")] == [False, False, True]


def test_a_lease_is_looked_at_as_it_is_when_its_turn_comes():
    """The leases before it may have taken minutes; what was under way at the beginning has arrived meanwhile."""
    world = World()
    service = world.service()
    service.release(ANNA, WISH)
    world.clock.advance(timedelta(minutes=10))
    now, node = world.clock.now(), world.nodes["alpha"]
    late = lease(7, now, state=LeaseState.GRANTED, renewed_at=now - timedelta(seconds=90))
    world.store.put_lease(late)

    def answer(binding):
        world.store.put_lease(replace(late, state=LeaseState.LIVE))
        return node.device.evidence(binding)

    node.answer = answer
    Rounds(service)()
    assert world.store.lease(TENANT, LeaseId(late.id)).state is LeaseState.LIVE
    assert not world.said("lease.ended")


def test_a_tenant_has_so_many_nodes_looked_at_at_once_and_each_in_its_turn():
    world, looked = World(), []

    class Noting(Rounds):
        def _look(self, listed, newest):
            del newest
            looked.append(listed.node)
            return 1

    nodes = [f"n-{number:08x}" for number in range(AT_ONCE + 3)]
    for number, node in enumerate(nodes):
        world.store.put_lease(lease(number, world.clock.now(), node=node))
    rounds = Noting(world.service())
    assert rounds() == AT_ONCE
    assert rounds() == AT_ONCE
    assert set(looked) == set(nodes)


def test_a_rule_that_asks_for_more_is_answered_at_once():
    """A reference was taken back, say: what the node showed before is not what it has to show now."""
    world = World()
    world.service().release(ANNA, WISH)
    rounds = Rounds(world.service())
    assert rounds() == 0
    world.allow(references=frozenset())
    world.nodes["alpha"].broken = {"identify": Unavailable("busy")}
    for _ in range(2):  # who does not answer is asked again
        with pytest.raises(Unavailable):
            rounds()
    world.nodes["alpha"].broken.clear()
    assert rounds() == 1
    assert not world.store.leases()
    assert not world.nodes["alpha"].held
    assert world.said("key.denied")[-1].claims["because"] == ["no-reference-of-this-family"]


def test_a_rule_that_asks_for_the_same_is_answered_once():
    world = World()
    world.service().release(ANNA, WISH)
    rounds = Rounds(world.service())
    rounds()
    world.allow(minutes=5)
    assert [rounds(), rounds(), rounds()] == [1, 0, 0]
    (renewed,) = world.store.leases()
    assert renewed.expires_at == world.clock.now() + timedelta(minutes=5)


def answered(world):
    """Lease a key to a node that has no agent, and answers by itself."""
    service, node = world.service(), world.nodes["alpha"]
    drawn = service.challenge(TENANT, WISH, node.keys.public)
    evidence = node.device.evidence(Binding(drawn.nonce, drawn.node_key, drawn.workload, drawn.dataset))
    node.device = None
    return service.answer(ANNA, WISH, drawn.nonce, evidence).lease


def test_a_node_that_answers_by_itself_keeps_its_lease_until_that_ends():
    world = World()
    lease = answered(world)
    rounds = Rounds(world.service())
    world.clock.advance(timedelta(minutes=14))
    assert rounds() == 0
    assert world.store.leases() == [lease]
    assert not world.said("key.denied")
    world.clock.advance(timedelta(minutes=1))
    assert rounds() == 1
    assert [draft.claims["because"] for draft in world.said("lease.ended")] == ["expired"]


def test_a_node_that_answers_by_itself_loses_its_lease_to_another_rule():
    world = World()
    answered(world)
    rounds = Rounds(world.service())
    assert rounds() == 0
    world.allow(minutes=5)
    assert rounds() == 1
    assert not world.store.leases()
    assert world.said("key.denied")[-1].claims["because"] == ["no-evidence"]
