"""DSSE envelopes around statements, in one exact byte form.

Source: secure-systems-lab/dsse, protocol and envelope 1.0. Ours carry exactly one signature, by an Ed25519 key or by a
person's passkey, and are printed in one way only, so that the digest of an envelope is the digest of its meaning too.
"""

import base64
import binascii
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ringfence.kernel import assertion, digest, identifier
from ringfence.kernel.assertion import Passkey
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.identifier import KeyId
from ringfence.kernel.statement import MAX_PAYLOAD, Statement, parse_payload

ED25519 = "ed25519"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_ENVELOPE = 2 * MAX_PAYLOAD


def key_id_of(public_key: bytes) -> KeyId:
    """Return the id of a raw public key: 32 bytes of Ed25519, or the uncompressed point of a passkey."""
    return KeyId(Digest.of(public_key).hex)


def pae(payload: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding of a payload of ours."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A signed statement: the exact bytes, and a parsed view of them.

    Parsing proves nothing about the signature: call `verify`.
    """

    data: bytes
    payload: bytes
    signer: KeyId
    signature: bytes
    statement: Statement

    @property
    def digest(self) -> Digest:
        """Return the digest that the ledger logs."""
        return Digest.of(self.data)

    def verify(self, public_key: bytes) -> Statement:
        """Return the statement if `public_key` (raw, 32 bytes) signed it; raise `VerificationFailed` if not."""
        self._check_signer(public_key)
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(self.signature, pae(self.payload))
        except (InvalidSignature, ValueError) as error:  # ValueError: these 32 bytes, or another number, are no key
            raise VerificationFailed("the signature does not match the statement") from error
        return self.statement

    def verify_as(self, algorithm: str, public_key: bytes, *, rp_id: str = "", origin: str = "") -> Statement:
        """Return the statement if `public_key` signed it by the algorithm of its enrolment, or raise.

        Args:
            algorithm: `ED25519`, or that of passkeys.
            public_key: raw; of a passkey the uncompressed point.
            rp_id: of a passkey, the site that it was enrolled for.
            origin: of a passkey, the one page where it may sign.

        Raises:
            MalformedInput: what stands for the signature is none of this algorithm.
            VerificationFailed: it is one, but not of this key, over this statement.
        """
        if algorithm == ED25519:
            return self.verify(public_key)
        if algorithm != assertion.ALGORITHM:
            raise VerificationFailed(f"{algorithm[:40]!r} is not an algorithm of statements")
        self._check_signer(public_key)
        assertion.verify(self.signature, pae(self.payload), Passkey(public_key, rp_id, origin))
        return self.statement

    def _check_signer(self, public_key: bytes) -> None:
        if key_id_of(public_key) != self.signer:
            raise VerificationFailed(f"the statement is signed by key {self.signer[:16]}…, not by the key given")


def sign(payload: bytes, key: Ed25519PrivateKey) -> Envelope:
    """Sign the payload of a statement that names `key` as its issuer."""
    return assemble(payload, key_id_of(key.public_key().public_bytes_raw()), key.sign(pae(payload)))


def assemble(payload: bytes, signer: KeyId, signature: bytes) -> Envelope:
    """Return the envelope of a payload that was signed elsewhere; nothing is verified."""
    return parse(_print(payload, signer, signature))


def parse(data: bytes, *, source: str = "") -> Envelope:
    """Parse an envelope in its one byte form, or raise `MalformedInput`."""
    document = digest.loads(data, source=source, limit=MAX_ENVELOPE)
    match document:
        case {
            "payload": str() as payload_text,
            "payloadType": str() as kind,
            "signatures": [{"keyid": str() as signer, "sig": str() as signature_text}],
        } if kind == PAYLOAD_TYPE:
            pass
        case _:
            raise MalformedInput("not a DSSE envelope with one signature over an in-toto statement", source=source)
    try:
        payload = base64.b64decode(payload_text, validate=True)
        signature = base64.b64decode(signature_text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput(f"bad base64 in the envelope: {error}", source=source) from error
    if data != _print(payload, signer, signature):
        raise MalformedInput("the envelope is not in its one byte form (docs/specs/statement.md)", source=source)
    statement = parse_payload(payload, source=source)
    if statement.issuance.issuer != identifier.key_id(signer):
        raise MalformedInput("the statement names another issuer than the key that signed it", source=source)
    return Envelope(data, payload, KeyId(signer), signature, statement)


def _print(payload: bytes, signer: str, signature: bytes) -> bytes:
    return digest.dumps(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": signer, "sig": base64.b64encode(signature).decode()}],
        }
    )
