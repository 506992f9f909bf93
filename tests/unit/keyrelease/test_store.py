"""Challenges, leases and the rest keep to one contract, in memory and in the database."""

import pytest

from ringfence.keyrelease.store import ReleaseTables
from ringfence.testing.keyrelease import StoreContract, World

CHECKS = ("challenges_are_used_once", "leases_are_kept", "the_rest_is_kept")


@pytest.mark.parametrize("check", CHECKS)
def test_memory_keeps_to_the_contract(check):
    world = World()
    world.store.papers.clear()
    getattr(StoreContract(), check)(world.store, world.transaction)


@pytest.mark.databases
@pytest.mark.parametrize("check", CHECKS)
def test_the_database_keeps_to_the_contract(database, check):
    getattr(StoreContract(), check)(ReleaseTables(database), database.transaction)
