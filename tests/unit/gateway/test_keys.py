from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.gateway import keys
from ringfence.gateway.keys import DEFAULT_LIMITS, KeyState, Wanted
from ringfence.kernel.errors import Conflict, MalformedInput
from ringfence.testing.clock import START
from ringfence.testing.gateway import SECRET, TENANT, api_key

RANDOM = bytes(range(38))


def issued(**changes):
    return keys.issued(TENANT, Wanted("anna", ()), random=RANDOM, at=START, **changes)


def test_a_key_is_shown_once_and_known_by_its_hash():
    key, secret = issued()
    assert key.id == "k-000102030405"
    assert secret == "rfk-000102030405-BgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCU"
    shown = keys.presented(secret)
    assert (shown.id, keys.matches(key, shown)) == (key.id, True)
    assert secret not in repr(key)
    assert key.expires_at - key.created_at == timedelta(days=90)


def test_another_secret_of_the_same_id_and_another_id_of_the_same_secret_do_not_match():
    key, secret = issued()
    assert not keys.matches(key, keys.presented(secret[:-1] + "A"))
    assert not keys.matches(key, keys.presented(secret.replace("rfk-0", "rfk-1")))
    assert not keys.matches(key, replace(keys.presented(secret), id="k-ffffffffffff"))


@pytest.mark.parametrize(
    "text",
    [None, 1, "", "rfk-", SECRET[:-1], SECRET + "A", SECRET.upper(), SECRET.replace("-", "_"), SECRET + "\n", "é" * 60],
)
def test_what_is_not_of_the_form_of_a_key_is_none(text):
    assert keys.presented(text) is None


@pytest.mark.parametrize("size", [0, 37, 39])
def test_a_key_needs_all_its_randomness(size):
    with pytest.raises(MalformedInput):
        keys.issued(TENANT, Wanted("anna", ()), random=bytes(size), at=START)


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted("", ()),
        Wanted(" ", ()),
        Wanted("a\nb", ()),
        Wanted("a" * 101, ()),
        Wanted("anna", ("Not A Name",)),
        Wanted("anna", tuple(f"d{number}" for number in range(65))),
        Wanted("anna", (), days=0),
        Wanted("anna", (), days=367),
        Wanted("anna", (), limits=replace(DEFAULT_LIMITS, concurrent=0)),
        Wanted("anna", (), limits=replace(DEFAULT_LIMITS, requests_per_minute=6_000_001)),
        Wanted("anna", (), limits=replace(DEFAULT_LIMITS, body_bytes=2**27)),
    ],
)
def test_what_no_key_can_be_is_refused(wanted):
    with pytest.raises(MalformedInput):
        keys.issued(TENANT, wanted, random=RANDOM, at=START)


def test_a_scope_names_each_deployment_once_in_order():
    assert keys.scope(["b", "a", "b"]) == ("a", "b")
    key = api_key(deployments=("a",))
    assert (keys.covers(key, "a"), keys.covers(key, "b"), keys.covers(api_key(), "b")) == (True, False, True)


def test_a_key_is_worth_what_ended_it_first_for_ever():
    key = api_key(expires_at=START + timedelta(days=1))
    last = key.expires_at - timedelta(milliseconds=1)
    assert keys.state(key, last) is KeyState.ACTIVE
    assert keys.state(key, key.expires_at) is KeyState.EXPIRED
    assert keys.state(keys.blocked(key, "guessing"), last) is KeyState.BLOCKED
    assert keys.state(keys.revoked(keys.blocked(key, "x"), START), key.expires_at) is KeyState.REVOKED


def test_the_first_reason_and_the_first_end_stay():
    key = keys.blocked(keys.blocked(api_key(), "first"), "second")
    assert key.blocked == "first"
    ended = keys.revoked(keys.revoked(key, START), START + timedelta(days=1))
    assert ended.revoked_at == START
    assert keys.blocked(keys.revoked(api_key(), START), "late").blocked == ""


@pytest.mark.parametrize(
    ("text", "kept"), [("", "no reason was given"), ("a\x1b[2Jb", "a?[2Jb"), ("x" * 500, "x" * 400)]
)
def test_a_reason_is_one_printable_line_and_never_nothing(text, kept):
    assert keys.blocked(api_key(), text).blocked == kept


def test_only_a_blocked_key_is_unblocked():
    assert keys.unblocked(keys.blocked(api_key(), "x"), START) == api_key()
    for key in (api_key(), keys.revoked(keys.blocked(api_key(), "x"), START)):
        with pytest.raises(Conflict):
            keys.unblocked(key, START)
