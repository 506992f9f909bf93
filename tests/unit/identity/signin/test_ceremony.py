from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.identity.signin import ceremony
from ringfence.identity.signin.model import Kind, Owner, Passkey
from ringfence.kernel.errors import MalformedInput, RingfenceError
from ringfence.testing.authenticator import Authenticator
from ringfence.testing.signin import SITE

OWNER = Owner("main", "person-0123456789ab")
MESSAGE = ceremony.message_of(Kind.ENROL, b"n" * 32)


def made(**changes):
    options = ceremony.enrolment_options(SITE, OWNER, name="A", message=MESSAGE, known=[])
    sent = Authenticator(SITE.origin, **changes).create(options)
    return {"id": sent["id"], "rawId": sent["id"], "type": "public-key", "response": sent["response"]}


def test_a_new_passkey_is_read_as_the_raw_point_of_its_key():
    key = Authenticator(SITE.origin)
    options = ceremony.enrolment_options(SITE, OWNER, name="A", message=MESSAGE, known=[])
    sent = key.create(options)
    credential = {"id": sent["id"], "rawId": sent["id"], "type": "public-key", "response": sent["response"]}
    found = ceremony.verify_enrolment(credential, message=MESSAGE, site=SITE)
    numbers = key.private.public_key().public_numbers()
    assert found.public_key == b"\x04" + numbers.x.to_bytes(32) + numbers.y.to_bytes(32)
    assert found.credential == key.credential


def test_the_messages_of_each_kind_differ_and_none_is_that_of_a_signed_act():
    messages = {ceremony.message_of(kind, b"n" * 32) for kind in Kind}
    assert len(messages) == len(Kind)
    assert not any(message.startswith(b"DSSEv1") for message in messages)


def test_what_an_authenticator_calls_a_person_tells_nothing():
    assert ceremony.handle_of(OWNER) != ceremony.handle_of(Owner("other", OWNER.person))
    assert OWNER.person.encode() not in ceremony.handle_of(OWNER)


@given(st.binary(max_size=300))
def test_whatever_is_posted_raises_one_of_our_sentences(data):
    credential = made()
    for field in ("attestationObject", "clientDataJSON"):
        changed = credential | {"response": credential["response"] | {field: ceremony.encoded(data)}}
        with pytest.raises(RingfenceError):
            ceremony.verify_enrolment(changed, message=MESSAGE, site=SITE)


ATTESTED = ceremony.decoded(made()["response"]["attestationObject"])


@given(st.integers(0, len(ATTESTED) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_is_another_key(place, change):
    """Nothing signs a new passkey: a changed key is another key. All else is refused, or said as it was."""
    data = ATTESTED[:place] + bytes([ATTESTED[place] ^ change]) + ATTESTED[place + 1 :]
    credential = made()
    changed = credential | {"response": credential["response"] | {"attestationObject": ceremony.encoded(data)}}
    try:
        found = ceremony.verify_enrolment(changed, message=MESSAGE, site=SITE)
    except RingfenceError:
        return
    assert len(found.public_key) == 65


@pytest.mark.parametrize("text", ["%", "a b", "a+b/", "A", "é"])
def test_only_base64url_is_read(text):
    with pytest.raises(MalformedInput):
        ceremony.decoded(text)


@pytest.mark.parametrize(
    ("known", "counter", "backwards"),
    [(0, 0, False), (0, 1, False), (1, 2, False), (1, 1, True), (2, 1, True), (1, 0, True)],
)
def test_a_counter_grows_or_is_none(known, counter, backwards):
    passkey = Passkey(
        b"c", OWNER, b"\x04" * 65, SITE, 0, "n", (), False, datetime(2026, 11, 22, tzinfo=UTC), OWNER.person
    )
    assert ceremony.counts_backwards(replace(passkey, sign_count=known), counter) is backwards
