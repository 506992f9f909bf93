"""The agent over a real software TPM: what it shows, what it opens, and when it forgets."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

from ringfence.artifacts.opening import unlock
from ringfence.testing import measured
from ringfence.testing.artifacts import sealed_in_memory

WHY = measured.missing()
pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY or "-")
LEASE = "lease-00000000000a"


@pytest.fixture(scope="module")
def tpm(tmp_path_factory):
    with measured.software_tpm(tmp_path_factory.mktemp("tpm")) as made:
        yield made


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    with measured.software_tpm(tmp_path_factory.mktemp("other")) as other:
        speaking, _ = measured.agent(other)
        yield speaking.evidence(measured.binding(speaking).digest)


@pytest.fixture
def time():
    return measured.Time()


@pytest.fixture
def both(tpm, time):
    speaking, keeping = measured.agent(tpm, time)
    yield speaking, keeping
    for key in (keeping.identity.ak, keeping.identity.ek):
        tpm.flush(key.handle)


def soon(time):
    return time.now() + timedelta(minutes=10)


def test_it_gives_evidence(both):
    measured.gives_evidence(both[0])


def test_it_opens_what_is_released(both, time):
    measured.opens_what_is_released(both[0], soon(time))


def test_it_refuses_what_is_not_for_it(both, time, elsewhere):
    measured.refuses_what_is_not_for_it(both[0], soon(time), elsewhere)


def test_another_agent_cannot_use_what_was_released(both, tpm, time):
    first, second = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    private = MLKEM768X25519PrivateKey(first, second)
    other, _ = measured.agent(tpm, time, replace(both[1].identity, private=private))
    released = measured.released_to(both[0], sealed_in_memory(measured.FILES), soon(time))
    measured.refuses(lambda: other.deliver(released), "not for this node's key")


def delivered(both, time):
    speaking, keeping = both
    sealed = sealed_in_memory(measured.FILES)
    speaking.deliver(measured.released_to(speaking, sealed, soon(time)))
    key = keeping.held[LEASE].key
    assert bytes(key) == bytes(unlock(sealed.vault, sealed.seal, sealed.keyring))
    return sealed, key


def test_the_key_is_overwritten_when_the_lease_ends(both, time):
    speaking, keeping = both
    sealed, key = delivered(both, time)
    time.seconds += 599
    assert keeping.expire() == pytest.approx(1)
    time.seconds += 1
    assert keeping.expire() is None
    assert bytes(key) == bytes(32)
    assert keeping.ended
    measured.refuses(lambda: speaking.read(LEASE, sealed.digest, "empty", sealed.vault.files), "no such lease")


def test_the_key_is_overwritten_when_it_is_revoked_or_renewed(both, time):
    speaking, keeping = both
    sealed, first = delivered(both, time)
    speaking.deliver(measured.released_to(speaking, sealed, soon(time)))
    second = keeping.held[LEASE].key
    assert bytes(first) == bytes(32) != bytes(second)
    assert not keeping.ended
    assert speaking.revoke(LEASE)
    assert bytes(second) == bytes(32)
    assert keeping.ended
    assert not speaking.revoke(LEASE)


def test_a_lease_is_an_hour_at_most_whatever_it_says(both, time):
    speaking, keeping = both
    sealed = sealed_in_memory(measured.FILES)
    speaking.deliver(measured.released_to(speaking, sealed, time.now() + timedelta(days=3)))
    assert keeping.expire() == pytest.approx(3600)


def test_a_lease_is_as_long_as_the_host_says_whatever_the_node_takes_for_the_time(both, time):
    speaking, keeping = both
    released = measured.released_to(speaking, sealed_in_memory(measured.FILES), soon(time))
    behind = replace(keeping, now=lambda: time.now() - timedelta(days=1), held={}, opened={})
    assert behind.answer({"do": "deliver", "seconds": 600}, released) == {"lease": LEASE, "seconds": 600}
    for ahead, seconds in ((30, 600), (120, 540), (659, 1)):
        early = replace(keeping, now=lambda: time.now() + timedelta(seconds=ahead), held={}, opened={})  # noqa: B023
        assert early.answer({"do": "deliver", "seconds": 600}, released)["seconds"] == seconds
    for seconds in (0, -1, -(10**30)):
        assert "over" in keeping.answer({"do": "deliver", "seconds": seconds}, released)["error"]
    assert keeping.answer({"do": "deliver", "seconds": 10**30}, released)["seconds"] == 660
    time.seconds += 400
    assert behind.answer({"do": "deliver", "seconds": 600}, released)["seconds"] == 200, "again is not anew"


def test_what_was_revoked_or_has_ended_is_not_delivered_again(both, time):
    speaking, keeping = both
    sealed, other = sealed_in_memory(measured.FILES), "lease-00000000000b"
    speaking.deliver(measured.released_to(speaking, sealed, time.now() + timedelta(minutes=50), lease=other))
    released = measured.released_to(speaking, sealed, soon(time))
    speaking.deliver(released)
    time.seconds += 610  # over by the host's count, and not yet by a clock that may be a minute ahead
    assert "over" in keeping.answer({"do": "deliver", "seconds": 600}, released)["error"]
    assert set(keeping.held) == {other}
    released = measured.released_to(speaking, sealed, soon(time), lease="lease-00000000000c")
    speaking.deliver(released)
    assert speaking.revoke("lease-00000000000c")
    measured.refuses(lambda: speaking.deliver(released), "over")
    assert set(keeping.held) == {other}
    assert not keeping.ended


def test_two_leases_end_one_by_one(both, time):
    speaking, keeping = both
    sealed = sealed_in_memory(measured.FILES)
    for lease, minutes in ((LEASE, 1), ("lease-00000000000b", 2)):
        until = time.now() + timedelta(minutes=minutes)
        speaking.deliver(measured.released_to(speaking, sealed, until, lease=lease))
    time.seconds += 61
    keeping.expire()
    assert set(keeping.held) == {"lease-00000000000b"}
    assert not keeping.ended
    keeping.drop_all()
    assert keeping.ended


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"do": "activate", "credential": "AA=="},
        {"do": "identify", "more": 1},
        {"do": "quote", "binding": "AA=="},
        {"do": "quote", "binding": "!"},
        {"do": "quote", "binding": 7},
        {"do": "deliver"},
        {"do": "deliver", "seconds": "60"},
        {"do": "deliver", "seconds": 60, "more": 1},
        {"do": "revoke"},
        {"do": "open", "lease": LEASE, "seal": "sha256:00", "path": "x", "files": []},
        {"do": "open", "lease": LEASE, "seal": "sha256:" + "0" * 64, "path": "x", "files": [["a", 1]]},
    ],
)
def test_a_request_of_another_form_is_answered_with_an_error(both, request_):
    assert set(both[1].answer(request_, b"")) == {"error"}


def test_no_answer_holds_a_private_key(both, time):
    speaking, keeping = both
    sealed, key = delivered(both, time)
    requests = ({"do": "identify"}, {"do": "quote", "binding": "A" * 43 + "="}, {"do": "revoke", "lease": "other"})
    said = [json.dumps(keeping.answer(request, b"")) for request in requests]
    assert not any(bytes(key).hex() in each for each in said)
    assert "private" not in repr(keeping.identity)
    del speaking, sealed
