"""The index: what each object must look like, without its key (docs/specs/sealed-dataset.md, section 5)."""

import struct
from collections.abc import Sequence
from itertools import pairwise

from ringfence.artifacts import tree
from ringfence.artifacts.chunk import CHUNK_SIZES, Geometry, longest
from ringfence.artifacts.model import MAX_FILES, ObjectId, Record
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput

MAGIC = b"RFINDXv1"
MAX_RECORDS = MAX_FILES + 1
_PREFIX = struct.Struct(">8sQ")
_RECORD = struct.Struct(">16sQII32s32s")
MAX_INDEX = _PREFIX.size + MAX_RECORDS * _RECORD.size
_LABEL = b"ringfence sealed record v1\0"


def print_index(records: Sequence[Record]) -> bytes:
    """Print the records, sorted by object id."""
    ordered = sorted(records, key=lambda record: record.object)
    return _PREFIX.pack(MAGIC, len(ordered)) + b"".join(map(_print, ordered))


def parse_index(data: bytes, chunk_size: int) -> dict[ObjectId, Record]:
    """Parse an index strictly; raise `MalformedInput`."""
    if len(data) < _PREFIX.size or _PREFIX.unpack_from(data)[0] != MAGIC or chunk_size not in CHUNK_SIZES:
        raise MalformedInput("this is not an index of version 1", source="index")
    count = _PREFIX.unpack_from(data)[1]
    if not 1 <= count <= MAX_RECORDS or len(data) != _PREFIX.size + count * _RECORD.size:
        raise MalformedInput("the index does not have the size that its number of records asks for", source="index")
    records = [_parse(values, chunk_size) for values in _RECORD.iter_unpack(data[_PREFIX.size :])]
    if any(a.object >= b.object for a, b in pairwise(records)):
        raise MalformedInput("the records are not in strictly ascending order of id", source="index")
    return {record.object: record for record in records}


def ciphertext_root(records: Sequence[Record]) -> Digest:
    """Return the tree head over all objects."""
    ordered = sorted(records, key=lambda record: record.object)
    return Digest(tree.head(tree.leaf_hash(_LABEL, _print(record)) for record in ordered))


def _print(record: Record) -> bytes:
    name = bytes.fromhex(record.object)
    return _RECORD.pack(name, record.length, record.chunks, 0, record.header.value, record.chunk_root)


def _parse(values: tuple[bytes, int, int, int, bytes, bytes], chunk_size: int) -> Record:
    name, length, chunks, zero, header, chunk_root = values
    if zero != 0 or length > longest(chunk_size) or chunks != Geometry(chunk_size, length).chunks:
        raise MalformedInput(f"the record of {name.hex()} contradicts itself", source="index")
    return Record(ObjectId(name.hex()), length, chunks, Digest(header), chunk_root)
