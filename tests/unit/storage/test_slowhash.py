from contextlib import ExitStack

import pytest

from ringfence.kernel.errors import TooManyAttempts
from ringfence.storage.slowhash import AT_ONCE, LANES, MEMORY_KIB, PASSES, WAITING, SlowHash


def test_what_was_hashed_matches_and_the_costs_stand_in_it():
    slow = SlowHash()
    kept = slow.hash("correct horse")
    assert kept.startswith(f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$")
    assert slow.matches(kept, "correct horse")
    assert not slow.matches(kept, "correct hors")
    assert slow.hash("correct horse") != kept


@pytest.mark.parametrize("kept", ["", "x", "$argon2id$", "$argon2id$v=19$m=47104,t=1,p=1$AAAA$AAAA"])
def test_what_is_no_hash_matches_nothing(kept):
    assert not SlowHash().matches(kept, "anything")


def test_more_than_may_wait_are_sent_away_at_once():
    """Whoever waits holds a thread, and every other route needs one."""
    slow = SlowHash()
    with ExitStack() as held:
        for _ in range(AT_ONCE + WAITING):
            held.enter_context(slow.room)
        with pytest.raises(TooManyAttempts):
            slow.matches("x", "y")
        with pytest.raises(TooManyAttempts):
            slow.hash("y")
    assert not slow.matches("x", "y")
