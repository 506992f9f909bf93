from datetime import timedelta

import pytest

from ringfence.gateway import keys
from ringfence.gateway.hotpath import callers
from ringfence.gateway.hotpath.callers import Callers, Usage
from ringfence.gateway.hotpath.problem import Problem
from ringfence.gateway.model import Limits
from ringfence.kernel.clock import to_millis
from ringfence.testing.clock import START
from ringfence.testing.gateway import SECRET, api_key

NOW = to_millis(START) * 1_000_000


def test_a_key_is_proven_by_its_whole_text():
    known = Callers([api_key()])
    assert known.proven(keys.presented(SECRET)).key.id == "k-0123456789ab"
    assert known.proven(keys.presented(SECRET[:-1] + "B")) is None
    assert known.proven(keys.presented("rfk-" + "0" * 12 + SECRET[16:])) is None


@pytest.mark.parametrize("header", [b"Bearer " + SECRET.encode(), b"bearer   " + SECRET.encode()])
def test_how_a_key_is_shown(header):
    assert callers.presented(header).id == "k-0123456789ab"


@pytest.mark.parametrize("header", [None, b"", b"Bearer", b"Basic " + SECRET.encode(), b"Bearer \xff", SECRET.encode()])
def test_what_shows_no_key(header):
    with pytest.raises(Problem) as caught:
        callers.presented(header)
    assert (caught.value.status, caught.value.code) == (401, "missing_api_key")


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"blocked": "guessing"}, "blocked_api_key"),
        ({"revoked_at": START}, "revoked_api_key"),
        ({"expires_at": START}, "expired_api_key"),
    ],
)
def test_a_key_that_may_not_be_used_says_why(facts, code):
    known = Callers([api_key(**facts)])
    with pytest.raises(Problem) as caught:
        known.proven(keys.presented(SECRET)).check(NOW)
    assert caught.value.code == code


def test_a_key_ends_at_its_time_within_one_snapshot():
    caller = Callers([api_key(expires_at=START + timedelta(seconds=1))]).known["k-0123456789ab"]
    caller.check(NOW + 999_999_999)
    with pytest.raises(Problem):
        caller.check(NOW + 1_000_000_000)


def test_no_minute_has_more_requests_than_allowed():
    usage, limits = Usage(), Limits(3, 100, 1)
    for at in (0.0, 10.0, 20.0):
        usage.enter(limits, at)
    with pytest.raises(Problem) as caught:
        usage.enter(limits, 59.5)
    assert (caught.value.status, caught.value.retry_after) == (429, 1)
    usage.enter(limits, 60.0)
    with pytest.raises(Problem) as caught:
        usage.enter(limits, 61.0)
    assert caught.value.retry_after == 9


def test_running_requests_are_limited_until_they_leave():
    usage, limits = Usage(), Limits(100, 1, 1)
    usage.enter(limits, 0.0)
    with pytest.raises(Problem) as caught:
        usage.enter(limits, 1.0)
    assert caught.value.code == "too_many_running"
    usage.leave()
    usage.enter(limits, 2.0)


def test_what_was_used_outlives_a_snapshot():
    before = Callers([api_key()])
    before.known["k-0123456789ab"].usage.enter(Limits(1, 10, 1), 0.0)
    after = Callers([api_key(name="renamed")], before)
    with pytest.raises(Problem):
        after.known["k-0123456789ab"].usage.enter(Limits(1, 10, 1), 1.0)


def test_a_connection_that_shows_another_key_is_looked_at_anew():
    shown, other = callers.Shown(), "rfk-" + "f" * 12 + SECRET[16:]
    first = shown.again(b"Bearer " + SECRET.encode())
    assert shown.again(b"Bearer " + SECRET.encode()) is first
    assert shown.again(b"Bearer " + other.encode()).id == "k-" + "f" * 12
    for header in (None, b"Bearer x"):
        with pytest.raises(Problem):
            shown.again(header)
    assert shown.again(b"Bearer " + SECRET.encode()) == first


def test_a_key_that_was_proven_is_proven_again_for_other_keys_and_other_text():
    shown, now = callers.Shown(), Callers([api_key()])
    assert shown.proven(now) is None
    shown.again(b"Bearer " + SECRET.encode())
    assert shown.proven(now) is shown.proven(now) is now.known[api_key().id]
    assert shown.proven(Callers([])) is None
    assert shown.proven(now) is now.known[api_key().id]
    shown.again(b"Bearer " + SECRET[:-1].encode() + b"_")
    assert shown.proven(now) is None
