"""Statements that the passkey of a software authenticator signed, without a server in between."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ringfence.identity.signin.browser import Asserted
from ringfence.identity.signin.ceremony import encoded
from ringfence.kernel import assertion
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope, assemble, key_id_of, pae
from ringfence.kernel.identifier import KeyId, PredicateName
from ringfence.kernel.statement import Draft, Issuance, Statement, Strength, Subject, to_payload
from ringfence.ledger import note
from ringfence.testing.authenticator import Authenticator
from ringfence.testing.clock import START
from ringfence.testing.keys import ORIGIN, TENANT

RP_ID = "localhost"


def point(key: Authenticator) -> bytes:
    """Return the public key of a passkey."""
    return key.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def id_of(key: Authenticator) -> KeyId:
    """Return the id of a passkey as an issuer."""
    return key_id_of(point(key))


def subject_of(key: Authenticator) -> Subject:
    """Return the subject of statements about a passkey."""
    return Subject(f"key/{id_of(key)[:16]}", Digest.parse(id_of(key)))


def signature_of(key: Authenticator, message: bytes, *, rp_id: str = RP_ID) -> bytes:
    """Return what stands for the signature of a message."""
    options = {"challenge": encoded(assertion.challenge_of(message)), "rpId": rp_id}
    answer = Asserted.model_validate(key.get(options)).parsed()
    return assertion.from_browser(answer.authenticator_data, answer.client_data, answer.signature).encode()


def sign(key: Authenticator, statement: Statement, *, rp_id: str = RP_ID) -> Envelope:
    """Sign a statement that names the passkey as its issuer."""
    payload = to_payload(statement)
    return assemble(payload, id_of(key), signature_of(key, pae(payload), rp_id=rp_id))


def state(
    key: Authenticator, predicate: str, claims: Mapping[str, Any], subject: Subject, *, sequence: int = 1
) -> Envelope:
    """Sign a documented statement of a made-up tenant."""
    issuance = Issuance(
        TENANT, ORIGIN, id_of(key), Strength.DOCUMENTED, sequence, "00" * 16, f"{predicate}-{sequence}", START
    )
    return sign(key, Statement(PredicateName(predicate), (subject,), claims, issuance))


def enrolment(key: Authenticator, person: str, /, **claims: Any) -> dict[str, Any]:
    """Return the claims that enrol a passkey for a year, changed by `claims`; a claim of None is left out."""
    result = {
        "role": "operator",
        "algorithm": assertion.ALGORITHM,
        "publicKey": note.encode_base64(point(key)),
        "validFrom": to_text(START),
        "validUntil": to_text(START + timedelta(days=365)),
        "custody": "authenticator",
        "person": person,
        "rpId": RP_ID,
        "origin": key.origin,
        "enrolledBy": person,
        **claims,
    }
    return {name: value for name, value in result.items() if value is not None}


def issued(key: Authenticator, draft: Draft, *, tenant: Any, log: Any, sequence: int, at: datetime) -> Statement:
    """Return a statement of a draft as a passkey issues it."""
    issuance = Issuance(tenant, log, id_of(key), draft.strength, sequence, "11" * 16, f"act-{sequence}", at)
    return draft.issued(issuance)
