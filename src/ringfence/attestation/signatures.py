"""The signatures that evidence and certificates carry; an allow-list, and nothing is negotiated.

Every function returns a verdict: bytes that are no key, no signature or of another algorithm are not signed.
"""

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from ringfence.attestation import der
from ringfence.kernel.errors import MalformedInput

LEAST_RSA_BITS = 2048
_SHA256, _SHA384, _SHA512 = hashes.SHA256(), hashes.SHA384(), hashes.SHA512()
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_ECDSA = {"1.2.840.10045.4.3.2": _SHA256, "1.2.840.10045.4.3.3": _SHA384, "1.2.840.10045.4.3.4": _SHA512}
_PKCS1 = {"1.2.840.113549.1.1.11": _SHA256, "1.2.840.113549.1.1.12": _SHA384, "1.2.840.113549.1.1.13": _SHA512}
_PSS, _MGF1 = "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8"
_HASHES = {
    "2.16.840.1.101.3.4.2.1": _SHA256,
    "2.16.840.1.101.3.4.2.2": _SHA384,
    "2.16.840.1.101.3.4.2.3": _SHA512,
}
_MAX_SALT = 64

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


def key(spki: bytes) -> PublicKey:
    """Load a public key of a kind that evidence is signed with; raise `MalformedInput` for any other."""
    try:
        loaded = serialization.load_der_public_key(spki)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise MalformedInput("the bytes are no public key that is known here") from error
    if isinstance(loaded, ec.EllipticCurvePublicKey) and loaded.curve.name in _CURVES:
        return loaded
    if isinstance(loaded, rsa.RSAPublicKey) and loaded.key_size >= LEAST_RSA_BITS:
        return loaded
    raise MalformedInput("the public key is of a kind or size that is not taken here")


def is_certified(spki: bytes, algorithm: bytes, signature: bytes, signed: bytes) -> bool:
    """Return whether the key signed these bytes by this DER AlgorithmIdentifier."""
    try:
        by = key(spki)
        fields = der.only(algorithm, der.SEQUENCE, "an algorithm").children()
        name = der.oid(fields.next(der.OID, "an algorithm"), "an algorithm")
        if isinstance(by, ec.EllipticCurvePublicKey) and name in _ECDSA:
            fields.end("an algorithm")
            return _ecdsa(by, signature, signed, _ECDSA[name])
        if isinstance(by, rsa.RSAPublicKey) and name in _PKCS1:
            der.only(fields.any("an algorithm").whole, der.NULL, "an algorithm")
            fields.end("an algorithm")
            return _rsa(by, signature, signed, padding.PKCS1v15(), _PKCS1[name])
        if isinstance(by, rsa.RSAPublicKey) and name == _PSS:
            salt, algorithm_hash = _pss_parameters(fields)
            return _rsa(by, signature, signed, padding.PSS(padding.MGF1(algorithm_hash), salt), algorithm_hash)
    except MalformedInput:
        return False
    return False


def _pss_parameters(fields: der.Nodes) -> tuple[int, hashes.HashAlgorithm]:
    """Read salt length and hash; the hash of the mask has to be the same, and no default is taken."""
    what = "the parameters of RSASSA-PSS"
    inner = fields.next(der.SEQUENCE, what).children()
    fields.end(what)
    hashed = der.only(inner.next(0xA0, what).content, der.SEQUENCE, what)
    mask = der.only(inner.next(0xA1, what).content, der.SEQUENCE, what).children()
    if der.oid(mask.next(der.OID, what), what) != _MGF1:
        raise MalformedInput(f"{what} name another mask than MGF1")
    if _hash_name(mask.next(der.SEQUENCE, what)) != _hash_name(hashed):
        raise MalformedInput(f"{what} name two hashes")
    salt = der.integer(der.only(inner.next(0xA2, what).content, der.INTEGER, what), what)
    trailer = inner.optional(0xA3, what)
    inner.end(what)
    if trailer is not None and der.integer(der.only(trailer.content, der.INTEGER, what), what) != 1:
        raise MalformedInput(f"{what} name another trailer than 1")
    if _hash_name(hashed) not in _HASHES or not 0 <= salt <= _MAX_SALT:
        raise MalformedInput(f"{what} are not those that are taken here")
    return salt, _HASHES[_hash_name(hashed)]


def _hash_name(node: der.Node) -> str:
    fields = node.children()
    name = der.oid(fields.next(der.OID, "a hash"), "a hash")
    fields.optional(der.NULL, "a hash")
    fields.end("a hash")
    return name


def ecdsa_numbers(by: PublicKey, r: int, s: int, signed: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    """Return whether `r` and `s` are an ECDSA signature by this key."""
    if not isinstance(by, ec.EllipticCurvePublicKey) or r <= 0 or s <= 0:
        return False
    return _ecdsa(by, encode_dss_signature(r, s), signed, algorithm)


def rsa_pkcs1(by: PublicKey, signature: bytes, signed: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    """Return whether this is an RSASSA-PKCS1-v1_5 signature by this key."""
    return isinstance(by, rsa.RSAPublicKey) and _rsa(by, signature, signed, padding.PKCS1v15(), algorithm)


def rsa_pss(by: PublicKey, signature: bytes, signed: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    """Return whether this is an RSASSA-PSS signature by this key, with a salt of any length, as TPMs make them."""
    scheme = padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO)
    return isinstance(by, rsa.RSAPublicKey) and _rsa(by, signature, signed, scheme, algorithm)


def _ecdsa(by: ec.EllipticCurvePublicKey, signature: bytes, signed: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    try:
        by.verify(signature, signed, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    return True


def _rsa(
    by: rsa.RSAPublicKey,
    signature: bytes,
    signed: bytes,
    scheme: padding.AsymmetricPadding,
    algorithm: hashes.HashAlgorithm,
) -> bool:
    try:
        by.verify(signature, signed, scheme, algorithm)
    except (InvalidSignature, ValueError):
        return False
    return True
