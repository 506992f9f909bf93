import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from ringfence.artifacts.models import keys
from ringfence.kernel.errors import MalformedInput, UsageError, VerificationFailed
from ringfence.testing.models import key

FORM = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)


def private(made, password=None):
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return made.private_bytes(*FORM, how)


def public(made):
    return made.public_key().public_bytes(FORM[0], serialization.PublicFormat.SubjectPublicKeyInfo)


def test_what_is_signed_verifies_and_nothing_else():
    signature = key().sign(b"data")
    key().public.verify(signature, b"data")
    for signed, by in ((b"other", key()), (b"data", key(2))):
        with pytest.raises(VerificationFailed):
            by.public.verify(signature, signed)
    with pytest.raises(VerificationFailed):
        key().public.verify(b"junk", b"data")


def test_a_private_key_in_pem():
    made = key().key
    assert keys.parse_signing(private(made)).public.hint == key().public.hint
    assert keys.parse_signing(private(made, b"secret"), b"secret").public.hint == key().public.hint
    with pytest.raises(keys.Protected):
        keys.parse_signing(private(made, b"secret"))
    with pytest.raises(MalformedInput):
        keys.parse_signing(private(made, b"secret"), b"wrong")
    for bad in (b"", b"junk", public(made)):
        with pytest.raises(MalformedInput):
            keys.parse_signing(bad)


def test_p256_and_p384_sign_and_the_registry_s_curves_verify():
    signing = keys.parse_signing(private(ec.generate_private_key(ec.SECP384R1())))
    signing.public.verify(signing.sign(b"x"), b"x")
    assert (signing.public.algorithm, keys.from_scalar(bytes(31) + b"\x01").public.algorithm) == (
        "ecdsa-p384-sha384",
        "ecdsa-p256-sha256",
    )
    for other in (ec.generate_private_key(ec.SECP521R1()), ed25519.Ed25519PrivateKey.generate()):
        with pytest.raises(UsageError, match="P-256"):
            keys.parse_signing(private(other))
    wide = ec.generate_private_key(ec.SECP384R1())
    from cryptography.hazmat.primitives import hashes

    keys.parse_public(public(wide)).verify(wide.sign(b"x", ec.ECDSA(hashes.SHA384())), b"x")
    for other in (ec.generate_private_key(ec.SECP256K1()), ed25519.Ed25519PrivateKey.generate()):
        with pytest.raises(UsageError, match="P-521"):
            keys.parse_public(public(other))
    for bad in (b"", b"junk", b"x" * (keys.MAX_PEM + 1)):
        with pytest.raises(MalformedInput):
            keys.parse_public(bad)


def test_scalars():
    assert keys.new_scalar(bytes(48)) == (1).to_bytes(32, "big")
    assert len(keys.new_scalar(b"\xff" * 48)) == 32
    assert keys.from_scalar(keys.new_scalar(b"\xff" * 48))
    for bad in (bytes(32), b"\xff" * 32, b"\x01"):
        with pytest.raises(MalformedInput):
            keys.from_scalar(bad)
    assert "…" in repr(key())
