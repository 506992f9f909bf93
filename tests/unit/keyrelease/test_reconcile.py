"""One round over all leases."""

from threading import Barrier

from ringfence.keyrelease.model import CHALLENGE_LIFE, DENIAL_WINDOW
from ringfence.keyrelease.reconcile import Rounds
from ringfence.testing.keyrelease import OTHER, TENANT, WISH, World, lease


def test_a_round_forgets_old_challenges_and_no_open_ones():
    world = World()
    service, key = world.service(), world.nodes["alpha"].keys.public
    old = service.challenge(TENANT, WISH, key)
    world.clock.advance(DENIAL_WINDOW + CHALLENGE_LIFE)
    fresh = service.challenge(TENANT, WISH, key)
    Rounds(service)()
    assert world.store.challenge(TENANT, old.nonce) is None
    assert world.store.challenge(TENANT, fresh.nonce) == fresh


def test_nodes_of_one_tenant_that_do_not_answer_hold_up_no_other_tenant():
    world, both = World(), Barrier(2)

    class Meeting(Rounds):
        def _look(self, lease, newest):
            del lease, newest
            both.wait(timeout=10)  # neither goes on without the other
            return 1

    for number, tenant in enumerate((TENANT, OTHER), 1):
        world.store.put_lease(lease(number, world.clock.now(), tenant=tenant))
    assert Meeting(world.service())() == 2
