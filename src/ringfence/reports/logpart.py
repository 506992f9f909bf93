"""The log's part of a receipt: where the log has the segment, and the enrolment of the key that signed it.

Format: docs/specs/receipt.md, section 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel import envelope as dsse
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import InternalError, MalformedInput, VerificationFailed
from ringfence.kernel.identifier import KeyId, Tenant
from ringfence.ledger import note, tree
from ringfence.ledger.entry import Place, encode
from ringfence.ledger.issuers import ENROLLED
from ringfence.ledger.model import LoggedStatement, Standing
from ringfence.ledger.proof import MAX_HASHES
from ringfence.ledger.succession import listed
from ringfence.reports.ports import Proofs


@dataclass(frozen=True, slots=True)
class Logged:
    """A statement as a receipt shows it to be in the log."""

    entry: int
    recorded_at: datetime
    proof: tuple[bytes, ...]
    envelope: Envelope
    place: Place | None = None  # None: an entry of version 1

    @property
    def leaf(self) -> bytes:
        """Return the leaf hash of the entry."""
        return tree.leaf_hash(encode(self.recorded_at, self.envelope.digest, self.place))


@dataclass(frozen=True, slots=True)
class LogPart:
    """Where the log has the segment, and the enrolment of the key that signed it."""

    checkpoint: str
    segment: Logged
    enrolment: Logged
    successions: tuple[Envelope, ...] = ()  # by which the log's keys were replaced, as the root signed them


def log_part(log: Proofs, tenant: Tenant, segment: LoggedStatement) -> bytes:
    """Print where the published log has a segment of a tenant and the enrolment of its key."""
    return digest.dumps(log_document(log, tenant, segment)[0])


def log_document(log: Proofs, tenant: Tenant, segment: LoggedStatement) -> tuple[dict[str, Any], int]:
    """Return the same before it is printed, and the size of the log of which it speaks."""
    signed = log.head()
    size = signed.checkpoint.size
    enrolment = _enrolment(log, tenant, segment.envelope.signer)
    if max(segment.entry, enrolment.entry) >= size:
        raise InternalError("a receipt was asked for before its segment was published")
    document = {
        "checkpoint": signed.note,
        "segment": _place(log, segment, size),
        "enrolment": whole(log, enrolment, size),
    }
    replaced = [digest.loads(envelope.data) for envelope in log.successions(tenant)]
    return document | ({"successions": replaced} if replaced else {}), size


def _enrolment(log: Proofs, tenant: Tenant, key: KeyId) -> LoggedStatement:
    for logged in log.statements(tenant, (ENROLLED,)):
        if logged.standing is Standing.TRUSTED and logged.envelope.statement.subjects[0].digest.hex == key:
            return logged
    raise VerificationFailed(f"the root never enrolled the gateway's key {key[:16]}… for this tenant")


def whole(log: Proofs, logged: LoggedStatement, size: int) -> dict[str, Any]:
    """Print a statement, and where the log of this size has it."""
    return {**_place(log, logged, size), "envelope": digest.loads(logged.envelope.data)}


def _place(log: Proofs, logged: LoggedStatement, size: int) -> dict[str, Any]:
    proof = log.inclusion_proof(logged.entry, size)
    document = {
        "entry": logged.entry,
        "recordedAt": to_text(logged.recorded_at),
        "proof": [note.encode_base64(item) for item in proof],
    }
    if logged.place is None:
        return document
    return document | {"tag": note.encode_base64(logged.place.tag), "tenantSequence": logged.place.sequence}


def parse_log_part(document: Mapping[str, Any], segment: Envelope) -> LogPart:
    """Parse the log's part of a receipt strictly, or raise `MalformedInput`."""
    match document:
        case {
            "checkpoint": str() as text,
            "segment": dict() as place,
            "enrolment": {"envelope": _, **_place_of_key} as enrolment,
            **extra,
        } if extra.keys() <= {"successions"}:
            replaced = map(dsse.parse, listed(extra["successions"]) if extra else ())
            return LogPart(text, _logged(place, segment), parse_whole(enrolment), tuple(replaced))
        case _:
            raise MalformedInput("the log's part of a receipt is checkpoint, segment and enrolment")


def parse_whole(document: object) -> Logged:
    """Parse what `whole` prints, or raise `MalformedInput`."""
    match document:
        case {"envelope": dict() as envelope, **rest}:
            place = {str(name): value for name, value in rest.items()}
            return _logged(place, dsse.parse(digest.dumps(envelope)))
        case _:
            raise MalformedInput("a statement and its place in the log is an envelope with entry and proof")


def _logged(document: Mapping[str, Any], envelope: Envelope) -> Logged:
    match document:
        case {"entry": int() as entry, "recordedAt": str() as at, "proof": list() as proof, **rest} if (
            not isinstance(entry, bool) and len(proof) <= MAX_HASHES
        ):
            hashes = tuple(note.decode_base64(_text(item), "a hash of the proof") for item in proof)
            return Logged(entry, from_text(at), hashes, envelope, _numbered(rest))
        case _:
            raise MalformedInput("a place in the log is entry, recordedAt and proof")


def _numbered(rest: Mapping[str, Any]) -> Place | None:
    """Parse the place among the tenant's statements; an entry of version 1 has none."""
    match rest:
        case {"tag": str() as tag, "tenantSequence": int() as sequence, **extra} if not extra and sequence is not True:
            return Place(note.decode_base64(tag, "the tag of the tenant"), sequence)
        case _ if not rest:
            return None
        case _:
            raise MalformedInput("a place in the log is entry, recordedAt and proof, and since version 2 a number")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise MalformedInput("a hash of a proof is base64 text")
    return value
