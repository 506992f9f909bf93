"""What the Evidence pages show of a statement, and what a browser is given to check it again."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ringfence.kernel.clock import to_millis
from ringfence.kernel.identifier import KeyId, PredicateName
from ringfence.ledger.anchors.cosignature import parse_key, parse_lines
from ringfence.ledger.custody import ExportedHead, anchored_outside
from ringfence.ledger.model import LoggedStatement, SignedCheckpoint, Standing, Witness
from ringfence.ledger.note import SignatureType
from ringfence.ledger.proof import LogProof

FORMAT = "urn:ringfence:console-proof:v1"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof chip shows before the browser has checked anything."""

    entry: int
    digest: str
    strength: str
    anchored: datetime | None
    auto: bool = False  # check without being asked

    @property
    def address(self) -> str:
        """Return where the material of the check is served."""
        return f"/evidence/{self.entry}/proof.json"


@dataclass(frozen=True, slots=True)
class Row:
    """A statement as the table shows it."""

    entry: int
    recorded_at: datetime
    predicate: PredicateName
    subject: str
    others: int  # how many more subjects there are
    role: str
    standing: Standing
    issuer: KeyId
    demo: bool
    late: bool
    proof: Proof

    @property
    def href(self) -> str:
        """Return the address of the record."""
        return f"/evidence/{self.entry}"

    @property
    def trusted(self) -> bool:
        """Tell whether the statement counts."""
        return self.standing is Standing.TRUSTED


@dataclass(frozen=True, slots=True)
class Details:
    """The side record of a statement: shown, erased, or not the one that was committed to."""

    matches: bool = False
    erased: bool = False
    pairs: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A line by a witness that this installation knows, with its key and who runs it."""

    line: str
    witness: Witness


@dataclass(frozen=True, slots=True)
class Material:
    """A statement with a published head, the path between the two, and the keys that signed the head."""

    logged: LoggedStatement
    head: SignedCheckpoint
    path: tuple[bytes, ...]
    log_keys: tuple[str, str]
    cosignatures: tuple[Cosignature, ...] = ()


def row(logged: LoggedStatement, heads: Sequence[ExportedHead], *, auto: bool = False) -> Row:
    """Return what the table shows of a statement."""
    statement, issuer = logged.envelope.statement, logged.issuer
    first, *others = statement.subjects
    strength = statement.issuance.strength.text
    anchored = anchored_outside(logged.entry, heads)
    return Row(
        entry=logged.entry,
        recorded_at=logged.recorded_at,
        predicate=statement.predicate,
        subject=first.name,
        others=len(others),
        role=issuer.role.value if issuer else "nobody known",
        standing=logged.standing,
        issuer=logged.envelope.signer,
        demo=statement.issuance.demo,
        late=statement.issuance.late,
        proof=Proof(logged.entry, logged.envelope.digest.hex, strength, anchored, auto=auto),
    )


def details(logged: LoggedStatement) -> Details | None:
    """Return the side record of a statement that has one."""
    commitment, opening = logged.envelope.statement.details, logged.opening
    if commitment is None:
        return None
    if opening is None:
        return Details(erased=True)
    if opening.commitment != commitment:
        return Details()
    return Details(matches=True, pairs=tuple(sorted(opening.details.items())))


def proof_document(material: Material) -> dict[str, Any]:
    """Return everything that the browser needs to do the checks itself, and no verdict that it could believe."""
    logged, head = material.logged, material.head
    return {
        "format": FORMAT,
        "entry": logged.entry,
        "size": head.checkpoint.size,
        "recordedAt": to_millis(logged.recorded_at),
        "place": _place_of(logged),
        "envelope": _base64(logged.envelope.data),
        "issuerKey": _base64(logged.issuer.public_key) if logged.issuer else None,
        "passkey": _passkey_of(logged),
        "path": [_base64(item) for item in material.path],
        "checkpoint": head.note,
        "logKeys": list(material.log_keys),
        "cosignatures": [
            {"line": each.line, "vkey": each.witness.vkey, "party": each.witness.party}
            for each in material.cosignatures
        ],
    }


def cosignatures(lines: Sequence[str], witnesses: Sequence[Witness]) -> tuple[Cosignature, ...]:
    """Return the lines by known witnesses that a browser can check: those of Ed25519."""
    known = {
        (key.name, key.key_id): witness
        for witness in witnesses
        for key in [parse_key(witness.vkey)]
        if key.kind is SignatureType.ED25519_COSIGNATURE
    }
    signed = [(line, (parsed.name, parsed.key_id)) for line, parsed in zip(lines, parse_lines(lines), strict=True)]
    return tuple(Cosignature(line, known[signer]) for line, signer in signed if signer in known)


def tlog_proof(material: Material) -> str:
    """Print a C2SP tlog-proof; its extra line is the log's entry, whose time the envelope does not hold."""
    logged = material.logged
    return str(LogProof(logged.entry, material.path, material.head.note, logged.leaf))


def _passkey_of(logged: LoggedStatement) -> dict[str, str] | None:
    issuer = logged.issuer
    return {"rpId": issuer.rp_id, "origin": issuer.origin} if issuer and issuer.origin else None


def _place_of(logged: LoggedStatement) -> dict[str, Any] | None:
    place = logged.place
    return None if place is None else {"tag": _base64(place.tag), "sequence": place.sequence}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
