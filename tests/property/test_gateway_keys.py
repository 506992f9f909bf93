"""Snapshots: no byte can be changed. Keys: whatever people, detection and the database do, no end is undone."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ringfence.gateway import keys, snapshot
from ringfence.gateway.keys import KeyState, Wanted
from ringfence.kernel.errors import Conflict, RingfenceError, Unavailable
from ringfence.testing.callers import ANNA, CARL, TENANT, World
from ringfence.testing.clock import START
from ringfence.testing.gateway import api_key, deployment
from ringfence.testing.keys import ed25519, public

KEY = ed25519(1)
ONE = snapshot.made(version=3, at=START, keys=(api_key(),), deployments=(deployment(),))
DATA = snapshot.to_bytes(ONE, KEY.sign, public(KEY))


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
@settings(max_examples=300)
def test_a_snapshot_with_any_byte_changed_is_refused(place, mask):
    changed = DATA[:place] + bytes([DATA[place] ^ mask]) + DATA[place + 1 :]
    with pytest.raises(RingfenceError):
        snapshot.parse(changed, public(KEY))


@given(st.integers(0, len(DATA) - 1))
def test_a_snapshot_that_was_cut_short_or_grew_is_refused(place):
    for data in (DATA[:place], DATA + DATA[place:], DATA + b"\n"):
        with pytest.raises(RingfenceError):
            snapshot.parse(data, public(KEY))


@given(st.binary(max_size=200))
def test_bytes_are_refused_in_our_family_or_not_at_all(data):
    with pytest.raises(RingfenceError):
        snapshot.parse(data, public(KEY))


@given(st.text(max_size=100))
def test_a_text_is_a_key_or_is_not(text):
    found = keys.presented(text)
    assert found is None or text.startswith("rfk-")


class Life(RuleBasedStateMachine):
    """One caller's keys while the database and the gateway's disk come and go."""

    def __init__(self):
        super().__init__()
        self.world = World()
        self.gateway = self.world.gateway
        self.held = {}  # what each key must be worth at the gateway
        self.untold = {}  # the version of the snapshot that could not be replaced when a key was cut off

    @precondition(lambda self: not self.world.away and len(self.held) < 4)
    @rule()
    def issue(self):
        done = self.gateway.issue_key(CARL, Wanted("anna", (), days=1))
        self.held[done.key.id] = KeyState.ACTIVE

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def revoke(self, data):
        key = data.draw(st.sampled_from(sorted(self.held)))
        self._contain(key, lambda: self.gateway.revoke_key(ANNA, key), KeyState.REVOKED)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def block(self, data):
        key = data.draw(st.sampled_from(sorted(self.held)))
        wanted = KeyState.REVOKED if self.held[key] is KeyState.REVOKED else KeyState.BLOCKED
        act = lambda: self.gateway.block_key(TENANT, key, because="x", finding="f-1")  # noqa: E731
        self._contain(key, act, wanted)

    def _contain(self, key, act, wanted):
        if self._unknown(key):
            with pytest.raises(RingfenceError):
                act()
            return
        before = len(self.world.journalled)
        done = act()
        assert (done is not None) == (len(self.world.journalled) == before + 1)
        self.held[key] = wanted
        told = self.world.snapshots.held
        if done is not None and self.world.full and told is not None:
            self.untold[key] = told.version

    def _unknown(self, key):
        """Neither the database nor the last snapshot can tell what this is."""
        told = self.world.snapshots.held
        return self.world.away and (told is None or key not in {one.id for one in told.keys})

    @precondition(lambda self: self.held and not self.world.away)
    @rule(data=st.data())
    def unblock(self, data):
        key = data.draw(st.sampled_from(sorted(self.held)))
        if self.world.full:
            with pytest.raises(Unavailable):
                self.gateway.unblock_key(ANNA, key)
        elif self.held[key] is KeyState.BLOCKED:
            self.gateway.unblock_key(ANNA, key)
            self.held[key] = KeyState.ACTIVE
        else:
            with pytest.raises(Conflict):
                self.gateway.unblock_key(ANNA, key)

    @rule()
    def database_comes_or_goes(self):
        self.world.away = not self.world.away

    @rule()
    def disk_fills_or_frees(self):
        self.world.full = not self.world.full

    @rule(seconds=st.sampled_from([1, 60, 3600]))
    def time_passes(self, seconds):
        self.world.clock.advance(timedelta(seconds=seconds))

    @rule()
    def turn(self):
        try:
            self.gateway.settle()
            self.gateway.publish()
        except Unavailable:
            assert self.world.away or self.world.full

    @invariant()
    def nobody_gets_in_who_was_cut_off(self):
        told = self.world.snapshots.held
        for key in told.keys if told else ():
            if told.version <= self.untold.get(key.id, 0):
                continue  # the disk was full then: the gateway refuses everybody once that snapshot has expired
            state = keys.state(key, self.world.clock.now())
            assert state is not KeyState.ACTIVE or self.held[key.id] is KeyState.ACTIVE
            assert state is KeyState.REVOKED or self.held[key.id] is not KeyState.REVOKED


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
