"""Rules come with the references that they name, and registers do not go back in time."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.kernel.errors import Conflict
from ringfence.keyrelease import sites
from ringfence.testing.keyrelease import ANNA, TENANT, World


def test_the_newest_register_of_each_key_counts_and_an_older_one_is_not_taken_back():
    world = World()
    ruling, now = world.service().ruling, world.clock.now()
    keys = [Ed25519PrivateKey.generate() for _ in range(2)]

    def register(key, start):
        return sites.sign(key, provider="N", issued_at=start, expires_at=start + timedelta(days=9), devices=[])

    for key in keys:
        ruling.register(ANNA, register(key, now))
    newer = ruling.register(ANNA, register(keys[0], now + timedelta(hours=1)))
    with pytest.raises(Conflict):
        ruling.register(ANNA, register(keys[0], now))
    found = ruling.registers(TENANT)
    assert len(found) == 2
    assert newer in found
