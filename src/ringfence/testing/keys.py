"""Keys from fixed seeds, and statements signed with them: a made-up log and its root."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope, key_id_of, sign
from ringfence.kernel.identifier import LogOrigin, PredicateName, Tenant
from ringfence.kernel.statement import Issuance, KeyRole, Statement, Strength, Subject, to_payload
from ringfence.ledger import checkpoint, note
from ringfence.ledger.model import Checkpoint, SignedCheckpoint
from ringfence.testing.clock import START

ORIGIN = LogOrigin("example.eu/log")
TENANT = Tenant("example")


@cache
def ed25519(seed: int) -> Ed25519PrivateKey:
    """Return the Ed25519 key number `seed`."""
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


@cache
def ml_dsa_44(seed: int) -> MLDSA44PrivateKey:
    """Return the ML-DSA-44 key number `seed`."""
    return MLDSA44PrivateKey.from_seed_bytes(bytes([seed]) * 32)


def public(key: Ed25519PrivateKey) -> bytes:
    """Return the raw public key."""
    return key.public_key().public_bytes_raw()


@cache
def log_keys(origin: LogOrigin = ORIGIN, seed: int = 1) -> tuple[str, str]:
    """Return the two verifier keys of the log whose signing keys have the number `seed`."""
    return checkpoint.vkeys(origin, public(ed25519(seed)), ml_dsa_44(seed).public_key().public_bytes_raw())


def head(
    size: int, root: bytes, at: datetime = START, *, origin: LogOrigin = ORIGIN, seed: int = 1
) -> SignedCheckpoint:
    """Sign a checkpoint of a made-up log."""
    return checkpoint.sign(Checkpoint(origin, size, root), ed25519(seed), ml_dsa_44(seed), at)


def state(
    key: Ed25519PrivateKey, predicate: str, claims: Mapping[str, Any], subject: Subject, *, sequence: int = 1
) -> Envelope:
    """Sign a documented statement of a made-up tenant."""
    issuance = Issuance(
        tenant=TENANT,
        log=ORIGIN,
        issuer=key_id_of(public(key)),
        strength=Strength.DOCUMENTED,
        sequence=sequence,
        nonce="00" * 16,
        idempotency_key=f"{predicate}-{sequence}",
        issued_at=START,
    )
    return sign(to_payload(Statement(PredicateName(predicate), (subject,), claims, issuance)), key)


def key_subject(key: Ed25519PrivateKey) -> Subject:
    """Return the subject of statements about a key."""
    key_id = key_id_of(public(key))
    return Subject(f"key/{key_id[:16]}", Digest.parse(key_id))


def enrolment(key: Ed25519PrivateKey, role: KeyRole, /, **claims: Any) -> dict[str, Any]:
    """Return the claims that enrol `key` for a year, changed by `claims`; a claim of None is left out."""
    result = {
        "role": role.value,
        "algorithm": "ed25519",
        "publicKey": note.encode_base64(public(key)),
        "validFrom": to_text(START),
        "validUntil": to_text(START + timedelta(days=365)),
        "custody": "file-passphrase",
        **claims,
    }
    return {name: value for name, value in result.items() if value is not None}


def revocation(key: Ed25519PrivateKey, at: datetime, /, **claims: Any) -> dict[str, Any]:
    """Return the claims that revoke `key`, changed by `claims`."""
    return {"keyId": key_id_of(public(key)), "reason": "compromised", "at": to_text(at), **claims}
