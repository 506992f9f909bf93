"""A software authenticator: real keys, real CBOR, real signatures, and every lie that a test needs.

key = Authenticator("http://localhost:8400")
made = key.create(options)          # what the browser would post after navigator.credentials.create
answer = key.get(options)           # … after navigator.credentials.get
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from ringfence.identity.signin.ceremony import encoded

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass(slots=True)
class Authenticator:
    """One device with one discoverable passkey; it signs for `origin`, as its browser would."""

    origin: str
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    counter: int = 0
    flags: int = PRESENT | VERIFIED
    handle: bytes = b""
    more: dict[str, Any] = field(default_factory=dict)  # what else the browser says of the page

    def create(self, options: dict[str, Any], *, name: str = "software", algorithm: int = -7) -> dict[str, Any]:
        """Return what a browser posts for a new passkey."""
        self.handle = _bytes(options["user"]["id"])
        data = self._data(options["rp"]["id"], ATTESTED)
        data += bytes(16) + len(self.credential).to_bytes(2) + self.credential + self._cose(algorithm)
        attestation = (
            b"\xa3" + _text("fmt") + _text("none") + _text("attStmt") + b"\xa0" + _text("authData") + _blob(data)
        )
        client = self._client("webauthn.create", options["challenge"])
        response = {"clientDataJSON": encoded(client), "attestationObject": encoded(attestation), "transports": ["usb"]}
        return {"id": encoded(self.credential), "name": name, "response": response}

    def get(self, options: dict[str, Any], *, rp_id: str = "") -> dict[str, Any]:
        """Return what a browser posts for a passkey that signed."""
        self.counter += 1
        data = self._data(rp_id or options["rpId"], 0)
        client = self._client("webauthn.get", options["challenge"])
        signature = self.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": encoded(client),
            "authenticatorData": encoded(data),
            "signature": encoded(signature),
            "userHandle": encoded(self.handle),
        }
        return {"id": encoded(self.credential), "response": response}

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([self.flags | flags]) + self.counter.to_bytes(4)

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said | self.more).encode()

    def _cose(self, algorithm: int) -> bytes:
        """The public key as RFC 9053 writes it: kty EC2, the algorithm, P-256, x, y."""
        numbers = self.private.public_key().public_numbers()
        head = b"\xa5\x01\x02\x03" + _negative(algorithm) + b"\x20\x01"
        return head + b"\x21" + _blob(numbers.x.to_bytes(32)) + b"\x22" + _blob(numbers.y.to_bytes(32))


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _negative(number: int) -> bytes:
    value = -1 - number
    return bytes([0x20 | value]) if value < 24 else bytes([0x38, value]) if value < 256 else b"\x39" + value.to_bytes(2)


def _text(text: str) -> bytes:
    return bytes([0x60 | len(text)]) + text.encode()


def _blob(data: bytes) -> bytes:
    if len(data) < 256:
        return bytes([0x58, len(data)]) + data
    return b"\x59" + len(data).to_bytes(2) + data
