"""What a browser is asked, and whether its answer is right: enrolling a passkey, and signing with one. Pure.

Narrow on purpose: ES256, user verification, one origin, no extensions, no other site's frame. The signature of a
sign-in can never be taken for a signed act: both sign a hash, of messages that begin differently.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from ringfence.identity.signin.model import Kind, Owner, Passkey, Site
from ringfence.kernel import assertion, digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed

TIMEOUT_MS = 120_000
ES256 = -7
_POINT = b"\x04"
_CONTEXT = b"urn:ringfence:sign-in:v1\n"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a browser returned for a new passkey, checked."""

    credential: bytes
    public_key: bytes
    sign_count: int
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser returned for a passkey that signed, as it was sent."""

    credential: bytes
    user_handle: bytes | None
    authenticator_data: bytes
    client_data: bytes
    signature: bytes


def message_of(kind: Kind, nonce: bytes) -> bytes:
    """Return what a passkey signs for us; its hash is the challenge."""
    return _CONTEXT + kind.value.encode() + b"\n" + nonce


def handle_of(owner: Owner) -> bytes:
    """Return what an authenticator calls a person: a digest, so that it tells nobody anything."""
    return Digest.of(f"urn:ringfence:webauthn-user:v1\n{owner.tenant}\n{owner.person}".encode()).value


def enrolment_options(site: Site, owner: Owner, *, name: str, message: bytes, known: list[Passkey]) -> dict[str, Any]:
    """Return what `navigator.credentials.create` is called with."""
    return {
        "rp": {"id": site.rp_id, "name": "Ringfence"},
        "user": {"id": encoded(handle_of(owner)), "name": name, "displayName": name},
        "challenge": encoded(assertion.challenge_of(message)),
        "pubKeyCredParams": [{"type": "public-key", "alg": ES256}],
        "timeout": TIMEOUT_MS,
        "excludeCredentials": [_descriptor(passkey) for passkey in known],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }


def assertion_options(site: Site, *, message: bytes, known: list[Passkey]) -> dict[str, Any]:
    """Return what `navigator.credentials.get` is called with; without `known` the browser offers what it has."""
    return {
        "rpId": site.rp_id,
        "challenge": encoded(assertion.challenge_of(message)),
        "timeout": TIMEOUT_MS,
        "allowCredentials": [_descriptor(passkey) for passkey in known],
        "userVerification": "required",
    }


def verify_enrolment(credential: dict[str, Any], *, message: bytes, site: Site) -> Enrolled:
    """Return the new passkey that a browser made for us.

    Raises:
        MalformedInput: it cannot be parsed.
        VerificationFailed: it is not the answer to our question, at our address, of the one kind that we take.
    """
    # Loaded here: nobody who lists nodes waits for it.
    from webauthn import verify_registration_response
    from webauthn.helpers import parse_attestation_object
    from webauthn.helpers.cose import COSEAlgorithmIdentifier
    from webauthn.helpers.exceptions import WebAuthnException

    response = credential["response"]
    _check_frame(decoded(response["clientDataJSON"]))
    try:
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=assertion.challenge_of(message),
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_presence=True,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier.ECDSA_SHA_256],
        )
        parse_attestation_object(decoded(response["attestationObject"]))
    except WebAuthnException as error:
        raise VerificationFailed(f"this passkey is not taken: {error}") from error
    except Exception as error:  # the parser below is not ours, and the bytes are anybody's
        raise MalformedInput("the browser's answer cannot be read", source="credential") from error
    return Enrolled(
        verified.credential_id,
        _point(verified.credential_public_key),
        verified.sign_count,
        verified.credential_backed_up,
    )


def verify_assertion(answer: Answer, passkey: Passkey, *, message: bytes, site: Site) -> int:
    """Return the authenticator's counter where the holder of `passkey` signed `message` at our address, just now."""
    if answer.user_handle is not None and answer.user_handle != handle_of(passkey.owner):
        raise VerificationFailed("the passkey says that it is somebody else's")
    blob = assertion.from_browser(answer.authenticator_data, answer.client_data, answer.signature).encode()
    known = assertion.Passkey(passkey.public_key, site.rp_id, site.origin)
    return assertion.sign_count(assertion.verify(blob, message, known))


def counts_backwards(passkey: Passkey, counter: int) -> bool:
    """Return whether the counter did not grow, where the authenticator keeps one: there may be two of it."""
    return (counter != 0 or passkey.sign_count != 0) and counter <= passkey.sign_count


def encoded(data: bytes) -> str:
    """Return unpadded base64url, as browsers write it."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Read base64url; raise `MalformedInput` for what is not."""
    if "+" in text or "/" in text:  # the other alphabet, which the decoder below lets pass
        raise MalformedInput("not base64url", source="credential")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput("not base64url", source="credential") from error


def _check_frame(client_data: bytes) -> None:
    document = digest.loads(client_data, limit=assertion.MAX_CLIENT_DATA)
    if not isinstance(document, dict):
        raise MalformedInput("the browser's part of the answer is no JSON object", source="credential")
    if document.get("crossOrigin", False) is not False or "topOrigin" in document:
        raise VerificationFailed("the passkey was made inside a page of another site")


def _point(cose: bytes) -> bytes:
    from webauthn.helpers import decode_credential_public_key
    from webauthn.helpers.decode_credential_public_key import DecodedEC2PublicKey

    key = decode_credential_public_key(cose)
    if not isinstance(key, DecodedEC2PublicKey) or key.crv != 1 or (len(key.x), len(key.y)) != (32, 32):
        raise VerificationFailed("this passkey is not taken: its key is not one of P-256")
    return _POINT + key.x + key.y


def _descriptor(passkey: Passkey) -> dict[str, Any]:
    described: dict[str, Any] = {"type": "public-key", "id": encoded(passkey.credential)}
    return described | ({"transports": list(passkey.transports)} if passkey.transports else {})
