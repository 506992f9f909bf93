import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel import assertion
from ringfence.kernel.assertion import Passkey
from ringfence.kernel.errors import MalformedInput, VerificationFailed

PRIVATE = ec.derive_private_key(7, ec.SECP256R1())
POINT = PRIVATE.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
PASSKEY = Passkey(POINT, "ringfence.example", "https://ringfence.example")
MESSAGE = b"DSSEv1 a statement"
ORDER = assertion._ORDER


def client_data(message=MESSAGE, **changes):
    challenge = base64.urlsafe_b64encode(hashlib.sha256(message).digest()).decode().rstrip("=")
    document = {"type": "webauthn.get", "challenge": challenge, "origin": PASSKEY.origin, "crossOrigin": False}
    return json.dumps({k: v for k, v in (document | changes).items() if v is not None}).encode()


def authenticator_data(flags=0x05, rp_id=PASSKEY.rp_id, count=3):
    return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + count.to_bytes(4)


def signed(data=None, client=None, key=PRIVATE):
    data, client = data or authenticator_data(), client or client_data()
    der = key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
    return assertion.from_browser(data, client, der).encode()


BLOB = signed()


def test_a_signature_of_the_holder_over_the_message_is_accepted():
    found = assertion.verify(BLOB, MESSAGE, PASSKEY)
    assert found.encode() == BLOB
    assert assertion.sign_count(found) == 3


def test_a_browser_that_says_nothing_of_frames_is_accepted():
    assertion.verify(signed(client=client_data(crossOrigin=None)), MESSAGE, PASSKEY)


def test_a_passkey_that_is_kept_in_a_cloud_may_say_so():
    assertion.verify(signed(authenticator_data(0x1D)), MESSAGE, PASSKEY)


@pytest.mark.parametrize(
    ("blob", "words"),
    [
        (signed(authenticator_data(rp_id="other.example")), "another site"),
        (signed(authenticator_data(0x04)), "present and verified"),
        (signed(authenticator_data(0x01)), "present and verified"),
        (signed(authenticator_data(0x45)), "more than was asked"),
        (signed(authenticator_data(0x85)), "more than was asked"),
        (signed(authenticator_data(0x15)), "copied"),
        (signed(client=client_data(type="webauthn.create")), "something else"),
        (signed(client=client_data(b"another message")), "another statement"),
        (signed(client=client_data(origin="https://ringfence.example.evil")), "another page"),
        (signed(client=client_data(origin="https://ringfence.example/")), "another page"),
        (signed(client=client_data(crossOrigin=True)), "inside a page"),
        (signed(client=client_data(topOrigin="https://evil.example")), "inside a page"),
        (signed(key=ec.derive_private_key(8, ec.SECP256R1())), "does not match"),
    ],
)
def test_everything_else_is_refused(blob, words):
    with pytest.raises(VerificationFailed, match=words):
        assertion.verify(blob, MESSAGE, PASSKEY)


@pytest.mark.parametrize("key", [b"", POINT[:-1], b"\x04" + bytes(64), POINT[1:33], bytes(32)])
def test_what_is_no_point_of_the_curve_verifies_nothing(key):
    with pytest.raises(VerificationFailed):
        assertion.verify(BLOB, MESSAGE, Passkey(key, PASSKEY.rp_id, PASSKEY.origin))


def test_a_compressed_point_is_another_spelling_and_refused():
    compressed = PRIVATE.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    with pytest.raises(VerificationFailed):
        assertion.verify(BLOB, MESSAGE, Passkey(compressed, PASSKEY.rp_id, PASSKEY.origin))


@pytest.mark.parametrize("blob", [b"", BLOB[:101], BLOB[:37], BLOB + b" " * assertion.MAX_CLIENT_DATA])
def test_what_has_not_the_size_of_an_assertion_is_malformed(blob):
    with pytest.raises(MalformedInput):
        assertion.verify(blob, MESSAGE, PASSKEY)


@pytest.mark.parametrize("client", [b"[]", b"{", b'{"type":"webauthn.get","type":"webauthn.get"}', b"\xff"])
def test_client_data_that_is_no_object_is_malformed(client):
    with pytest.raises(MalformedInput):
        assertion.verify(signed(client=client), MESSAGE, PASSKEY)


def test_the_other_valid_s_is_refused_so_that_there_is_one_byte_form():
    found = assertion.parse(BLOB)
    s = ORDER - int.from_bytes(found.signature[32:])
    other = assertion.Assertion(found.authenticator_data, found.client_data, found.signature[:32] + s.to_bytes(32))
    with pytest.raises(MalformedInput, match="lower"):
        assertion.verify(other.encode(), MESSAGE, PASSKEY)


def test_both_signatures_of_a_browser_come_to_one_form():
    found = assertion.parse(BLOB)
    r, s = int.from_bytes(found.signature[:32]), int.from_bytes(found.signature[32:])
    for der in (encode_dss_signature(r, s), encode_dss_signature(r, ORDER - s)):
        assert decode_dss_signature(der)[0] == r
        assert assertion.from_browser(found.authenticator_data, found.client_data, der) == found


@pytest.mark.parametrize("der", [b"", b"\x30\x00", encode_dss_signature(1, 2**300), encode_dss_signature(2**300, 1)])
def test_a_signature_that_is_none_of_p256_is_malformed(der):
    found = assertion.parse(BLOB)
    with pytest.raises(MalformedInput):
        assertion.from_browser(found.authenticator_data, found.client_data, der)


@given(st.integers(0, len(BLOB) - 1), st.integers(1, 255))
def test_every_changed_byte_is_refused(place, change):
    blob = BLOB[:place] + bytes([BLOB[place] ^ change]) + BLOB[place + 1 :]
    with pytest.raises((MalformedInput, VerificationFailed)):
        assertion.verify(blob, MESSAGE, PASSKEY)


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_else(blob):
    with pytest.raises((MalformedInput, VerificationFailed)):
        assertion.verify(blob, MESSAGE, PASSKEY)
