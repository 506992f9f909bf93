"""What the root signs of keys; and the key files of people."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ringfence.identity.model import KEY_LIFE
from ringfence.kernel.actor import Role
from ringfence.kernel.clock import Clock, to_text
from ringfence.kernel.envelope import Envelope, key_id_of
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.identifier import KeyId, PersonId, Tenant, key_id
from ringfence.kernel.statement import Draft, KeyRole, Strength, Subject
from ringfence.ledger.books import pinned, unpinned
from ringfence.ledger.entry import tenant_tag
from ringfence.ledger.issuers import ENROLLED, check_enrolment, start
from ringfence.ledger.model import Issuer, Standing
from ringfence.ledger.service import Ledger
from ringfence.storage import keyfile
from ringfence.storage.numbering import TenantNumbers
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
    return Draft(ENROLLED, (Subject.of_key(key_id_of(public)),), claims, Strength.DOCUMENTED, details)


def in_its_book(numbers: TenantNumbers, draft: Draft, tenant: Tenant) -> Draft:
    """Let an enrolment name the numbering of its tenant, which begins with it where there is none; in a transaction."""
    if draft.predicate != ENROLLED:
        return draft
    return pinned(draft, tenant_tag(numbers.of([tenant])[tenant].salt, tenant))


def service_enrolments(ledger: Ledger, tenant: Tenant, clock: Clock) -> Mapping[KeyId, Envelope]:
    """Return the enrolments of the service keys that are in force in a tenant, as the root signed them."""
    issuers, now = ledger.issuers(tenant), clock.now()
    found = {}
    for logged in ledger.statements(tenant, (ENROLLED,)):
        key = key_id(logged.envelope.statement.subjects[0].digest.hex)
        standing, issuer = issuers.at(key, now)
        if issuer is not None and standing is Standing.TRUSTED and issuer.role in SERVICES:
            found[key] = logged.envelope
    return found


@dataclass(frozen=True, slots=True)
class Known:
    """What whoever holds the root knows without asking the server: its key, and what is to be signed for."""

    root: bytes
    log: str
    tenant: str  # in which the root enrolled the keys first
    at: datetime


def enrolled_again(envelopes: Sequence[Envelope], known: Known) -> list[Draft]:
    """Return the enrolments of service keys, for another tenant; without the first one's book.

    The server says which keys those are, and the root must not sign what a server makes up: each is one that this root
    signed for this log before, of a service, in force, and there is one of each role.

    Raises:
        VerificationFailed: it is anything else.
    """
    issuers = [_enrolled_before(envelope, known) for envelope in envelopes]
    roles = [issuer.role for issuer in issuers]
    if len(set(roles)) != len(roles) or not set(roles) >= SERVICES - {KeyRole.GATEWAY}:
        raise VerificationFailed(f"{_NOT_OURS}: it names not one key of each service")
    return [Draft(ENROLLED, e.statement.subjects, unpinned(e.statement.claims), Strength.DOCUMENTED) for e in envelopes]


_NOT_OURS = "the root signs nothing of what the server sent"


def _enrolled_before(envelope: Envelope, known: Known) -> Issuer:
    try:
        issuer = check_enrolment(start(known.root), known.at, envelope)
    except (MalformedInput, VerificationFailed) as error:
        raise VerificationFailed(f"{_NOT_OURS}: {error}") from error
    statement, issuance = envelope.statement, envelope.statement.issuance
    if statement.predicate != ENROLLED or (issuance.log, issuance.tenant) != (known.log, known.tenant):
        raise VerificationFailed(f"{_NOT_OURS}: an enrolment is of another log or tenant")
    if issuer.role not in SERVICES or issuer.person is not None:
        raise VerificationFailed(f"{_NOT_OURS}: a key is no service's")
    if not issuer.valid_from <= known.at < issuer.valid_until or issuer.valid_until - issuer.valid_from > KEY_LIFE:
        raise VerificationFailed(f"{_NOT_OURS}: a key is not in force by this machine's clock")
    return issuer
