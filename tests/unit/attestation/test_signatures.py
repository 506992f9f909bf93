import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from ringfence.attestation import signatures
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.attestation import private_key, spki

ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
RSA_SHA256 = bytes.fromhex("300d06092a864886f70d01010b0500")
RSA_SHA1 = bytes.fromhex("300d06092a864886f70d0101050500")
# RSASSA-PSS with SHA-384, MGF1 of the same and a salt of 48 bytes, as AMD writes it
PSS = bytes.fromhex(
    "304606092a864886f70d01010a3039a00f300d06096086480165030402020500"
    "a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130a303020101"
)


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def public(key):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.DER, form)


def test_ecdsa():
    key = private_key(5)
    signature = key.sign(b"data", ec.ECDSA(hashes.SHA256()))
    assert signatures.is_certified(spki(key), ECDSA_SHA256, signature, b"data")
    assert not signatures.is_certified(spki(key), ECDSA_SHA256, signature, b"Data")
    assert not signatures.is_certified(spki(private_key(6)), ECDSA_SHA256, signature, b"data")
    assert not signatures.is_certified(spki(key), RSA_SHA256, signature, b"data")
    r, s = decode_dss_signature(signature)
    loaded = signatures.key(spki(key))
    assert signatures.ecdsa_numbers(loaded, r, s, b"data", hashes.SHA256())
    assert not signatures.ecdsa_numbers(loaded, 0, s, b"data", hashes.SHA256())
    assert not signatures.ecdsa_numbers(loaded, r, 2**600, b"data", hashes.SHA256())


def test_rsa_with_both_paddings(rsa_key):
    plain = rsa_key.sign(b"data", padding.PKCS1v15(), hashes.SHA256())
    assert signatures.is_certified(public(rsa_key), RSA_SHA256, plain, b"data")
    assert not signatures.is_certified(public(rsa_key), PSS, plain, b"data")
    salted = rsa_key.sign(b"data", padding.PSS(padding.MGF1(hashes.SHA384()), 48), hashes.SHA384())
    assert signatures.is_certified(public(rsa_key), PSS, salted, b"data")
    assert not signatures.is_certified(public(rsa_key), PSS, salted[:-1], b"data")
    other_salt = rsa_key.sign(b"data", padding.PSS(padding.MGF1(hashes.SHA384()), 32), hashes.SHA384())
    assert not signatures.is_certified(public(rsa_key), PSS, other_salt, b"data")
    loaded = signatures.key(public(rsa_key))
    assert signatures.rsa_pkcs1(loaded, plain, b"data", hashes.SHA256())
    assert signatures.rsa_pss(loaded, other_salt, b"data", hashes.SHA384())
    assert not signatures.rsa_pss(signatures.key(spki(private_key(1))), other_salt, b"data", hashes.SHA384())


@pytest.mark.parametrize(
    "algorithm",
    [RSA_SHA1, b"", b"\x30\x00", PSS[:-1], PSS.replace(b"\x02\x01\x30", b"\x02\x01\x7f"), ECDSA_SHA256 + b"0"],
)
def test_no_other_algorithm_is_taken(rsa_key, algorithm):
    weak = rsa_key.sign(b"data", padding.PKCS1v15(), hashes.SHA256())
    assert not signatures.is_certified(public(rsa_key), algorithm, weak, b"data")


def test_only_keys_of_known_kinds_and_sizes():
    for data in (b"", b"key", public(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)))):
        with pytest.raises(MalformedInput):
            signatures.key(data)
    with pytest.raises(MalformedInput):
        signatures.key(public(rsa.generate_private_key(65537, 1024)))  # noqa: S505 -- the point
    with pytest.raises(MalformedInput):
        signatures.key(public(ec.generate_private_key(ec.SECP256K1())))
