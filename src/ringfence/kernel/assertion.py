"""A person's signature by passkey: the WebAuthn assertion that stands where an Ed25519 signature stands elsewhere.

Source: Web Authentication Level 3, sections 5.8.1 (client data), 6.1 (authenticator data) and 7.2 (verifying an
assertion). Narrowed to ES256, to what was asked of the browser, and to one byte form; docs/specs/signed-act.md.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed

ALGORITHM = "webauthn-es256"
POINT_SIZE = 65  # 0x04, x, y
SIGNATURE_SIZE = 64  # r, s
AUTHENTICATOR_DATA_SIZE = 37  # no attested credential, no extensions: neither is asked for
MAX_CLIENT_DATA = 2048
_HALF = 2
_COORDINATE = 32
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256: SEC 2, 2.4.2

_PRESENT, _VERIFIED, _BACKUP_ELIGIBLE, _BACKED_UP = 0x01, 0x04, 0x08, 0x10
_ALLOWED = _PRESENT | _VERIFIED | _BACKUP_ELIGIBLE | _BACKED_UP


@dataclass(frozen=True, slots=True)
class Passkey:
    """What the enrolment of a passkey says of it."""

    public_key: bytes  # uncompressed point, 65 bytes
    rp_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """What an authenticator and the browser returned."""

    authenticator_data: bytes
    client_data: bytes
    signature: bytes  # r and s, 32 bytes each, s in the lower half

    def encode(self) -> bytes:
        """Return the one byte form: authenticator data, signature, client data."""
        return self.authenticator_data + self.signature + self.client_data


def parse(blob: bytes) -> Assertion:
    """Take an assertion apart; raise `MalformedInput` for what cannot be one."""
    start = AUTHENTICATOR_DATA_SIZE + SIGNATURE_SIZE
    if not start < len(blob) <= start + MAX_CLIENT_DATA:
        raise MalformedInput(f"an assertion has {start + 1} to {start + MAX_CLIENT_DATA} bytes, not {len(blob)}")
    signature = blob[AUTHENTICATOR_DATA_SIZE:start]
    if int.from_bytes(signature[_COORDINATE:]) > _ORDER // _HALF:
        raise MalformedInput("the second half of the signature is not the lower of the two that are valid")
    return Assertion(blob[:AUTHENTICATOR_DATA_SIZE], blob[start:], signature)


def from_browser(authenticator_data: bytes, client_data: bytes, signature: bytes) -> Assertion:
    """Bring what a browser returned, with its DER signature, into the one byte form; raise `MalformedInput`."""
    try:
        r, s = decode_dss_signature(signature)
        flat = r.to_bytes(_COORDINATE) + min(s, _ORDER - s).to_bytes(_COORDINATE)
    except (ValueError, OverflowError) as error:
        raise MalformedInput("the browser returned no ECDSA signature over P-256") from error
    return parse(Assertion(authenticator_data, client_data, flat).encode())


def challenge_of(message: bytes) -> bytes:
    """Return the challenge that the browser has to sign for a message."""
    return hashlib.sha256(message).digest()


def verify(blob: bytes, message: bytes, passkey: Passkey) -> Assertion:
    """Return the assertion where the holder of `passkey`, present and verified, signed `message`.

    Raises:
        MalformedInput: this is no assertion in its one byte form.
        VerificationFailed: it is one, but not by this passkey, over this message, at this origin.
    """
    assertion = parse(blob)
    _check_authenticator_data(assertion.authenticator_data, passkey.rp_id)
    _check_client_data(assertion.client_data, challenge_of(message), passkey.origin)
    signed = assertion.authenticator_data + hashlib.sha256(assertion.client_data).digest()
    r, s = assertion.signature[:_COORDINATE], assertion.signature[_COORDINATE:]
    try:
        _point(passkey.public_key).verify(
            encode_dss_signature(int.from_bytes(r), int.from_bytes(s)), signed, ec.ECDSA(hashes.SHA256())
        )
    except (InvalidSignature, ValueError) as error:
        raise VerificationFailed("the passkey's signature does not match the statement") from error
    return assertion


def _point(public_key: bytes) -> ec.EllipticCurvePublicKey:
    if len(public_key) != POINT_SIZE:  # a compressed point would be a second spelling of the same key
        raise ValueError
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)


def sign_count(assertion: Assertion) -> int:
    """Return the authenticator's counter; 0 where it keeps none."""
    return int.from_bytes(assertion.authenticator_data[33:])


def _check_authenticator_data(data: bytes, rp_id: str) -> None:
    flags = data[32]
    if not hmac.compare_digest(data[:32], hashlib.sha256(rp_id.encode()).digest()):
        raise VerificationFailed(f"the passkey signed for another site than {rp_id}")
    if not flags & _PRESENT or not flags & _VERIFIED:
        raise VerificationFailed("the passkey does not say that its holder was present and verified")
    if flags & _BACKED_UP and not flags & _BACKUP_ELIGIBLE:
        raise VerificationFailed("the passkey says that it was copied, and that it cannot be")
    if flags & ~_ALLOWED:
        raise VerificationFailed("the passkey returned more than was asked of it")


def _check_client_data(data: bytes, challenge: bytes, origin: str) -> None:
    document = digest.loads(data, limit=MAX_CLIENT_DATA)
    if not isinstance(document, dict):
        raise MalformedInput("the browser's part of the assertion is no JSON object")
    if document.get("type") != "webauthn.get":
        raise VerificationFailed("the browser was asked for something else than a signature")
    if document.get("challenge") != base64.urlsafe_b64encode(challenge).decode().rstrip("="):
        raise VerificationFailed("the passkey signed another statement")
    if document.get("origin") != origin:
        raise VerificationFailed(f"the passkey signed on another page than one of {origin}")
    if document.get("crossOrigin", False) is not False or "topOrigin" in document:
        raise VerificationFailed("the passkey signed inside a page of another site")
