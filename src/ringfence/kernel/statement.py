"""in-toto Statement v1 as Ringfence fills it: subjects, issuance, claims.

Format: docs/specs/statement.md. A statement is what is signed; the signed bytes are kept beside the parsed view
and never printed again from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from ringfence.kernel import digest, identifier
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import KeyId, LogOrigin, PredicateName, Tenant

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
MAX_PAYLOAD = 256 * 2**10  # assessable facts are small; details belong into side records
MAX_SUBJECTS = 1024


class Strength(IntEnum):
    """How much stands behind a statement, weakest first (docs/specs/statement.md, section 4)."""

    DECLARED = 1
    DOCUMENTED = 2
    OBSERVED = 3
    COUNTERSIGNED = 4
    LAB_ATTESTED = 5  # a software TPM: counts only in demo tenants
    ATTESTED = 6

    @property
    def text(self) -> str:
        """Return the name as it stands in a statement."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def parse(cls, text: object) -> "Strength":
        """Parse the name as it stands in a statement."""
        for strength in cls:
            if strength.text == text:
                return strength
        raise MalformedInput(f"{str(text)[:40]!r} is not a strength")


class KeyRole(StrEnum):
    """What a signing key is for; a key has one role for ever."""

    ROOT = "root"
    CONTROL_PLANE = "control-plane"
    LEDGER = "ledger"
    OPERATOR = "operator"
    EMERGENCY = "emergency"
    GATEWAY = "gateway"

    def may_claim(self, strength: Strength) -> bool:
        """Return whether a key of this role can stand behind a strength.

        `countersigned` takes another party's key, and none of these is one. What hardware says is looked at, and passed
        on, by the control plane alone.
        """
        passed_on = self is KeyRole.CONTROL_PLANE and strength is not Strength.COUNTERSIGNED
        return strength <= Strength.OBSERVED or passed_on


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing named by its digest; `name` is an opaque local name, never a person's."""

    name: str
    digest: Digest

    @classmethod
    def of_key(cls, key: KeyId) -> "Subject":
        """Return the subject of a statement about a signing key."""
        return cls(f"key/{key[:16]}", Digest.parse(key))


@dataclass(frozen=True, slots=True)
class Draft:
    """What a decision wants stated; issuance is added by whoever signs it.

    `details` is the erasable side record: it leaves only a salted commitment in the envelope.
    """

    predicate: PredicateName
    subjects: tuple[Subject, ...]
    claims: Mapping[str, Any]
    strength: Strength
    details: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str = ""

    def issued(self, issuance: "Issuance", commitment: Digest | None = None) -> "Statement":
        """Return the statement that this is once it is issued; `commitment` is that to the side record."""
        return Statement(self.predicate, self.subjects, self.claims, issuance, commitment)


@dataclass(frozen=True, slots=True)
class Issuance:
    """Who issued a statement, where, how strong, and where it stands in its issuer's sequence."""

    tenant: Tenant
    log: LogOrigin
    issuer: KeyId
    strength: Strength
    sequence: int  # 1, 2, 3 … without a gap per (tenant, issuer)
    nonce: str  # 32 hexadecimal digits
    idempotency_key: str
    issued_at: datetime
    demo: bool = False
    late: bool = False  # written to the emergency journal first


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it is signed."""

    predicate: PredicateName
    subjects: tuple[Subject, ...]
    claims: Mapping[str, Any]
    issuance: Issuance
    details: Digest | None = None  # salted commitment to the side record


def to_payload(statement: Statement) -> bytes:
    """Print the bytes to be signed."""
    issuance = statement.issuance
    head: dict[str, Any] = {
        "tenant": issuance.tenant,
        "log": issuance.log,
        "issuer": issuance.issuer,
        "strength": issuance.strength.text,
        "sequence": issuance.sequence,
        "nonce": issuance.nonce,
        "idempotencyKey": issuance.idempotency_key,
        "issuedAt": to_text(issuance.issued_at),
    }
    head |= {name: True for name, holds in (("demo", issuance.demo), ("late", issuance.late)) if holds}
    predicate: dict[str, Any] = {"issuance": head, "claims": dict(statement.claims)}
    if statement.details is not None:
        predicate["details"] = str(statement.details)
    payload = digest.dumps(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": s.name, "digest": {"sha256": s.digest.hex}} for s in statement.subjects],
            "predicateType": identifier.predicate_type(statement.predicate),
            "predicate": predicate,
        }
    )
    parse_payload(payload)  # what we cannot read back must never be signed
    return payload


def parse_payload(payload: bytes, *, source: str = "") -> Statement:
    """Parse signed bytes into a statement, or raise `MalformedInput`."""
    document = digest.loads(payload, source=source, limit=MAX_PAYLOAD)
    try:
        return _statement(document)
    except MalformedInput as error:
        raise MalformedInput(str(error), source=source) from error


def _statement(document: Any) -> Statement:
    match document:
        case {
            "_type": str() as kind,
            "subject": list() as subjects,
            "predicateType": str() as predicate_type,
            "predicate": {"issuance": dict() as issuance, "claims": dict() as claims, **rest},
            **extra,
        } if not extra and rest.keys() <= {"details"} and kind == STATEMENT_TYPE:
            return Statement(
                predicate=identifier.from_predicate_type(predicate_type),
                subjects=_subjects(subjects),
                claims=claims,
                issuance=_issuance(issuance),
                details=Digest.parse(rest["details"]) if "details" in rest else None,
            )
        case _:
            raise MalformedInput("not a statement of ours: see docs/specs/statement.md for its fields")


def _subjects(values: list[Any]) -> tuple[Subject, ...]:
    if not 1 <= len(values) <= MAX_SUBJECTS:
        raise MalformedInput(f"a statement has 1 to {MAX_SUBJECTS} subjects, not {len(values)}")
    return tuple(_subject(value) for value in values)


def _subject(value: Any) -> Subject:
    match value:
        # Names reach the terminals of others: printable ASCII cannot carry escape sequences or look-alikes.
        case {"name": str() as name, "digest": {"sha256": str() as text, **others}, **extra} if (
            not others and not extra and 1 <= len(name) <= 256 and name.isascii() and name.isprintable()
        ):
            return Subject(name, Digest.parse(text))
        case _:
            raise MalformedInput("a subject has a printable ASCII name and one SHA-256 digest, nothing else")


_HEX = frozenset("0123456789abcdef")


def _issuance(value: dict[str, Any]) -> Issuance:
    required = {"tenant", "log", "issuer", "strength", "sequence", "nonce", "idempotencyKey", "issuedAt"}
    if not required <= value.keys() <= required | {"demo", "late"}:
        raise MalformedInput("issuance has the fields " + ", ".join(sorted(required)) + ", and demo and late if true")
    sequence, nonce, key = value["sequence"], value["nonce"], value["idempotencyKey"]
    if type(sequence) is not int or sequence < 1:
        raise MalformedInput("issuance.sequence counts from 1")
    if not isinstance(nonce, str) or len(nonce) != 32 or not _HEX.issuperset(nonce):
        raise MalformedInput("issuance.nonce has 32 hexadecimal digits")
    if not isinstance(key, str) or not 1 <= len(key) <= 128:
        raise MalformedInput("issuance.idempotencyKey has 1 to 128 characters")
    if any(value.get(flag, True) is not True for flag in ("demo", "late")):
        raise MalformedInput("issuance.demo and issuance.late are true or absent")
    return Issuance(
        tenant=identifier.tenant(value["tenant"]),
        log=identifier.log_origin(value["log"]),
        issuer=identifier.key_id(value["issuer"]),
        strength=Strength.parse(value["strength"]),
        sequence=sequence,
        nonce=nonce,
        idempotency_key=key,
        issued_at=from_text(value["issuedAt"]),
        demo="demo" in value,
        late="late" in value,
    )
