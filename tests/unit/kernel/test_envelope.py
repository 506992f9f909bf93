import base64
import json

import pytest

from ringfence.kernel import digest, envelope
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import MAX_ENVELOPE, key_id_of, pae, parse
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.statement import Subject
from ringfence.testing import keys

KEY, OTHER = keys.ed25519(7), keys.ed25519(8)
SIGNED = keys.state(KEY, "dataset.sealed", {"objects": 3}, Subject("dataset/a", Digest.of(b"a")))


def changed(**fields):
    return digest.dumps(json.loads(SIGNED.data) | fields)


def test_an_envelope_is_read_back_and_verified():
    read = parse(SIGNED.data)
    assert read == SIGNED
    assert read.verify(keys.public(KEY)) == SIGNED.statement
    assert read.digest == Digest.of(SIGNED.data)


def test_another_key_does_not_verify_it():
    with pytest.raises(VerificationFailed, match="not by the key given"):
        SIGNED.verify(keys.public(OTHER))


@pytest.mark.parametrize("raw", [b"", b"short", bytes(31), b"\xff" * 33])
def test_bytes_that_are_no_key_give_a_verdict_and_no_traceback(raw):
    forged = envelope.Envelope(SIGNED.data, SIGNED.payload, key_id_of(raw), SIGNED.signature, SIGNED.statement)
    with pytest.raises(VerificationFailed):
        forged.verify(raw)


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65)])
def test_other_signatures_do_not_verify(signature):
    record = {"keyid": SIGNED.signer, "sig": base64.b64encode(signature).decode()}
    with pytest.raises(VerificationFailed):
        parse(changed(signatures=[record])).verify(keys.public(KEY))


@pytest.mark.parametrize(
    "data",
    [
        SIGNED.data + b"\n",
        b" " + SIGNED.data,
        json.dumps(json.loads(SIGNED.data)).encode(),
        json.dumps(json.loads(SIGNED.data), separators=(",", ":"))
        .replace("application/vnd", "application\\/vnd")
        .encode(),
        changed(extra=1),
        changed(payloadType="text/plain"),
        changed(signatures=[]),
        changed(signatures=json.loads(SIGNED.data)["signatures"] * 2),
        changed(signatures=[{"keyid": "0" * 64, "sig": base64.b64encode(SIGNED.signature).decode()}]),
        changed(signatures=[{"keyid": SIGNED.signer, "sig": "%%%"}]),
        changed(signatures=[{"keyid": SIGNED.signer, "sig": "YR=="}]),  # other bits behind the last byte
        changed(payload="ä"),
        changed(payload=base64.urlsafe_b64encode(b"\xff\xfe\xfd").decode()),
        changed(payload=""),
        b"[]",
        b"null",
    ],
)
def test_there_is_one_byte_form(data):
    with pytest.raises(MalformedInput):
        parse(data)


def test_a_huge_envelope_is_refused_before_it_is_parsed():
    with pytest.raises(MalformedInput, match="limit"):
        parse(b'"' + b"a" * MAX_ENVELOPE + b'"')


def test_the_pre_authentication_encoding_is_that_of_dsse():
    assert pae(b"hello") == b"DSSEv1 28 application/vnd.in-toto+json 5 hello"


def test_a_statement_is_not_signed_by_a_key_that_it_does_not_name():
    with pytest.raises(MalformedInput):
        envelope.sign(SIGNED.payload, OTHER)
