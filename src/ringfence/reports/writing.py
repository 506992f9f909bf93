"""The pack file, written: always of version 2 (docs/specs/pack.md, section 2)."""

from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import InternalError
from ringfence.ledger.model import Anchors
from ringfence.ledger.note import encode_base64
from ringfence.reports.model import AnyRecord, Header, Outline, Pack, ProvenHead

FORMAT = "urn:ringfence:pack:v2"


def write(pack: Pack) -> bytes:
    """Print a pack."""
    documents: list[Any] = [
        _header_document(pack.header),
        *(_record_document(record) for record in pack.records),
        {"status": pack.status},
        *(_head_document(head) for head in pack.heads),
        {"checkpoint": pack.checkpoint, **_anchors(pack.anchors)},
    ]
    return b"".join(digest.dumps(document) + b"\n" for document in documents)


def status_digest(status: Mapping[str, Any]) -> Digest:
    """Return the digest of the status line, which the pack's last record states."""
    return Digest.of(digest.dumps({"status": status}) + b"\n")


def _header_document(header: Header) -> dict[str, Any]:
    extent = header.extent
    if extent is None:
        raise InternalError("packs of version 1 are read and not written any more")
    scope = {"controls": list(extent.controls), "predicates": list(extent.predicates)}
    return {
        "format": FORMAT,
        "tenant": header.tenant,
        "tenantSalt": None if header.tenant_salt is None else encode_base64(header.tenant_salt),
        "log": header.log,
        "asOf": to_text(header.as_of),
        "demo": header.demo,
        "openings": extent.openings,
        "scope": scope if extent.scoped else None,
        "records": header.records,
        "size": header.size,
        "root": encode_base64(header.root),
        "logKeys": list(header.log_keys),
        **({"successions": [digest.loads(data) for data in header.successions]} if header.successions else {}),
    }


def _record_document(record: AnyRecord) -> dict[str, Any]:
    place = {
        "entry": record.entry,
        "recordedAt": to_text(record.recorded_at),
        "tenantSequence": record.sequence,
        "proof": _texts(record.proof),
    }
    if isinstance(record, Outline):
        return place | {"envelopeDigest": str(record.digest)}
    return place | {
        "statement": digest.loads(record.envelope.payload),
        "envelope": digest.loads(record.envelope.data),
        "opening": record.opening.to_text() if record.opening else None,
    }


def _head_document(head: ProvenHead) -> dict[str, Any]:
    document = {"size": head.size, "root": encode_base64(head.root), "proof": _texts(head.proof), "note": head.note}
    return {"head": document | _anchors(head.anchors)}


def _anchors(anchors: Anchors) -> dict[str, Any]:
    return {"cosignatures": list(anchors.cosignatures), "timestamps": _texts(anchors.timestamps)}


def _texts(items: Sequence[bytes]) -> list[str]:
    return [encode_base64(item) for item in items]
