"""The receipt of one answer: its record, the proof that it is in a signed segment, and where the log has that one.

Format: docs/specs/receipt.md. Here the record is held against its segment, and against bytes that a caller kept;
whether the segment's key counts, and whether the log holds it, needs a trust file: `ringfence verify`.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.gateway import records, segment
from ringfence.gateway.commitments import SALT_SIZE, ResponseCommitment, commitment, opening_commitment
from ringfence.gateway.records import Record
from ringfence.gateway.segment import MAX_PATH, Closing
from ringfence.kernel import digest
from ringfence.kernel import envelope as dsse
from ringfence.kernel.digest import SIZE
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput, VerificationFailed

FORMAT = "urn:ringfence:receipt:v1"
MAX_RECEIPT = 256 * 2**10  # three small envelopes, a checkpoint of 5 KB and some 80 hashes, several times


@dataclass(frozen=True, slots=True)
class Receipt:
    """A parsed receipt; parsing proves nothing."""

    record: Record
    leaf: bytes  # the bytes of the record
    envelope: Envelope  # of the segment
    index: int  # within the segment
    path: tuple[bytes, ...]
    log: Mapping[str, Any]  # where the log has the segment: opaque here


def build(leaf: bytes, salt: bytes, envelope: Envelope, index: int, path: Sequence[bytes], log: bytes) -> bytes:
    """Print the receipt of record `index` of its segment; `log` is JSON, printed by the log."""
    return digest.dumps(
        {
            "format": FORMAT,
            "record": digest.loads(leaf),
            "opening": {"salt": _text(salt)} if salt else None,
            "segment": {
                "envelope": digest.loads(envelope.data),
                "index": index,
                "path": [_text(each) for each in path],
            },
            "log": digest.loads(log),
        }
    )


def is_receipt(data: bytes) -> bool:
    """Say whether a file claims to be a receipt: whether parsing it as one is worth while."""
    return (
        len(data) <= MAX_RECEIPT and FORMAT.encode() in data and b"urn:ringfence:pack:" not in data.partition(b"\n")[0]
    )


def parse(data: bytes, *, source: str = "") -> Receipt:
    """Parse a receipt strictly, or raise `MalformedInput`."""
    document = digest.loads(data, source=source, limit=MAX_RECEIPT)
    try:
        return _receipt(document)
    except MalformedInput as error:
        raise MalformedInput(str(error), source=source) from error


def _receipt(document: Any) -> Receipt:
    match document:
        case {
            "format": str() as kind,
            "record": dict() as record,
            "opening": dict() | None as opening,
            "segment": {"envelope": dict() as envelope, "index": int() as index, "path": list() as path, **more},
            "log": dict() as log,
            **extra,
        } if kind == FORMAT and not extra and not more and not isinstance(index, bool):
            pass
        case _:
            raise MalformedInput(f"not a receipt: format {FORMAT!r}, record, opening, segment and log")
    if len(path) > MAX_PATH:
        raise MalformedInput(f"a path within a segment has at most {MAX_PATH} hashes")
    parsed = records.from_document(record, salt=_salt(opening))
    hashes = tuple(_bytes(item, SIZE, "a hash of the path") for item in path)
    return Receipt(parsed, records.to_bytes(parsed), dsse.parse(digest.dumps(envelope)), index, hashes, log)


def _salt(opening: Mapping[str, Any] | None) -> bytes:
    if opening is None:
        return b""
    if opening.keys() != {"salt"}:
        raise MalformedInput("the opening of a receipt is its salt")
    return _bytes(opening["salt"], SALT_SIZE, "the salt")


def check_record(receipt: Receipt, public_key: bytes) -> Closing:
    """Check the record against its segment, which `public_key` signed; return what was signed about the segment.

    Raises:
        VerificationFailed: the signature, the path, the tenant, the number or the opening is not right.
    """
    record = receipt.record
    closing = segment.closing_of(receipt.envelope, public_key)
    segment.verify_inclusion(receipt.leaf, receipt.index, receipt.path, closing)
    if record.admitted.terms.tenant != receipt.envelope.statement.issuance.tenant:
        raise VerificationFailed("the record is of another tenant than its segment")
    if record.number > closing.admitted:
        raise VerificationFailed("the record has a higher number than the segment has admissions")
    salt = record.admitted.salt
    if salt and not hmac.compare_digest(opening_commitment(salt), record.admitted.opening):
        raise VerificationFailed("the salt in the receipt is not the one that the record commits to")
    return closing


def check_request(record: Record, body: bytes) -> str:
    """Return a sentence once `body` is shown to be the body that was asked with; raise `VerificationFailed`."""
    if not hmac.compare_digest(commitment(_opened(record), body), record.admitted.request_commitment):
        raise VerificationFailed("these are not the bytes of the request that the record commits to")
    return "the request is the one that the record commits to, byte for byte"


def check_response(record: Record, body: bytes) -> str:
    """Return a sentence about what `body` is of the answer that was sent; raise `VerificationFailed` where it is not.

    Of a stream it may go on behind what was recorded, or end after the last whole event that was.
    """
    salt, finished = _opened(record), record.finished
    if not finished.response_commitment:
        raise VerificationFailed("the record does not know what was sent: the gateway died meanwhile")
    if hmac.compare_digest(commitment(salt, body), finished.response_commitment):
        return "the response is the one that the record commits to, byte for byte"
    if not finished.chain:
        raise VerificationFailed("these are not the bytes of the response that the record commits to")
    return _check_events(salt, body, finished.events, finished.chain)


def _check_events(salt: bytes, body: bytes, count: int, chain: bytes) -> str:
    events = _events(body)
    if len(events) < count:
        raise VerificationFailed(
            f"the record commits to {count} events, these bytes hold {len(events)} whole ones: keep them all"
        )
    found = ResponseCommitment(salt)
    for event in events[:count]:
        found.event(event)
    if not hmac.compare_digest(found.chain, chain):
        raise VerificationFailed("these are not the events that the record commits to")
    return f"the first {count} events are those that the record commits to"


def _events(body: bytes) -> list[bytes]:
    """Cut a stream behind the empty lines that end its events; it keeps to one kind of line ending."""
    ending = next((each for each in (b"\n\n", b"\r\n\r\n", b"\r\r") if each in body), b"\n\n")
    return [part + ending for part in body.split(ending)[:-1]]


def _opened(record: Record) -> bytes:
    if not record.admitted.salt:
        raise VerificationFailed("the opening of this record was erased: nobody can show any more what was said")
    return record.admitted.salt


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: Any, size: int, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError) as error:
        raise MalformedInput(f"{what} is not base64: {error}") from error
    if len(data) != size or _text(data) != text:
        raise MalformedInput(f"{what} is base64 of {size} bytes, in the one form that base64 prints")
    return data
