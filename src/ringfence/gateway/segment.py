"""Segments: many records under one signed root, each provable on its own.

Format: docs/specs/segment.md. The tree is that of RFC 6962, section 2.1; its leaves are the bytes of the records, in
the order in which the answers ended. A segment holds the records of one tenant.
"""

import hmac
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ringfence.gateway.model import Basis
from ringfence.gateway.records import MAX_COUNT, MAX_RECORD, Outcome
from ringfence.kernel.digest import SIZE, Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput, NotFound, VerificationFailed
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Issuance, Statement, Strength, Subject

SEGMENT = PredicateName("inference.segment")
MAX_RECORDS = 10_000  # of all tenants together before a segment closes
MAX_PATH = 14  # the height of a tree of that many leaves
MAGIC = b"ringfence-segment-v1\n"
MAX_FILE = len(MAGIC) + MAX_RECORDS * (4 + MAX_RECORD)
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Closing:
    """What the gateway's key asserts about one closed segment."""

    number: int  # 1, 2, 3 … per tenant
    root: Digest
    records: int
    admitted: int  # by the tenant so far: the highest number of an admission
    finished: int  # by the tenant so far, this segment included; what is missing up to `admitted` was still running
    outcomes: Mapping[Outcome, int]
    bases: Mapping[Basis, int]

    def claims(self) -> dict[str, Any]:
        """Return the claims of the statement."""
        return {
            "segment": self.number,
            "records": self.records,
            "admitted": self.admitted,
            "finished": self.finished,
            "outcomes": {outcome.value: self.outcomes.get(outcome, 0) for outcome in Outcome},
            "bases": {basis.value: self.bases.get(basis, 0) for basis in Basis},
        }


def subject(closing: Closing) -> Subject:
    """Return the root of a segment under its name."""
    return Subject(f"segment/{closing.number}", closing.root)


def state(closing: Closing, issuance: Issuance) -> Statement:
    """Return the statement to be signed."""
    return Statement(SEGMENT, (subject(closing),), closing.claims(), issuance)


def idempotency_key(number: int) -> str:
    """Return the key under which a log takes one closing of a segment, and never a second."""
    return f"segment-{number}"


def read(statement: Statement) -> Closing:
    """Parse an `inference.segment` statement strictly, or raise `MalformedInput`."""
    claims = statement.claims
    if statement.predicate != SEGMENT or statement.details is not None:
        raise MalformedInput(f"a segment is closed by a statement {SEGMENT} without a side record")
    if claims.keys() != {"segment", "records", "admitted", "finished", "outcomes", "bases"}:
        raise MalformedInput(f"{SEGMENT} has other claims than docs/specs/segment.md, section 4, lists")
    number = _count(claims["segment"], "segment", least=1)
    if [each.name for each in statement.subjects] != [f"segment/{number}"]:
        raise MalformedInput(f"the subject of {SEGMENT} is the root of the segment that it names")
    closing = Closing(
        number,
        statement.subjects[0].digest,
        _count(claims["records"], "records", least=1, most=MAX_RECORDS),
        _count(claims["admitted"], "admitted", least=1),
        _count(claims["finished"], "finished", least=1),
        {Outcome(name): count for name, count in _counts(claims["outcomes"], Outcome).items()},
        {Basis(name): count for name, count in _counts(claims["bases"], Basis).items()},
    )
    _check(closing, statement.issuance)
    return closing


def _check(closing: Closing, issuance: Issuance) -> None:
    if not closing.records <= closing.finished <= closing.admitted:
        raise MalformedInput("a segment cannot hold more records than ended, nor more end than were admitted")
    if {sum(closing.outcomes.values()), sum(closing.bases.values())} != {closing.records}:
        raise MalformedInput("the outcomes and the bases of a segment add up to its records")
    if issuance.strength is not Strength.OBSERVED or issuance.idempotency_key != idempotency_key(closing.number):
        raise MalformedInput("a segment is observed by the gateway, and its idempotency key is its number")


def follows(before: Closing | None, closing: Closing) -> Closing:
    """Return `closing` where it can be the next one after `before`; raise `VerificationFailed` where it cannot."""
    number = before.number + 1 if before else 1
    if closing.number != number:
        raise VerificationFailed(f"the next segment has the number {number}, not {closing.number}")
    ended, admitted = (before.finished, before.admitted) if before else (0, 0)
    if closing.finished != ended + closing.records or closing.admitted < admitted:
        raise VerificationFailed(f"segment {number} does not count on from the one before it: records are missing")
    return closing


def _counts(value: Any, names: Iterable[str]) -> dict[str, int]:
    wanted = {str(name) for name in names}
    if not isinstance(value, dict) or value.keys() != wanted:
        raise MalformedInput("a segment counts its records by " + ", ".join(sorted(wanted)))
    return {name: _count(count, name) for name, count in value.items()}


def _count(value: Any, name: str, *, least: int = 0, most: int = MAX_COUNT) -> int:
    if type(value) is not int or not least <= value <= most:
        raise MalformedInput(f"{name} is an integer from {least} to {most}")
    return value


# The file of a segment: its records, each after its length.


def to_bytes(leaves: Iterable[bytes]) -> bytes:
    """Print the file of a segment."""
    return MAGIC + b"".join([_LENGTH.pack(len(leaf)) + leaf for leaf in leaves])


def from_bytes(data: bytes, *, source: str = "") -> list[bytes]:
    """Return the records of a segment's file, unparsed, or raise `MalformedInput`."""
    if not data.startswith(MAGIC) or len(data) > MAX_FILE:
        raise MalformedInput("not a segment of the gateway's journal", source=source)
    leaves, at = [], len(MAGIC)
    while at < len(data):
        length = _LENGTH.unpack_from(data, at)[0] if at + 4 <= len(data) else MAX_RECORD + 1
        leaf = data[at + 4 : at + 4 + length]
        if not 0 < length <= MAX_RECORD or len(leaf) != length:
            raise MalformedInput(f"the segment is damaged at byte {at}", source=source)
        leaves.append(leaf)
        at += 4 + length
    if not 0 < len(leaves) <= MAX_RECORDS:
        raise MalformedInput(f"a segment holds 1 to {MAX_RECORDS} records", source=source)
    return leaves


# The tree over the records: RFC 6962, section 2.1.


def leaf_hash(data: bytes) -> bytes:
    """Hash one record."""
    return sha256(b"\x00" + data).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes, of which there is at least one."""
    return levels_of(leaves)[-1][0]


def path_in(index: int, levels: Sequence[Sequence[bytes]]) -> tuple[bytes, ...]:
    """Prove that leaf `index` is in the tree of these levels, as `levels_of` returns them: PATH(index, D)."""
    if not 0 <= index < len(levels[0]):
        raise NotFound(f"the segment of {len(levels[0])} records has no record {index}")
    path = []
    for level in levels[:-1]:
        sibling = index ^ 1
        if sibling < len(level):  # a last node without sibling moves up as it is
            path.append(level[sibling])
        index >>= 1
    return tuple(path)


def levels_of(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Return every level of the tree over leaf hashes, the leaves first and the root last."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = zip(below[0::2], below[1::2], strict=False)
        above = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
        levels.append([*above, *below[len(above) * 2 :]])
    return levels


def verify_inclusion(leaf: bytes, index: int, path: Sequence[bytes], closing: Closing) -> None:
    """Check that the record whose bytes are `leaf` is number `index` of a closed segment.

    Raises:
        VerificationFailed: the path does not lead from it to the segment's root.
    """
    if not 0 <= index < closing.records or any(len(item) != SIZE for item in path):
        raise VerificationFailed(f"the segment of {closing.records} records has no record {index}")
    node, last, found = index, closing.records - 1, leaf_hash(leaf)
    siblings = list(path)
    while last:
        if node & 1 or node < last:
            if not siblings:
                raise VerificationFailed("the path within the segment is too short")
            sibling = siblings.pop(0)
            pair = sibling + found if node & 1 else found + sibling
            found = sha256(b"\x01" + pair).digest()
        node, last = node >> 1, last >> 1
    if siblings or not hmac.compare_digest(found, closing.root.value):
        raise VerificationFailed("the record is not in the segment: its path does not lead to the signed root")


def closing_of(envelope: Envelope, public_key: bytes) -> Closing:
    """Return what a segment's envelope asserts, once `public_key` is shown to have signed it."""
    return read(envelope.verify(public_key))
