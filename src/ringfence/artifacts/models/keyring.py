"""The key with which an operator signs models: a key file beside the operator's own, a PEM file, or a token."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import Certificate

from ringfence.artifacts.models import certificates, keys
from ringfence.artifacts.models.keys import CURVES, PublicKey, Signing, public_key
from ringfence.kernel.errors import MalformedInput, UsageError
from ringfence.storage import keyfile
from ringfence.storage.files import read_bounded, read_private
from ringfence.storage.tokens import Token, TokenPlace

_CURVES = {  # CKA_EC_PARAMS: the object identifier of the curve
    bytes.fromhex("06082a8648ce3d030107"): ec.SECP256R1(),
    bytes.fromhex("06052b81040022"): ec.SECP384R1(),
}
SECRET = "model-p256"  # noqa: S105 - what a key file calls it
MAX_CHAIN_FILE = 128 * 2**10
ENDING = ".model.key"  # matched by `operators/*.key`, so that `key list` and `key protect` know of it


@dataclass(frozen=True, slots=True)
class Held:
    """A signing key, and how it is kept."""

    key: Signing
    custody: str


def of_operator(operator: Path, passphrase: bytes | None) -> Held:
    """Return the model key beside an operator's key file; the first use makes it."""
    path = operator.with_suffix(ENDING)
    if not path.exists():
        scalar = keys.new_scalar(secrets.token_bytes(48))
        held = keyfile.create(path, {SECRET: scalar}, passphrase)
    else:
        held = keyfile.load(path, passphrase)
    return Held(keys.from_scalar(held.secret(SECRET)), held.custody)


def of_pem(path: Path, passphrase: bytes | None) -> Held:
    """Return the key in a PEM file that nobody else may read; an encrypted one opens with the passphrase."""
    data = read_private(path)
    try:
        key, custody = keys.parse_signing(data, source=str(path)), keyfile.PLAIN
    except keys.Protected:
        key, custody = keys.parse_signing(data, passphrase, source=str(path)), keyfile.PASSPHRASE
    return Held(key, custody)


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A pair on P-256 or P-384 in a PKCS#11 token, whose private half does not come out."""

    token: Token
    public: PublicKey

    def sign(self, data: bytes) -> bytes:
        """Return an ECDSA signature in DER, which the token makes over the hash of the key's curve."""
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
        from pkcs11 import KeyType, Mechanism, ObjectClass

        hashed = hashes.Hash(CURVES[self.public.key.curve.name])
        hashed.update(data)
        with self.token.opened() as session:
            key = self.token.only(session, object_class=ObjectClass.PRIVATE_KEY, key_type=KeyType.EC)
            raw = bytes(key.sign(hashed.finalize(), mechanism=Mechanism.ECDSA))
        half = len(raw) // 2
        der = encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
        self.public.verify(der, data)  # the two halves in a token may be of different pairs
        return der


def of_token(place: TokenPlace) -> Held:
    """Return the key in a token; nothing is made there.

    Raises:
        NotFound: the token has no such pair.
        UsageError: it is on another curve.
        Unavailable: the binding, the module or the token is missing.
    """
    token = Token(place)
    with token.opened() as session:
        from pkcs11 import Attribute, KeyType, ObjectClass

        half = token.only(session, object_class=ObjectClass.PUBLIC_KEY, key_type=KeyType.EC)
        parameters, point = bytes(half[Attribute.EC_PARAMS]), bytes(half[Attribute.EC_POINT])
    curve = next((curve for oid, curve in _CURVES.items() if parameters == oid), None)
    if curve is None:
        raise UsageError(f"models are signed with a key on P-256 or P-384; {place.key} in the token is another kind")
    size = 1 + 2 * (curve.key_size // 8)
    try:  # some tokens put the point into an OCTET STRING, as the standard has it
        found = ec.EllipticCurvePublicKey.from_encoded_point(curve, point[-size:])
    except ValueError as error:
        raise MalformedInput(f"the token's public key {place.key} is no point on its curve") from error
    return Held(TokenKey(token, public_key(found)), keyfile.TOKEN)


def chain_of(path: Path) -> list[bytes]:
    """Return the certificates in a PEM file in DER, in their order."""
    return [certificates.to_der(one) for one in certificates_of(path)]


def certificates_of(path: Path) -> list[Certificate]:
    """Return the certificates in a PEM file."""
    return certificates.parse_certificates(read_bounded(path, limit=MAX_CHAIN_FILE), source=str(path))


def public_of(path: Path) -> PublicKey:
    """Return the public key in a PEM file."""
    return keys.parse_public(read_bounded(path, limit=keys.MAX_PEM), source=str(path))
