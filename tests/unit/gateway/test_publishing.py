from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.gateway.keys import KeyState
from ringfence.gateway.model import DeploymentState
from ringfence.gateway.ports import Mark
from ringfence.gateway.publishing import REMEMBERED, marked, routed, told
from ringfence.kernel.clock import to_millis
from ringfence.kernel.errors import Unavailable
from ringfence.testing.callers import TENANT, World
from ringfence.testing.clock import START
from ringfence.testing.gateway import api_key, deployment


@pytest.fixture
def world():
    made = World()
    made.keys.put(api_key())
    made.deployments.put(deployment())
    return made


def test_what_holds_now_is_published(world):
    snapshot = world.gateway.publish()
    assert (snapshot.keys, snapshot.deployments) == ((api_key(name=""),), (deployment(),))
    assert (snapshot.version, snapshot.issued_at) == (to_millis(START), START)
    assert world.snapshots.held == snapshot


def test_versions_grow_though_the_clock_goes_back(world):
    first = world.gateway.publish()
    world.clock.advance(timedelta(hours=-2))
    assert world.gateway.publish().version == first.version + 1


def test_without_the_database_nothing_is_confirmed_and_marks_count_all_the_same(world):
    first = world.gateway.publish()
    world.away = True
    world.clock.advance(timedelta(seconds=30))
    world.marks.add(Mark(TENANT, api_key().id, KeyState.BLOCKED, "f-1"))
    snapshot = world.gateway.publish()
    assert snapshot.expires_at == first.expires_at
    assert snapshot.keys[0].blocked == "blocked"


def test_a_backup_that_was_put_back_confirms_no_key(world):
    world.keys.put(replace(api_key(), revoked_at=START))
    first = world.gateway.publish()
    world.keys.put(api_key())  # as it was before
    world.restored = True
    world.clock.advance(timedelta(seconds=30))
    snapshot = world.gateway.publish()
    assert (snapshot.keys, snapshot.expires_at) == (first.keys, first.expires_at)


def test_without_database_and_snapshot_there_is_nothing_to_tell(world):
    world.away = True
    with pytest.raises(Unavailable):
        world.gateway.publish()
    assert world.gateway.publishing.tried() is False


def test_what_was_not_confirmed_is_noted_with_its_reason_until_it_is(world):
    world.gateway.publish()
    noted = world.gateway.publishing.confirmation
    assert (noted.because, noted.failed_since) == ("", None)
    world.away = True
    world.clock.advance(timedelta(seconds=30))
    world.gateway.publish()
    assert (noted.because, noted.failed_since) == ("the database is away", START + timedelta(seconds=30))
    world.away, world.full = False, True
    world.clock.advance(timedelta(seconds=30))
    assert world.gateway.publishing.tried() is False
    assert (noted.because, noted.failed_since) == ("the disk is full", START + timedelta(seconds=30))
    world.full = False
    world.gateway.publish()
    assert (noted.because, noted.failed_since) == ("", None)


def test_it_is_confirmed_again_after_a_quarter_of_its_life(world):
    world.life = timedelta(seconds=12)
    publishing = world.gateway.publishing
    assert publishing.due()
    made = world.gateway.publish()
    assert made.expires_at - made.issued_at == world.life
    world.clock.advance(timedelta(seconds=2.9))
    assert not publishing.due()
    world.clock.advance(timedelta(seconds=0.1))
    assert publishing.due()
    world.gateway.publish()
    world.clock.advance(timedelta(hours=-1))  # the clock was set back: better confirmed once too often
    assert publishing.due()


def test_without_a_life_that_can_be_read_nothing_is_confirmed_and_blocks_count(world):
    first = world.gateway.publish()
    world.life = None
    world.marks.add(Mark(TENANT, api_key().id, KeyState.BLOCKED, "f-1"))
    world.clock.advance(timedelta(seconds=5))
    snapshot = world.gateway.publish()
    assert (snapshot.expires_at, snapshot.keys[0].blocked) == (first.expires_at, "blocked")
    assert world.gateway.publishing.confirmation.because == "gateway.json says nothing"
    assert not world.gateway.publishing.due()


def test_what_no_gateway_would_read_is_not_written_and_blocks_count_all_the_same(world):
    first = world.gateway.publish()
    for number in range(16):
        world.keys.put(api_key(f"rfk-0000000000{number:02}-" + "A" * 43))
    crowded = replace(world.gateway.publishing, most=2000)
    world.marks.add(Mark(TENANT, api_key().id, KeyState.BLOCKED, "f-1"))
    snapshot = crowded.publish()
    assert (len(snapshot.keys), snapshot.keys[0].blocked, snapshot.expires_at) == (1, "blocked", first.expires_at)
    assert "bytes, and the gateway reads 2000 at most" in crowded.confirmation.because


def test_keys_that_expired_long_ago_are_left_out(world):
    long_ago = api_key("rfk-00000000000f-" + "A" * 43, expires_at=START - REMEMBERED)
    lately = api_key("rfk-00000000000e-" + "A" * 43, expires_at=START - REMEMBERED + timedelta(seconds=1))
    for key in (long_ago, lately):
        world.keys.put(key)
    assert {key.id for key in world.gateway.publish().keys} == {api_key().id, lately.id}


def test_marks_are_of_their_own_tenants_key():
    key = api_key()
    other = Mark("other", key.id, KeyState.REVOKED)
    assert marked([key], [other], START) == (key,)
    both = [Mark(TENANT, key.id, KeyState.BLOCKED), Mark(TENANT, key.id, KeyState.REVOKED)]
    assert marked([key], both, START) == (replace(key, blocked="by a person", revoked_at=START),)


def test_the_gateway_learns_neither_whose_a_key_is_nor_why_it_is_blocked():
    assert told([api_key(blocked="guessed 40 times")]) == (api_key(name="", blocked="blocked"),)


def test_callers_learn_of_what_is_not_stopped_and_not_why_it_failed():
    gone = deployment("a", state=DeploymentState.FAILED, because="/secret/path is missing")
    stopped = deployment("b", state=DeploymentState.STOPPED)
    assert routed([gone, stopped]) == (replace(gone, because=""),)
