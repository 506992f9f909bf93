"""One round over all leases."""

from ringfence.keyrelease.model import CHALLENGE_LIFE, DENIAL_WINDOW
from ringfence.keyrelease.reconcile import Rounds
from ringfence.testing.keyrelease import TENANT, WISH, World


def test_a_round_forgets_old_challenges_and_no_open_ones():
    world = World()
    service, key = world.service(), world.nodes["alpha"].keys.public
    old = service.challenge(TENANT, WISH, key)
    world.clock.advance(DENIAL_WINDOW + CHALLENGE_LIFE)
    fresh = service.challenge(TENANT, WISH, key)
    Rounds(service)()
    assert world.store.challenge(TENANT, old.nonce) is None
    assert world.store.challenge(TENANT, fresh.nonce) == fresh
