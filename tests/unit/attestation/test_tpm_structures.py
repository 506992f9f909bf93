import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from ringfence.attestation import signatures
from ringfence.attestation import tpm_structures as tpm
from ringfence.kernel.errors import MalformedInput
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import SoftTpm

SOFT = SoftTpm()


def test_the_published_quote_is_right():
    document = json.loads(samples.read("tpm/tpm-evidence.json"))
    key = signatures.key(base64.b64decode(document["ak_public"]))
    quote = tpm.parse_quote(base64.b64decode(document["tpm_quote"]["message"]))
    signature = tpm.parse_signature(base64.b64decode(document["tpm_quote"]["signature"]))
    values = {number: bytes.fromhex(value) for number, value in enumerate(document["tpm_quote"]["pcrs"])}
    assert tpm.is_signed(quote.data, signature, key)
    assert quote.selected == frozenset(range(24))
    assert tpm.pcr_digest(values, quote.selected, tpm.SHA256) == quote.digest
    assert not tpm.is_signed(quote.data[:-1] + b"x", signature, key)
    assert signature.scheme == tpm.Scheme(tpm.RSASSA, tpm.SHA256)


def test_public_areas_and_names():
    ak, ek = tpm.parse_public(SOFT.ak), tpm.parse_public(SOFT.ek)
    assert tpm.is_attestation_key(ak)
    assert not tpm.is_attestation_key(ek)
    assert tpm.is_endorsement_key(ek)
    assert not tpm.is_endorsement_key(ak)
    assert ak.name == b"\x00\x0b" + tpm.digest(tpm.SHA256, SOFT.ak[2:])
    assert tpm.qualified(b"parent", ak)[2:] == tpm.digest(tpm.SHA256, b"parent" + ak.name)


@pytest.mark.parametrize(
    "attributes",
    [
        0x00040072,  # not restricted: signs anything
        0x00070072,  # also for decryption
        0x00050070,  # may leave its TPM
        0x00050062,  # its parent may change
        0x00050052,  # made outside
        0x000D0072,  # also for certificates
    ],
)
def test_keys_that_may_do_more_are_no_attestation_keys(attributes):
    assert not tpm.is_attestation_key(tpm.parse_public(SoftTpm(attributes=attributes).ak))


def test_an_rsa_key_is_read():
    numbers = rsa.generate_private_key(65537, 2048).public_key().public_numbers()
    head = bytes.fromhex("0001000b000300b20000") + bytes.fromhex("000600800043") + bytes.fromhex("0010")
    area = head + (2048).to_bytes(2) + bytes(4) + (256).to_bytes(2) + numbers.n.to_bytes(256)
    public = tpm.parse_public(len(area).to_bytes(2) + area)
    assert public.key.public_numbers() == numbers
    assert tpm.is_endorsement_key(public)
    short = head + (2048).to_bytes(2) + bytes(4) + (256).to_bytes(2) + bytes(1) + numbers.n.to_bytes(256)[1:]
    with pytest.raises(MalformedInput, match="bits"):
        tpm.parse_public(len(short).to_bytes(2) + short)


@pytest.mark.parametrize("name", ["ak", "ek"])
def test_a_public_area_is_read_whole_or_not_at_all(name):
    data = getattr(SOFT, name)
    for size in range(len(data)):
        with pytest.raises(MalformedInput):
            tpm.parse_public(data[:size])
    with pytest.raises(MalformedInput):
        tpm.parse_public(data + b"\0")
    off_curve = data[:-1] + bytes((data[-1] ^ 1,))
    with pytest.raises(MalformedInput, match="curve"):
        tpm.parse_public(off_curve)


def test_a_quote_is_read_whole_or_not_at_all():
    data = SOFT.attest(b"extra")
    quote = tpm.parse_quote(data)
    assert (quote.extra, quote.bank, quote.safe, quote.resets) == (b"extra", tpm.SHA256, True, 2)
    for size in range(len(data)):
        with pytest.raises(MalformedInput):
            tpm.parse_quote(data[:size])
    for wrong in (data + b"\0", b"\xfe" + data[1:], data[:5] + b"\x17" + data[6:], bytes(2000)):
        with pytest.raises(MalformedInput):
            tpm.parse_quote(wrong)


def test_a_signature_is_read_whole_or_not_at_all():
    data = SOFT.sign(b"data")
    assert tpm.is_signed(b"data", tpm.parse_signature(data), tpm.parse_public(SOFT.ak).key)
    for size in range(len(data)):
        with pytest.raises(MalformedInput):
            tpm.parse_signature(data[:size])
    for wrong in (data + b"\0", b"\x00\x19" + data[2:], data[:2] + b"\x00\x04" + data[4:]):
        with pytest.raises(MalformedInput):
            tpm.parse_signature(wrong)
    mixed = tpm.Signature(tpm.Scheme(tpm.RSASSA, tpm.SHA256), (b"x",))
    assert not tpm.is_signed(b"data", mixed, tpm.parse_public(SOFT.ak).key)
    pss = tpm.Signature(tpm.Scheme(tpm.RSAPSS, tpm.SHA256), (b"x",))
    assert not tpm.is_signed(b"data", pss, tpm.parse_public(SOFT.ak).key)
