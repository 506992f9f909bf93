from datetime import UTC, datetime, timedelta

import pytest

from ringfence.identity.signin.lifetimes import alive, assurance, is_fresh
from ringfence.identity.signin.model import ABSOLUTE, FRESH, IDLE, Owner, Session
from ringfence.kernel.actor import Level

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MS = timedelta(milliseconds=1)


def session(opened=timedelta(0), seen=timedelta(0), stepped=None):
    return Session(b"h", Owner("main", "person-0123456789ab"), Level.PASSKEY, NOW - opened, NOW - seen, stepped)


@pytest.mark.parametrize(
    ("opened", "seen", "is_alive"),
    [
        (timedelta(0), timedelta(0), True),
        (IDLE - MS, IDLE - MS, True),
        (IDLE, IDLE, False),
        (ABSOLUTE - MS, timedelta(0), True),
        (ABSOLUTE, timedelta(0), False),
    ],
)
def test_a_session_ends_by_disuse_and_by_age(opened, seen, is_alive):
    assert alive(session(opened, seen), NOW) is is_alive


@pytest.mark.parametrize(("ago", "fresh"), [(timedelta(0), True), (FRESH - MS, True), (FRESH, False), (-MS, False)])
def test_a_passkey_confirms_for_minutes_and_never_ahead_of_time(ago, fresh):
    assert is_fresh(NOW - ago, NOW) is fresh
    assert assurance(session(stepped=NOW - ago), NOW, has_passkey=True).stepped_up is fresh


def test_what_was_never_confirmed_is_not():
    assert not is_fresh(None, NOW)
