"""The pack file: JSON Lines in one exact byte form (docs/specs/pack.md, section 2), read; both versions.

Reading never stops at the first damaged line: a pack is judged as a whole, so every damage becomes a `Failure`.
Only a file whose first line is no header of ours is refused as `MalformedInput`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import pairwise
from typing import Any

from ringfence.kernel import digest, identifier
from ringfence.kernel.clock import from_text
from ringfence.kernel.commitment import Opening, parse_opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import parse as parse_envelope
from ringfence.kernel.errors import MalformedInput
from ringfence.ledger.entry import MAX_ENTRY
from ringfence.ledger.model import Anchors
from ringfence.ledger.succession import listed
from ringfence.reports.model import AnyRecord, Extent, Failure, Header, Outline, ProvenHead, Record
from ringfence.reports.values import count, decode_hash, decode_hashes, parse_token

FORMATS = {"urn:ringfence:pack:v1": 1, "urn:ringfence:pack:v2": 2}
MAX_PACK = 512 * 2**20  # the file is read into memory; a year of a busy tenant stays well below
MAX_LINE = 8 * 2**20  # the largest honest record: an envelope, its readable copy, and 4 MiB of details in base64
MAX_RECORDS = 250_000  # what fits into MAX_PACK at about 2 KiB each
MAX_HEADS = 10_000  # a head a day for 27 years
MAX_ANCHORS = 64  # of one kind, on one head
MAX_STAMPS = 16_384  # in one pack: to verify one costs a millisecond
_HEADER = {"asOf", "demo", "format", "log", "logKeys", "records", "root", "size", "tenant"}
_RECORD = {"entry", "envelope", "opening", "proof", "recordedAt", "statement"}
_ANCHORS = {"cosignatures", "timestamps"}
_HEADER_2 = _HEADER | {"openings", "scope", "tenantSalt"}
_HEADERS = {1: (_HEADER,), 2: (_HEADER_2, _HEADER_2 | {"successions"})}
_OUTLINE = {"entry", "envelopeDigest", "proof", "recordedAt", "tenantSequence"}


class Kind(IntEnum):
    """The kinds of line below the header, in the order in which they stand."""

    RECORD = 1
    STATUS = 2
    HEAD = 3
    CHECKPOINT = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was read: its number in the file, its kind, and its JSON."""

    number: int
    kind: Kind
    document: Mapping[str, Any]
    data: bytes

    @property
    def record(self) -> int:
        """Return the number by which messages call the record on this line."""
        return self.number - 1


@dataclass(frozen=True, slots=True)
class Contents:
    """A pack as read: what could be read, and what could not."""

    header: Header
    lines: tuple[Line, ...]
    failures: tuple[Failure, ...]

    def of(self, kind: Kind) -> list[Line]:
        """Return the lines of one kind."""
        return [line for line in self.lines if line.kind is kind]


def read(data: bytes, *, source: str = "") -> Contents:
    """Read a pack.

    Raises:
        MalformedInput: the file is too large, or its first line is no header of a pack.
    """
    if len(data) > MAX_PACK:
        raise MalformedInput(f"the file has {len(data)} bytes; a pack has at most {MAX_PACK}", source=source)
    if data.count(b"\n") > MAX_RECORDS + MAX_HEADS + 3:
        raise MalformedInput("the file has more lines than a pack can have", source=source)
    first, *rest = data.split(b"\n")
    header = _header(first, source)
    ended = bool(rest) and rest[-1] == b""
    read_lines = [_line(number, line, header) for number, line in enumerate(rest[:-1] if ended else rest, start=2)]
    lines = tuple(item for item in read_lines if isinstance(item, Line))
    if sum(map(_stamps, lines)) > MAX_STAMPS:
        raise MalformedInput(f"a pack holds at most {MAX_STAMPS} time stamps", source=source)
    failures = [item for item in read_lines if isinstance(item, Failure)]
    if not ended:
        failures.append(Failure("the last line does not end: the file was cut"))
    return Contents(header, lines, (*failures, *_shape(lines, read_lines, header)))


def _stamps(line: Line) -> int:
    head = line.document.get("head", line.document)
    tokens = head.get("timestamps") if isinstance(head, dict) else None
    return len(tokens) if isinstance(tokens, list) else 0


def _header(line: bytes, source: str) -> Header:
    document = digest.loads(line, source=source, limit=MAX_LINE)
    version = (
        FORMATS.get(document["format"]) if isinstance(document, dict) and _is_text(document.get("format")) else None
    )
    if version is None:
        raise MalformedInput(f"not a pack: the first line says none of {', '.join(FORMATS)}", source=source, line=1)
    if document.keys() not in _HEADERS[version] or digest.dumps(document) != line:
        raise MalformedInput("the header is not in its one byte form (docs/specs/pack.md)", source=source, line=1)
    match document:
        case {"demo": bool() as demo, "logKeys": [str() as classical, str() as post_quantum], **others}:
            pass
        case _:
            raise MalformedInput("demo is true or false, and logKeys two verifier keys", source=source, line=1)
    header = Header(
        tenant=identifier.tenant(others["tenant"]),
        log=identifier.log_origin(others["log"]),
        as_of=from_text(others["asOf"]),
        demo=demo,
        records=count(others["records"], "records", MAX_RECORDS),
        size=count(others["size"], "size", MAX_ENTRY),
        root=decode_hash(others["root"]),
        log_keys=(classical, post_quantum),
    )
    if version == 1:
        return header
    salt = others["tenantSalt"]
    return replace(
        header,
        extent=_extent(others["openings"], others["scope"]),
        tenant_salt=salt if salt is None else decode_hash(salt),
        successions=listed(others["successions"]) if "successions" in others else (),
    )


def _extent(openings: object, scope: object) -> Extent:
    """Parse which openings travel, and which evidence types are in full."""
    if not isinstance(openings, str):
        raise MalformedInput("openings are named by a word")
    match scope:
        case None:
            return Extent(openings)
        case {"controls": list() as controls, "predicates": list() as predicates, **others} if not others:
            known = tuple(identifier.predicate_name(name) for name in predicates)
            ordered = all(_is_text(name) for name in controls) and all(
                a < b for a, b in (*pairwise(controls), *pairwise(known))
            )
            if not known or not ordered:
                raise MalformedInput("a scope names controls and predicates, each once and in order")
            return Extent(openings, tuple(controls), known)
        case _:
            raise MalformedInput("a scope is null, or controls and predicates")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _line(number: int, line: bytes, header: Header) -> Line | Failure:
    """Return the line, or why it cannot be used: as a record's failure where a record must stand."""
    record = number - 1 if number - 1 <= header.records else None
    try:
        document = _canonical(line)
        kind = _kind(document, _KINDS[header.version])
    except MalformedInput as error:
        return Failure(f"line {number}: {error}", record=record)
    return Line(number, kind, document, line)


def _canonical(line: bytes) -> Any:
    document = digest.loads(line, limit=MAX_LINE)
    if digest.dumps(document) != line:
        raise MalformedInput("not in its one byte form (docs/specs/pack.md)")
    return document


_KINDS = {
    1: ((Kind.RECORD, _RECORD), (Kind.STATUS, {"status"}), (Kind.HEAD, {"head"}), (Kind.CHECKPOINT, {"checkpoint"})),
    2: (
        (Kind.RECORD, _RECORD | {"tenantSequence"}),
        (Kind.RECORD, _OUTLINE),
        (Kind.STATUS, {"status"}),
        (Kind.HEAD, {"head"}),
        (Kind.CHECKPOINT, {"checkpoint", *_ANCHORS}),
    ),
}


def _kind(document: object, kinds: Sequence[tuple[Kind, set[str]]]) -> Kind:
    names = document.keys() if isinstance(document, dict) else set()
    for kind, expected in kinds:
        if names == expected:
            return kind
    raise MalformedInput("neither a record nor a status, head or checkpoint")


def _shape(lines: tuple[Line, ...], everything: list[Line | Failure], header: Header) -> Iterator[Failure]:
    """Yield what is wrong with the number and the order of the lines."""
    damaged = sum(isinstance(item, Failure) and item.record is not None for item in everything)
    records = damaged + sum(line.kind is Kind.RECORD for line in lines)
    if records != header.records:
        yield Failure(f"the header counts {header.records} records, but the pack holds {records}")
    for kind in (Kind.STATUS, Kind.CHECKPOINT):
        found = sum(line.kind is kind for line in lines)
        if found != 1:
            yield Failure(f"a pack has one {kind.name.lower()} line, this one has {found}")
    for before, line in pairwise(lines):
        if line.kind < before.kind:
            yield Failure(f"line {line.number}: a {line.kind.name.lower()} line stands out of its order")


def parse_record(document: Mapping[str, Any], header: Header) -> tuple[AnyRecord, list[str]]:
    """Parse the JSON of a record line; return it with the reasons why it is not right although it can be read.

    Raises:
        MalformedInput: it cannot be read.
    """
    entry, at = count(document["entry"], "entry", MAX_ENTRY), from_text(document["recordedAt"])
    proof = decode_hashes(document["proof"])
    if "envelopeDigest" in document:
        value = Digest.parse(document["envelopeDigest"])
        sequence = count(document["tenantSequence"], "tenantSequence", MAX_ENTRY)
        if str(value) != document["envelopeDigest"]:
            raise MalformedInput("a digest is written as sha256: and 64 digits")
        unasked = [] if header.extent and header.extent.scoped else ["only its digest is here, in a pack of everything"]
        return Outline(entry, at, value, proof, sequence), unasked
    envelope = parse_envelope(digest.dumps(document["envelope"]))
    record = Record(
        entry, at, envelope, proof, _opening(document["opening"]), _sequence(document.get("tenantSequence"))
    )
    reasons = []
    if digest.dumps(document["statement"]) != digest.dumps(digest.loads(envelope.payload)):
        reasons.append("the readable statement is not the one that was signed")
    return record, [*reasons, *_opening_reasons(record, header.extent)]


def _sequence(value: object) -> int | None:
    return None if value is None else count(value, "tenantSequence", MAX_ENTRY)


def _opening_reasons(record: Record, extent: Extent | None) -> Iterator[str]:
    if record.opening is None:
        return
    if record.opening.commitment != record.envelope.statement.details:
        yield "the details do not match the commitment that was signed"
    if extent is not None and extent.openings == "none":
        yield "its details are here, in a pack that is said to hold none"


def _opening(value: object) -> Opening | None:
    if value is None:
        return None
    opening = parse_opening(value) if isinstance(value, str) else None
    if opening is None or opening.to_text() != value:
        raise MalformedInput("an opening is null or canonical base64")
    return opening


def parse_head(document: Mapping[str, Any], header: Header) -> ProvenHead:
    """Parse the JSON of a head line, or raise `MalformedInput`."""
    match document["head"]:
        case {"size": int() as size, "root": root, "proof": proof, **others} if header.version == 1 and not others:
            return ProvenHead(count(size, "size", MAX_ENTRY), decode_hash(root), decode_hashes(proof))
        case {"size": int() as size, "root": root, "proof": proof, "note": str() as note, **others} if (
            header.version == 2 and others.keys() == _ANCHORS
        ):
            anchors = parse_anchors(others)
            return ProvenHead(count(size, "size", MAX_ENTRY), decode_hash(root), decode_hashes(proof), note, anchors)
        case _:
            raise MalformedInput("a head has a size, a root and a proof; since version 2 also a note and its anchors")


def parse_anchors(document: Mapping[Any, Any]) -> Anchors:
    """Parse what others said of a head; none in packs of version 1. Nothing is verified."""
    lines, tokens = document.get("cosignatures", []), document.get("timestamps", [])
    if not isinstance(lines, list) or not isinstance(tokens, list) or max(len(lines), len(tokens)) > MAX_ANCHORS:
        raise MalformedInput(f"cosignatures and timestamps are lists of at most {MAX_ANCHORS}")
    if not all(_is_text(line) for line in lines):
        raise MalformedInput("a cosignature is a line of text")
    return Anchors(tuple(lines), tuple(parse_token(token) for token in tokens))
