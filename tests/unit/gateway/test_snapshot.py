from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.gateway import snapshot
from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput, RingfenceError, Unavailable, VerificationFailed
from ringfence.testing.clock import START
from ringfence.testing.gateway import api_key, deployment
from ringfence.testing.keys import ed25519, public

KEY, OTHER = ed25519(1), ed25519(2)


def made(version=7, **changes):
    given = {"at": START, "keys": (api_key(),), "deployments": (deployment(),)} | changes
    return snapshot.made(version=version, **given)


def signed(one, key=KEY):
    return snapshot.to_bytes(one, key.sign, public(key))


def read(data, known=None):
    return snapshot.parse(data, public(KEY), known)


def test_what_is_signed_is_read_back():
    one = made(guard=True)
    assert read(signed(one)) == one
    assert read(signed(made(keys=(), deployments=()))).keys == ()


def test_no_secret_and_no_bearer_token_stands_in_it():
    assert b"rfk-" not in signed(made())


def test_another_key_signs_nothing():
    with pytest.raises(VerificationFailed):
        read(signed(made(), OTHER))
    forged = signed(made(), OTHER).replace(digest.Digest.of(public(OTHER)).hex.encode(), b"0" * 64)
    with pytest.raises(RingfenceError):
        read(forged)


def test_keys_of_one_snapshot_do_not_go_with_the_head_of_another():
    head = signed(made()).partition(b"\n")[0]
    policy = signed(made(keys=())).partition(b"\n")[2]
    with pytest.raises(VerificationFailed):
        read(head + b"\n" + policy)


def test_an_older_version_is_refused_and_the_same_policy_is_not_read_again():
    known = read(signed(made(7)))
    later = read(signed(made(8, at=START + timedelta(seconds=15))), known)
    assert (later.version, later.keys is known.keys, later.digest) == (8, True, known.digest)
    assert later.expires_at == START + timedelta(seconds=75)
    with pytest.raises(VerificationFailed, match="version 7"):
        read(signed(made(7)), later)


def test_the_digest_names_keys_and_routes_and_not_the_time():
    assert made().digest == made(9, at=START + timedelta(hours=1)).digest
    for other in (made(keys=()), made(deployments=()), made(guard=True)):
        assert other.digest != made().digest


def test_a_snapshot_is_good_for_a_minute_and_not_before_its_time():
    one = made()
    last = START + snapshot.LIFE - timedelta(milliseconds=1)
    assert snapshot.check_fresh(one, last) == one
    for at in (START + snapshot.LIFE, START - timedelta(seconds=61)):
        with pytest.raises(Unavailable, match="ringfence up"):
            snapshot.check_fresh(one, at)


def test_a_change_of_keys_gives_no_new_life():
    one = made()
    cut = snapshot.changed(one, (replace(api_key(), blocked="x"),))
    assert (cut.version, cut.expires_at, cut.keys[0].blocked) == (8, one.expires_at, "x")
    assert read(signed(cut)) == cut
    assert cut.digest != one.digest


@pytest.mark.parametrize(
    "head",
    [
        {},
        {"format": "x", "version": 1, "issuedAt": "2026-11-22T09:00:00.000Z", "expiresAt": "2026-11-22T09:01:00.000Z"},
        *(
            {"format": snapshot.FORMAT, "policy": "sha256:" + "0" * 64, "version": version, "issuedAt": issued}
            | {"expiresAt": expires}
            for version, issued, expires in (
                (0, "2026-11-22T09:00:00.000Z", "2026-11-22T09:01:00.000Z"),
                (True, "2026-11-22T09:00:00.000Z", "2026-11-22T09:01:00.000Z"),
                (1, "2026-11-22T09:00:00.000Z", "2026-11-22T10:00:00.000Z"),
                (1, "now", "2026-11-22T09:01:00.000Z"),
            )
        ),
    ],
)
def test_a_head_that_none_has_is_refused_though_it_is_signed(head):
    payload = digest.dumps(head)
    line = snapshot._envelope(payload, public(KEY), KEY.sign(snapshot._pae(payload)))
    with pytest.raises(MalformedInput):
        read(line + b"\n{}\n")


@pytest.mark.parametrize("data", [b"", b"\n", b"{}\n{}\n", b"[]\n", b"\xff\n\n", b"x" * (snapshot.MAX_SNAPSHOT + 1)])
def test_what_is_no_snapshot_is_refused(data):
    with pytest.raises(RingfenceError):
        read(data)


@pytest.mark.parametrize(
    "policy", [{}, {"keys": [], "deployments": []}, {"keys": [1], "deployments": [], "guard": True}]
)
def test_a_policy_that_none_has_is_refused_though_it_is_signed(policy):
    line = digest.dumps(policy)
    head = digest.loads(b'{"format":"","version":1,"issuedAt":"","expiresAt":"","policy":""}') | {
        "format": snapshot.FORMAT,
        "issuedAt": "2026-11-22T09:00:00.000Z",
        "expiresAt": "2026-11-22T09:01:00.000Z",
        "policy": str(digest.Digest.of(line)),
    }
    payload = digest.dumps(head)
    data = snapshot._envelope(payload, public(KEY), KEY.sign(snapshot._pae(payload))) + b"\n" + line + b"\n"
    with pytest.raises(MalformedInput):
        read(data)


@pytest.mark.parametrize("seconds", [10, 12, 300])
def test_a_home_may_say_how_long_it_lives(seconds):
    life = snapshot.life_in(settings(seconds), source="gateway.json")
    one = made(life=life)
    assert read(signed(one)).expires_at == START + timedelta(seconds=seconds)
    snapshot.check_fresh(one, START + life - timedelta(milliseconds=1))
    with pytest.raises(Unavailable, match=f"good for {seconds} s"):
        snapshot.check_fresh(one, START + life)


def settings(seconds, **more):
    return digest.dumps({"format": snapshot.SETTINGS, "snapshotSeconds": seconds} | more)


@pytest.mark.parametrize(
    "data",
    [
        settings(9),
        settings(301),
        settings(-60),
        settings("60"),
        settings(True),
        settings(60, more=1),
        b"{}",
        b"[",
        b"\xff",
    ],
)
def test_it_never_lives_for_ever(data):
    with pytest.raises(MalformedInput):
        snapshot.life_in(data, source="gateway.json")


@pytest.mark.parametrize("seconds", [9.999, 300.001])
def test_nor_does_a_gateway_take_one_that_does(seconds):
    with pytest.raises(MalformedInput, match="10 to 300 s"):
        read(signed(made(life=timedelta(seconds=seconds))))


def test_what_is_too_long_to_be_read_is_not_made():
    size = len(signed(made()).split(b"\n")[1])
    assert made(most=size) == made()
    with pytest.raises(Unavailable, match=f"take {size} bytes, and the gateway reads {size - 1} at most"):
        made(most=size - 1)
    assert snapshot.MAX_POLICY < snapshot.MAX_SNAPSHOT
