"""What the root signs of keys: enrolments, and revocations; and the key files of people."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ringfence.identity.model import KEY_LIFE
from ringfence.kernel.actor import Role
from ringfence.kernel.clock import Clock, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import key_id_of
from ringfence.kernel.identifier import KeyId, PersonId, Tenant, key_id
from ringfence.kernel.statement import Draft, KeyRole, Strength, Subject
from ringfence.ledger.issuers import ENROLLED, REVOKED
from ringfence.ledger.model import Standing
from ringfence.ledger.service import Ledger
from ringfence.storage import keyfile
from ringfence.storage.signer import Ed25519Signer

# What serves an installation serves all of its tenants: the root enrols the same keys in each.
SERVICES = frozenset({KeyRole.CONTROL_PLANE, KeyRole.LEDGER, KeyRole.EMERGENCY, KeyRole.GATEWAY})


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person with fresh keys that nobody knows yet."""

    id: PersonId
    name: str
    role: Role
    seed: bytes = field(repr=False)
    token: str = field(repr=False)

    @classmethod
    def make(cls, name: str, role: Role) -> "NewPerson":
        """Draw an opaque id, a signing key and an API token."""
        person = PersonId(f"person-{secrets.token_hex(6)}")
        return cls(person, name, role, secrets.token_bytes(32), f"rf-{secrets.token_urlsafe(32)}")

    @property
    def signer(self) -> Ed25519Signer:
        """Return the person's signing key."""
        return Ed25519Signer.from_seed(self.seed)

    def write(self, folder: Path, passphrase: bytes | None) -> keyfile.KeyFile:
        """Write the person's key file; it is theirs to carry to another machine."""
        named = {"signing": self.seed, "token": self.token.encode()}
        return keyfile.create(folder / f"{self.id}.key", named, passphrase)


def operator_enrolled(person: NewPerson, custody: str, at: datetime) -> Draft:
    """State that a person's key signs as an operator; name and role are in the side record."""
    details = {"name": person.name, "role": person.role.value}
    return _enrolled(person.signer.public_key, KeyRole.OPERATOR, custody, at, {"person": person.id}, details)


def service_enrolled(keys: keyfile.KeyFile, role: KeyRole, at: datetime) -> Draft:
    """State that one of the service keys has its role; the ledger's names its second key too."""
    public = Ed25519Signer.from_seed(keys.secret(role.value)).public_key
    extra: dict[str, str] = {}
    if role is KeyRole.LEDGER:
        second = MLDSA44PrivateKey.from_seed_bytes(keys.secret("ledger-ml-dsa-44")).public_key().public_bytes_raw()
        extra["mlDsa44PublicKey"] = base64.b64encode(second).decode()
    return _enrolled(public, role, keys.custody, at, extra, {})


def revoked(key: KeyId, reason: str, at: datetime) -> Draft:
    """State that a key counts for nothing from a time on."""
    claims = {"keyId": key, "reason": reason, "at": to_text(at)}
    return Draft(REVOKED, (_subject(key),), claims, Strength.DOCUMENTED)


def enrolled_anew(public: bytes, role: KeyRole, custody: str, person: PersonId | None, at: datetime) -> Draft:
    """State that a key takes the place of another one of the same role, and of the same person."""
    return _enrolled(public, role, custody, at, {"person": person} if person else {}, {})


def _enrolled(
    public: bytes, role: KeyRole, custody: str, at: datetime, extra: dict[str, str], details: dict[str, str]
) -> Draft:
    claims = {
        "role": role.value,
        "algorithm": "ed25519",
        "publicKey": base64.b64encode(public).decode(),
        "validFrom": to_text(at),
        "validUntil": to_text(at + KEY_LIFE),
        "custody": custody,
    } | extra
    return Draft(ENROLLED, (_subject(key_id_of(public)),), claims, Strength.DOCUMENTED, details)


def _subject(key: KeyId) -> Subject:
    return Subject(f"key/{key[:16]}", Digest.parse(key))


def service_claims(ledger: Ledger, tenant: Tenant, clock: Clock) -> Mapping[KeyId, Mapping[str, Any]]:
    """Return the service keys that are in force in a tenant, with the claims of their enrolment."""
    issuers, now = ledger.issuers(tenant), clock.now()
    found = {}
    for logged in ledger.statements(tenant, (ENROLLED,)):
        statement = logged.envelope.statement
        key = key_id(statement.subjects[0].digest.hex)
        standing, issuer = issuers.at(key, now)
        if issuer is not None and standing is Standing.TRUSTED and issuer.role in SERVICES:
            found[key] = statement.claims
    return found


def from_claims(claims: Mapping[str, Any]) -> Draft:
    """Return the enrolment of a key that is known already, for another tenant."""
    public = base64.b64decode(str(claims["publicKey"]), validate=True)
    return Draft(ENROLLED, (_subject(key_id_of(public)),), claims, Strength.DOCUMENTED)
