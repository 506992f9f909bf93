"""The outer layers of a bundle: Sigstore's bundle v0.3 around a DSSE envelope; read strictly, within bounds."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from ringfence.kernel.envelope import PAYLOAD_TYPE
from ringfence.kernel.errors import MalformedInput

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
MAX_BUNDLE = 64 * 2**20
_MATERIAL = frozenset({"tlogEntries", "timestampVerificationData"})


def material_of(document: Any) -> Mapping[str, Any]:
    """Return what a bundle says of who signed it."""
    match document:
        case {"mediaType": str() as kind, "verificationMaterial": dict() as material}:
            pass
        case _:
            raise MalformedInput("not a Sigstore bundle: it has no media type or no verification material")
    if kind != MEDIA_TYPE:
        raise MalformedInput(f"the bundle is of type {kind[:80]!r}, not {MEDIA_TYPE}")
    return material


def hint_of(material: Mapping[str, Any]) -> str:
    """Return which key the bundle names; bundles from before 1.1.0 of the reference tool name none."""
    match material:
        case {"publicKey": {"hint": str() as hint}, **rest} if rest.keys() <= _MATERIAL:
            return hint
        case {"publicKey": {"rawBytes": str()}, **rest} if rest.keys() <= _MATERIAL:
            return ""
        case {"certificate": _}:
            raise MalformedInput(
                "the bundle is signed without a key of its own, by a certificate of minutes; only bundles with a key"
                " or a chain of certificates are read"
            )
        case _:
            raise MalformedInput("the bundle names no public key and no chain of certificates")


def chain_of(material: Mapping[str, Any]) -> list[bytes]:
    """Return the certificates of a bundle in DER, the signer's own first; none where it names a key."""
    match material:
        case {"x509CertificateChain": {"certificates": list() as listed}, **rest} if rest.keys() <= _MATERIAL:
            found = [_raw(one, "rawBytes") for one in listed]
            if not found:
                raise MalformedInput("the bundle names a chain of certificates and holds none")
            return found
        case {"x509CertificateChain": _}:
            raise MalformedInput("the bundle's chain of certificates is none, or stands beside another key")
        case _:
            return []


def tokens_of(material: Mapping[str, Any]) -> list[bytes]:
    """Return the answers of time-stamping authorities in a bundle."""
    match material.get("timestampVerificationData"):
        case None:
            return []
        case {"rfc3161Timestamps": list() as listed}:
            return [_raw(one, "signedTimestamp") for one in listed]
        case {**other} if not other:
            return []
        case _:
            raise MalformedInput("the bundle's time stamps are none of RFC 3161")


def _raw(value: Any, name: str) -> bytes:
    text = value.get(name) if isinstance(value, dict) else None
    if not isinstance(text, str):
        raise MalformedInput(f"an entry of the bundle has no {name}")
    return _decoded(text)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput(f"bad base64 in the bundle: {error}") from error


def signed_of(document: Any) -> tuple[bytes, bytes]:
    """Return what is signed, and the signature."""
    match document.get("dsseEnvelope") if isinstance(document, dict) else None:
        case {"payload": str() as payload, "payloadType": str() as kind, "signatures": [{"sig": str() as signature}]}:
            pass
        case _:
            raise MalformedInput("the bundle holds no DSSE envelope with exactly one signature")
    if kind != PAYLOAD_TYPE:
        raise MalformedInput(f"the bundle signs {kind[:80]!r}, not an in-toto statement")
    return _decoded(payload), _decoded(signature)
