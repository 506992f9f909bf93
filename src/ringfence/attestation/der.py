"""A strict reader of DER (X.690): what certificates and revocation lists are written in.

Our own because makers of hardware sign certificates that libraries refuse, such as AMD's with serial number 0.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from ringfence.kernel.errors import MalformedInput

BOOLEAN, INTEGER, BITS, OCTETS, NULL, OID, ENUMERATED = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A
SEQUENCE, SET, UTC_TIME, GENERALIZED_TIME = 0x30, 0x31, 0x17, 0x18
TEXTS = frozenset({0x0C, 0x13, 0x14, 0x16})  # UTF8String, PrintableString, TeletexString, IA5String
_LONG_FORM, _LOW_TAG, _HIGH_TAG = 0x80, 0x1F, 0x1F
_MAX_LENGTH_BYTES = 3
_MAX_OID = 64
_PIVOT = 50  # RFC 5280, 4.1.2.5.1: two-digit years from 50 on are of the twentieth century
_UTC_TIME = re.compile(rb"\d{12}Z")
_GENERALIZED_TIME = re.compile(rb"\d{14}Z")


@dataclass(frozen=True, slots=True)
class Node:
    """One element: its tag, its content, and all of its bytes."""

    tag: int
    content: bytes
    whole: bytes

    def children(self) -> "Nodes":
        """Return a reader of the elements in it."""
        return Nodes(self.content)

    def expect(self, tag: int, what: str) -> "Node":
        """Return the element itself where it has this tag; raise `MalformedInput` where not."""
        if self.tag != tag:
            raise MalformedInput(f"DER: {what} has the tag 0x{self.tag:02x}, not 0x{tag:02x}")
        return self


class Nodes:
    """Elements one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def more(self) -> bool:
        """Return whether there is another."""
        return self._at < len(self._data)

    @property
    def tag(self) -> int:
        """Return the tag of the next one; -1 at the end."""
        return self._data[self._at] if self.more else -1

    def next(self, tag: int, what: str) -> Node:
        """Return the next element, which has to have this tag."""
        return self.any(what).expect(tag, what)

    def any(self, what: str) -> Node:
        """Return the next element."""
        start = self._at
        head = self._octet(what)
        if head & _LOW_TAG == _HIGH_TAG:
            raise MalformedInput(f"DER: {what} has a tag of several bytes")
        size = self._octet(what)
        if size >= _LONG_FORM:
            count = size - _LONG_FORM
            if not 0 < count <= _MAX_LENGTH_BYTES:
                raise MalformedInput(f"DER: the length of {what} is indefinite or too large")
            size = int.from_bytes(self._octets(count, what))
            if size < _LONG_FORM or size >> (8 * (count - 1)) == 0:
                raise MalformedInput(f"DER: the length of {what} is not in its shortest form")
        content = self._octets(size, what)
        return Node(head, content, self._data[start : self._at])

    def optional(self, tag: int, what: str) -> Node | None:
        """Return the next element where it has this tag."""
        return self.any(what) if self.tag == tag else None

    def rest(self, what: str) -> Iterator[Node]:
        """Yield all elements that are left."""
        while self.more:
            yield self.any(what)

    def end(self, what: str) -> None:
        """Raise `MalformedInput` where elements are left."""
        if self.more:
            raise MalformedInput(f"DER: {what} goes on after its end")

    def _octet(self, what: str) -> int:
        return self._octets(1, what)[0]

    def _octets(self, size: int, what: str) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise MalformedInput(f"DER: {what} ends too early")
        self._at += size
        return taken


def only(data: bytes, tag: int, what: str) -> Node:
    """Parse bytes that are one element of this tag and nothing else."""
    nodes = Nodes(data)
    node = nodes.next(tag, what)
    nodes.end(what)
    return node


def integer(node: Node, what: str) -> int:
    """Return the number of an INTEGER or ENUMERATED in its shortest form."""
    content = node.content
    if not content:
        raise MalformedInput(f"DER: {what} is a number without digits")
    if len(content) > 1 and content[0] in {0x00, 0xFF} and (content[0] ^ content[1]) & 0x80 == 0:
        raise MalformedInput(f"DER: {what} is not in its shortest form")
    return int.from_bytes(content, signed=True)


def boolean(node: Node, what: str) -> bool:
    """Return the value of a BOOLEAN, which DER writes as 0x00 or 0xff."""
    if node.content not in {b"\x00", b"\xff"}:
        raise MalformedInput(f"DER: {what} is neither true nor false")
    return node.content == b"\xff"


def bits(node: Node, what: str) -> bytes:
    """Return the bytes of a BIT STRING that is a whole number of them."""
    if node.content[:1] != b"\x00":
        raise MalformedInput(f"DER: {what} is no whole number of bytes")
    return node.content[1:]


def flags(node: Node, what: str) -> frozenset[int]:
    """Return the numbers of the bits that are set in a BIT STRING."""
    if not node.content or node.content[0] >= 8 or (len(node.content) == 1 and node.content[0]):
        raise MalformedInput(f"DER: {what} is no string of bits")
    data = node.content[1:]
    return frozenset(i for i in range(8 * len(data)) if data[i // 8] & (0x80 >> (i % 8)))


def oid(node: Node, what: str) -> str:
    """Return an object identifier in dotted form."""
    content = node.content
    if not content or len(content) > _MAX_OID or content[-1] & 0x80:
        raise MalformedInput(f"DER: {what} is no object identifier")
    numbers: list[int] = []
    value = 0
    for position, octet in enumerate(content):
        if octet == 0x80 and (position == 0 or not content[position - 1] & 0x80):
            raise MalformedInput(f"DER: {what} is not in its shortest form")
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(str(number) for number in (first, numbers[0] - 40 * first, *numbers[1:]))


def text(node: Node, what: str) -> str:
    """Return the text of a string type; anything else is refused."""
    if node.tag not in TEXTS:
        raise MalformedInput(f"DER: {what} is no text")
    try:
        return node.content.decode()
    except UnicodeDecodeError:
        return node.content.decode("latin-1")  # TeletexString in old roots: shown only, never compared


def instant(node: Node, what: str) -> datetime:
    """Return the instant of a UTCTime or GeneralizedTime in the one form that certificates allow."""
    refused = MalformedInput(f"DER: {what} is no time of a certificate")
    if node.tag == UTC_TIME and _UTC_TIME.fullmatch(node.content):
        digits = node.content.decode()
        century = "19" if int(digits[:2]) >= _PIVOT else "20"
        written = century + digits
    elif node.tag == GENERALIZED_TIME and _GENERALIZED_TIME.fullmatch(node.content):
        written = node.content.decode()
    else:
        raise refused
    try:
        return datetime.strptime(written, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise refused from None
