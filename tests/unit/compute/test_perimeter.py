import pytest

from ringfence.compute.perimeter import MAX_SECONDS, source_address
from ringfence.kernel.errors import MalformedInput, NotFound
from ringfence.kernel.identifier import Tenant
from ringfence.testing.nodes import ANNA, TENANT, World

ADDRESS = "203.0.113.7"


@pytest.fixture
def world():
    return World()


@pytest.fixture
def compute(world):
    return world.compute()


def test_an_address_is_kept_out_and_the_statement_does_not_name_it(world, compute):
    compute.block(TENANT, ADDRESS, seconds=600, finding="f-1")
    assert world.dropped == {ADDRESS}
    ((_, draft),) = world.stated
    assert draft.claims == {"seconds": 600, "finding": "f-1"}
    assert ADDRESS not in str(draft)
    assert draft.details == {}


def test_two_blocks_of_one_address_cannot_be_told_to_be_of_one(world, compute):
    compute.block(TENANT, ADDRESS, seconds=600)
    compute.block(Tenant("other"), ADDRESS, seconds=600)
    first, second = (draft.subjects[0].digest for _, draft in world.stated)
    assert first != second


def test_a_block_that_is_repeated_is_stated_once(world, compute):
    compute.block(TENANT, ADDRESS, seconds=600)
    compute.block(TENANT, ADDRESS, seconds=900)
    assert world.said() == ["source.blocked"]


@pytest.mark.parametrize("database", ["full", "away"])
def test_without_the_database_it_is_kept_out_all_the_same(world, compute, database):
    world.database = database
    compute.block(TENANT, ADDRESS, seconds=600)
    assert world.dropped == {ADDRESS}
    assert world.said() == ["source.blocked"]


def test_what_the_helper_let_go_is_stated(world, compute):
    compute.block(TENANT, ADDRESS, seconds=600)
    compute.sweep()
    assert world.said() == ["source.blocked"]
    world.dropped.clear()
    compute.sweep()
    compute.sweep()
    assert world.said() == ["source.blocked", "source.unblocked"]
    assert world.claims("source.unblocked")[0]["cause"] == "expired"


def test_a_person_lets_it_in_again(world, compute):
    compute.block(TENANT, ADDRESS, seconds=0)
    compute.blocking.unblock(ANNA, ADDRESS)
    assert world.dropped == set()
    assert world.claims("source.unblocked")[0] == {"cause": "person", "by": ANNA.id, "millisecondsHeld": 0}
    with pytest.raises(NotFound):
        compute.blocking.unblock(ANNA, ADDRESS)


def test_another_tenant_may_still_keep_it_out(world, compute):
    compute.block(TENANT, ADDRESS, seconds=0)
    compute.block(Tenant("other"), ADDRESS, seconds=0)
    compute.blocking.unblock(ANNA, ADDRESS)
    assert world.dropped == {ADDRESS}


@pytest.mark.parametrize("text", ["", "203.0.113", "203.0.113.7/24", "::1", "x", " 203.0.113.7", "0x7f.1", None])
def test_what_is_no_address(text):
    with pytest.raises(MalformedInput):
        source_address(text)


@pytest.mark.parametrize("seconds", [-1, MAX_SECONDS + 1])
def test_a_block_has_an_end_within_bounds(world, compute, seconds):
    with pytest.raises(MalformedInput):
        compute.block(TENANT, ADDRESS, seconds=seconds)
    assert world.dropped == set()
