"""GGUF: a header with metadata, descriptions of tensors, aligned data; walked without loading anything.

Versions 2 and 3, little-endian. A chat template is a program in a template language: it is named, not judged.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ringfence.artifacts.models.cursor import Cursor
from ringfence.artifacts.models.ports import Content
from ringfence.kernel.errors import MalformedInput

MAGIC = b"GGUF"
VERSIONS = frozenset({2, 3})
MAX_TENSORS = 2**17
MAX_KEYS = 2**16
MAX_KEY = 2**16 - 1  # bytes
MAX_NAME = 64  # bytes of a tensor's name, as the format has it
MAX_TEXT = 2**24  # bytes of one text
MAX_ELEMENTS = 2**22  # of all arrays together: some ten times the largest vocabulary known
MAX_DEPTH = 4  # arrays in arrays
MAX_DIMENSIONS = 4
MAX_ALIGNMENT = 2**20
TEMPLATE = "tokenizer.chat_template"
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # of metadata values, by type
_TEXT, _ARRAY, _BOOL, _U32 = 8, 9, 7, 4
# Elements and bytes per block, by the type's number in ggml.
_PLAIN = {0: 4, 1: 2, 24: 1, 25: 2, 26: 4, 27: 8, 28: 8, 30: 2}
_BY_32 = {2: 18, 3: 20, 6: 22, 7: 24, 8: 34, 9: 36, 20: 18, 39: 17}
_BY_256 = {10: 84, 11: 110, 12: 144, 13: 176, 14: 210, 15: 292, 16: 66, 17: 74, 18: 98, 19: 50, 21: 110, 22: 82} | {
    23: 136,
    29: 56,
    34: 54,
    35: 66,
}
BLOCKS: Mapping[int, tuple[int, int]] = {
    kind: (elements, size)
    for elements, sizes in ((1, _PLAIN), (32, _BY_32), (256, _BY_256))
    for kind, size in sizes.items()
}


@dataclass(slots=True)
class Header:
    """What the walk saw."""

    keys: set[str] = field(default_factory=set)
    programs: list[str] = field(default_factory=list)  # the templates themselves
    alignment: int = 32
    elements: int = 0

    @property
    def templates(self) -> tuple[str, ...]:
        """Return the metadata that hold a program in a template language."""
        return tuple(sorted(key for key in self.keys if key == TEMPLATE or key.startswith(TEMPLATE + ".")))


def check(content: Content) -> Header:
    """Walk through header and descriptions; raise `MalformedInput` for anything that does not hold."""
    cursor, header = Cursor(content), Header()
    if cursor.take(4) != MAGIC:
        raise MalformedInput("the file does not begin with GGUF")
    version = cursor.number("<I")
    if version not in VERSIONS:
        raise MalformedInput(f"the file is of version {version}; versions 2 and 3, little-endian, are read")
    tensors, keys = cursor.number("<Q"), cursor.number("<Q")
    if tensors > MAX_TENSORS or keys > MAX_KEYS:
        raise MalformedInput(f"the header announces {tensors} tensors and {keys} metadata: too many to be true")
    for _ in range(keys):
        _pair(cursor, header)
    _check_tensors(cursor, header, tensors)
    return header


def _pair(cursor: Cursor, header: Header) -> None:
    key = _text(cursor, MAX_KEY)
    if not key or key in header.keys:
        raise MalformedInput(f"the metadata key {key[:80]!r} is empty or stands twice")
    header.keys.add(key)
    kind = cursor.number("<I")
    if key == "general.alignment":
        if kind != _U32:
            raise MalformedInput("general.alignment is not a number of 32 bits")
        header.alignment = cursor.number("<I")
        if not 8 <= header.alignment <= MAX_ALIGNMENT or header.alignment & (header.alignment - 1):
            raise MalformedInput(f"an alignment of {header.alignment} bytes is none")
    elif key.startswith(TEMPLATE) and kind not in {_TEXT, _ARRAY}:
        raise MalformedInput(f"{key[:80]!r} is not text")
    elif key.startswith(TEMPLATE) and kind == _TEXT:
        header.programs.append(_text(cursor, MAX_TEXT))
    else:
        _value(cursor, header, kind, MAX_DEPTH)


def _text(cursor: Cursor, limit: int) -> str:
    length = cursor.number("<Q")
    if length > limit:
        raise MalformedInput(f"a text of {length} bytes is announced at byte {cursor.at}; the limit is {limit}")
    data = cursor.take(length)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInput(f"the text before byte {cursor.at} is not UTF-8") from error


def _value(cursor: Cursor, header: Header, kind: int, depth: int) -> None:
    if kind in _SIZES:
        _flags(cursor.take(1)) if kind == _BOOL else cursor.skip(_SIZES[kind])
    elif kind == _TEXT:
        cursor.take(_bounded(cursor.number("<Q"), cursor))  # values may be any bytes: vocabularies hold such
    elif kind == _ARRAY:
        _array(cursor, header, depth)
    else:
        raise MalformedInput(f"metadata of the unknown type {kind} before byte {cursor.at}")


def _array(cursor: Cursor, header: Header, depth: int) -> None:
    kind, count = cursor.number("<I"), cursor.number("<Q")
    header.elements += count
    if depth == 0 or header.elements > MAX_ELEMENTS:
        raise MalformedInput(f"the arrays before byte {cursor.at} are too deep or too long to be true")
    if kind == _BOOL:
        _flags(cursor.take(count))
    elif kind in _SIZES:
        cursor.skip(count * _SIZES[kind])
    else:
        for _ in range(count):
            _value(cursor, header, kind, depth - 1)


def _bounded(length: int, cursor: Cursor) -> int:
    if length > MAX_TEXT:
        raise MalformedInput(f"a text of {length} bytes is announced at byte {cursor.at}; the limit is {MAX_TEXT}")
    return length


def _flags(data: bytes) -> None:
    if data.strip(b"\x00\x01"):
        raise MalformedInput("a truth value is neither 0 nor 1")


def _check_tensors(cursor: Cursor, header: Header, count: int) -> None:
    places, names = [], set()
    for _ in range(count):
        name = _text(cursor, MAX_NAME)
        if name in names:
            raise MalformedInput(f"the tensor {name!r} stands twice")
        names.add(name)
        size = _size(cursor, name)
        places.append((cursor.number("<Q"), size, name))
    start = -(-cursor.at // header.alignment) * header.alignment if count else cursor.at
    at = 0
    for offset, size, name in sorted(places):
        if offset % header.alignment:
            raise MalformedInput(f"the tensor {name!r} does not begin at a multiple of {header.alignment} bytes")
        if offset < at:
            raise MalformedInput(f"the tensor {name!r} overlaps with the one before it")
        if offset - at >= header.alignment:
            raise MalformedInput(f"there are {offset - at} bytes before the tensor {name!r} that belong to none")
        at = offset + size
    left = cursor.end - start - at
    if left < 0 or left >= header.alignment:
        kind = "missing at the end" if left < 0 else "behind the last tensor that belong to none"
        raise MalformedInput(f"there are {abs(left)} bytes {kind}")


def _size(cursor: Cursor, name: str) -> int:
    dimensions = cursor.number("<I")
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise MalformedInput(f"the tensor {name!r} has {dimensions} dimensions; 1 to {MAX_DIMENSIONS} are possible")
    shape = [cursor.number("<Q") for _ in range(dimensions)]
    kind = cursor.number("<I")
    if kind not in BLOCKS:
        raise MalformedInput(f"the tensor {name!r} is of the unknown type {kind}")
    elements, size = BLOCKS[kind]
    if shape[0] % elements:
        raise MalformedInput(f"the rows of the tensor {name!r} are not whole blocks of {elements}")
    return math.prod(shape) // elements * size
