"""Elliptic-curve keys of model signatures: P-256 and P-384 to sign, and P-521 too to verify (OMS registry)."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ringfence.kernel.errors import MalformedInput, Refused, UsageError, VerificationFailed

MAX_PEM = 16 * 2**10
SCALAR = 32  # bytes of a P-256 private key
CURVES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}
ALGORITHMS = {"secp256r1": "ecdsa-p256-sha256", "secp384r1": "ecdsa-p384-sha384"}  # that are signed with here
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


class Protected(Refused):
    """The key opens with a passphrase only, and none was given."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that somebody trusts for models."""

    pem: str
    hint: str  # SHA-256 of the PEM text, as bundles name keys
    key: ec.EllipticCurvePublicKey

    @property
    def algorithm(self) -> str:
        """Return how statements name what such a key signs by; empty for those that only others sign with."""
        return ALGORITHMS.get(self.key.curve.name, "")

    def verify(self, signature: bytes, signed: bytes) -> None:
        """Return, or raise `VerificationFailed`."""
        try:
            self.key.verify(signature, signed, ec.ECDSA(CURVES[self.key.curve.name]))
        except InvalidSignature as error:
            raise VerificationFailed("the signature does not match what it is said to sign") from error


class Signing(Protocol):
    """What signs models: a key in memory, or one in a token."""

    @property
    def public(self) -> PublicKey:
        """Return what others verify with."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return an ECDSA signature in DER, by the hash of the key's curve."""
        ...


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key on P-256 or P-384 that signs models."""

    key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return f"SigningKey({self.public.hint[:16]}…)"

    @property
    def public(self) -> PublicKey:
        """Return what others verify with."""
        return public_key(self.key.public_key())

    def sign(self, data: bytes) -> bytes:
        """Return an ECDSA signature in DER."""
        return self.key.sign(data, ec.ECDSA(CURVES[self.key.curve.name]))


def from_scalar(scalar: bytes) -> SigningKey:
    """Return the key with this private scalar, as key files keep it."""
    value = int.from_bytes(scalar, "big")
    if len(scalar) != SCALAR or not 1 <= value < _ORDER:
        raise MalformedInput("the model key in the key file is no P-256 key")
    return SigningKey(ec.derive_private_key(value, ec.SECP256R1()))


def new_scalar(random: bytes) -> bytes:
    """Make a private scalar out of 48 random bytes: so many that the remainder is even."""
    return (int.from_bytes(random, "big") % (_ORDER - 1) + 1).to_bytes(SCALAR, "big")


def parse_signing(pem: bytes, password: bytes | None = None, *, source: str = "") -> SigningKey:
    """Parse a PEM file with a private key on P-256 or P-384."""
    try:
        key = serialization.load_pem_private_key(pem, password)
    except TypeError as error:
        raise Protected(f"{source}: the key is protected; name its passphrase in RINGFENCE_PASSPHRASE_FILE") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedInput("not a private key in PEM, or the passphrase is wrong", source=source) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in ALGORITHMS:
        raise UsageError(f"{source}: models are signed with a key on P-256 or P-384; this is another kind")
    return SigningKey(key)


def parse_public(pem: bytes, *, source: str = "") -> PublicKey:
    """Parse a PEM file with a public key on P-256, P-384 or P-521."""
    if len(pem) > MAX_PEM:
        raise MalformedInput("a public key is shorter than that", source=source)
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedInput("not a public key in PEM", source=source) from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
        raise UsageError(f"{source}: models are verified with a key on P-256, P-384 or P-521; this is another kind")
    return public_key(key)


def public_key(key: ec.EllipticCurvePublicKey) -> PublicKey:
    """Return a key in the form and under the name by which bundles and statements know it."""
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(pem.decode("ascii"), hashlib.sha256(pem).hexdigest(), key)
