"""How a dataset's key travels to one node: HPKE to that node's key, and inside it a key that only its TPM gives back.

Format: docs/specs/key-release.md, section 4. Two layers, since they resist different thieves: whoever copies the
node's private key lacks the TPM, and whoever has the TPM lacks the private key that the quote named.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ringfence.kernel import digest
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed

FORMAT = "urn:ringfence:released-key:v1"
KEY_SIZE = 32
SECRET_SIZE = 32
ML_KEM_SIZE, X25519_SIZE = 1184, 32
NODE_KEY_SIZE = ML_KEM_SIZE + X25519_SIZE  # ML-KEM-768 first, then X25519
MAX_RELEASED = 64 * 2**10
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_LABEL = b"ringfence released key v1"
_ACTIVATED = b"ringfence activated secret v1"
_NONCE = bytes(12)  # the key is derived from a secret that is drawn for this one message


@dataclass(frozen=True, slots=True)
class Terms:
    """What a released key is, and until when it is to be kept; bound into both layers."""

    dataset: str
    epoch: int
    lease: str
    expires_at: datetime
    statement: Digest  # of the envelope that records this release

    @property
    def info(self) -> bytes:
        """Return the terms as bytes, each after its length: the `info` of HPKE and the additional data inside."""
        parts = (
            _LABEL,
            self.dataset.encode("ascii"),
            self.epoch.to_bytes(8),
            self.lease.encode("ascii"),
            to_text(self.expires_at).encode("ascii"),
            self.statement.value,
        )
        return b"".join(len(part).to_bytes(4) + part for part in parts)


@dataclass(frozen=True, slots=True)
class Released:
    """A key on its way to one node."""

    terms: Terms
    sealed: bytes
    credential: bytes | None  # for TPM2_ActivateCredential: TPM2B_ID_OBJECT, then TPM2B_ENCRYPTED_SECRET


def node_key(raw: bytes) -> MLKEM768X25519PublicKey:
    """Parse a node's public key, or raise `MalformedInput`."""
    if len(raw) != NODE_KEY_SIZE:
        raise MalformedInput(f"a node's key has {NODE_KEY_SIZE} bytes (ML-KEM-768, then X25519), not {len(raw)}")
    try:
        first = MLKEM768PublicKey.from_public_bytes(raw[:ML_KEM_SIZE])
        second = X25519PublicKey.from_public_bytes(raw[ML_KEM_SIZE:])
        return MLKEM768X25519PublicKey(first, second)
    except ValueError as error:
        raise MalformedInput(f"not a key of a node: {error}") from error


def seal(key: bytearray, terms: Terms, recipient: bytes, secret: bytes | None) -> bytes:
    """Encrypt a dataset key to a node; with the `secret` of a credential, so that only that TPM opens it."""
    if len(key) != KEY_SIZE:
        raise MalformedInput(f"a dataset key has {KEY_SIZE} bytes")
    public = node_key(recipient)
    inner = bytearray(key if secret is None else AESGCM(_inner_key(secret, terms)).encrypt(_NONCE, key, terms.info))
    try:
        return _SUITE.encrypt(inner, public, terms.info)
    finally:
        inner[:] = bytes(len(inner))


def open_sealed(
    released: Released, private: MLKEM768X25519PrivateKey, activate: Callable[[bytes], bytes] | None
) -> bytearray:
    """Return the dataset key, as the node does; the caller overwrites it after use.

    Args:
        released: what came.
        private: the node's key.
        activate: gives the secret of a credential back, as this node's TPM does.

    Raises:
        VerificationFailed: it is for another node, another TPM, or other terms.
    """
    try:
        inner = _SUITE.decrypt(released.sealed, private, released.terms.info)
    except (InvalidTag, ValueError) as error:
        raise VerificationFailed("the released key is not for this node's key, or for other terms") from error
    if released.credential is None:
        key = bytearray(inner)
    else:
        if activate is None:
            raise VerificationFailed("the released key needs a TPM, and there is none")
        try:
            opened = AESGCM(_inner_key(activate(released.credential), released.terms))
            key = bytearray(opened.decrypt(_NONCE, inner, released.terms.info))
        except InvalidTag as error:
            raise VerificationFailed("the released key is for another TPM") from error
    if len(key) != KEY_SIZE:
        raise VerificationFailed(f"what was released is no key of {KEY_SIZE} bytes")
    return key


def _inner_key(secret: bytes, terms: Terms) -> bytes:
    if len(secret) != SECRET_SIZE:
        raise VerificationFailed(f"the secret of a credential has {SECRET_SIZE} bytes, not {len(secret)}")
    info = _ACTIVATED + Digest.of(terms.info).value
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)


def to_json(released: Released) -> dict[str, Any]:
    """Return the form in which a released key travels."""
    terms = released.terms
    document = {
        "format": FORMAT,
        "dataset": terms.dataset,
        "epoch": terms.epoch,
        "lease": terms.lease,
        "expiresAt": to_text(terms.expires_at),
        "statement": str(terms.statement),
        "sealed": base64.b64encode(released.sealed).decode(),
    }
    if released.credential is not None:
        document["credential"] = base64.b64encode(released.credential).decode()
    return document


def printed(released: Released) -> bytes:
    """Print a released key."""
    return digest.dumps(to_json(released))


def parse(data: bytes) -> Released:
    """Parse a released key strictly, or raise `MalformedInput`."""
    match digest.loads(data, source="released key", limit=MAX_RELEASED):
        case {
            "format": kind, "dataset": str() as dataset, "epoch": int() as epoch, "lease": str() as lease,
            "expiresAt": expires, "statement": statement, "sealed": str() as sealed, **more,
        } if kind == FORMAT and more.keys() <= {"credential"} and type(epoch) is int and 0 < epoch < 2**53:  # fmt: skip
            if not (dataset.isascii() and lease.isascii()):
                raise MalformedInput("the terms of a released key are ASCII")
            terms = Terms(dataset, epoch, lease, from_text(expires), Digest.parse(statement))
            credential = _bytes(more["credential"]) if more else None
            return Released(terms, _bytes(sealed), credential)
        case _:
            raise MalformedInput("not a released key of version 1")


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "!", validate=True)
    except ValueError as error:
        raise MalformedInput("bytes in a released key are standard base64") from error
