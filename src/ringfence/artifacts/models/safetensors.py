"""safetensors: a length, a JSON header, tensors back to back; checked without loading any of them.

The reference reader leaves some of this to whoever made the file. Refused here: a header beyond 100 MB, a name that
stands twice, holes, overlaps, bytes behind the last tensor, a size that is not type times shape.
"""

import json
import math
import re
from collections.abc import Container, Iterable, Mapping
from typing import Any

from ringfence.artifacts.models.cursor import Cursor
from ringfence.artifacts.models.ports import Content
from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput

MAX_HEADER = 100_000_000  # bytes; the reference reader's
MAX_TENSORS = 2**20
MAX_DIMENSIONS = 32
MAX_METADATA = 2**16
MAX_INDEX = 64 * 2**20
_TYPES = (
    (4, "F4"),
    (6, "F6_E2M3 F6_E3M2"),
    (8, "BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ"),
    (16, "I16 U16 F16 BF16"),
    (32, "I32 U32 F32"),
    (64, "I64 U64 F64 C64"),
)
BITS: Mapping[str, int] = {name: bits for bits, names in _TYPES for name in names.split()}
INDEX = re.compile(r".*\.safetensors\.index\.json")
OTHER_INDEX = re.compile(r".*\.index(\.[A-Za-z0-9_-]+)?\.json")  # of a variant, or of shards in another format


def looks_like(content: Content) -> bool:
    """Tell whether a file begins as these do; says nothing about the rest."""
    head = content.read(0, 9)
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") <= max(MAX_HEADER, content.size)


def check(content: Content) -> tuple[str, ...]:
    """Return the names of the tensors, or raise `MalformedInput`."""
    cursor = Cursor(content)
    length = cursor.number("<Q")
    if length > MAX_HEADER:
        raise MalformedInput(f"the header has {length} bytes; the limit is {MAX_HEADER}")
    text = cursor.take(length)
    if not text.startswith(b"{"):
        raise MalformedInput("the header does not begin with a brace")
    document = digest.loads(text, limit=MAX_HEADER)
    if not isinstance(document, dict) or len(document) > MAX_TENSORS:
        raise MalformedInput(f"the header is no object of at most {MAX_TENSORS} tensors")
    _check_metadata(document.pop("__metadata__", {}))
    places = sorted((*_tensor(name, value), name) for name, value in document.items())
    _check_places(places, content.size - cursor.at)
    return tuple(document)


def _check_metadata(value: Any) -> None:
    if not isinstance(value, dict) or len(value) > MAX_METADATA:
        raise MalformedInput("__metadata__ is no object of text")
    if not all(isinstance(text, str) for text in value.values()):
        raise MalformedInput("__metadata__ holds something that is not text")


def _tensor(name: str, value: Any) -> tuple[int, int]:
    match value:
        case {"dtype": str() as kind, "shape": list() as shape, "data_offsets": [int() as begin, int() as end], **more}:
            pass
        case _:
            raise MalformedInput(f"tensor {name[:80]!r} has no dtype, shape and two data_offsets")
    if more:
        raise MalformedInput(f"tensor {name[:80]!r} has fields beside dtype, shape and data_offsets")
    if kind not in BITS:
        raise MalformedInput(f"tensor {name[:80]!r} is of the unknown type {kind[:40]!r}")
    if len(shape) > MAX_DIMENSIONS or not all(type(side) is int and side >= 0 for side in shape):
        raise MalformedInput(f"the shape of tensor {name[:80]!r} is not a list of sizes")
    if type(begin) is not int or type(end) is not int or not 0 <= begin <= end:
        raise MalformedInput(f"the data_offsets of tensor {name[:80]!r} are no range")
    if math.prod(shape) * BITS[kind] != (end - begin) * 8:
        raise MalformedInput(f"tensor {name[:80]!r} has {end - begin} bytes, which is not its type times its shape")
    return begin, end


def _check_places(places: Iterable[tuple[int, int, str]], size: int) -> None:
    at = 0
    for begin, end, name in places:
        if begin < at:
            raise MalformedInput(f"tensor {name[:80]!r} overlaps with the one before it")
        if begin > at:
            raise MalformedInput(f"there are {begin - at} bytes before tensor {name[:80]!r} that belong to none")
        at = end
    if at != size:
        kind = "missing at the end" if at > size else "behind the last tensor that belong to none"
        raise MalformedInput(f"there are {abs(at - size)} bytes {kind}")


def check_index(data: bytes, folder: str, tensors: Mapping[str, tuple[str, ...]]) -> None:
    """Raise `MalformedInput` where an index does not name exactly the tensors of exactly the shards beside it.

    `tensors` holds the names of the tensors of each safetensors file in the index's folder, by file name.
    """
    document = digest.loads(data, limit=MAX_INDEX)
    match document:
        case {"weight_map": dict() as mapped} if mapped:
            pass
        case _:
            raise MalformedInput("the index has no weight_map")
    shards = {shard for shard in mapped.values() if isinstance(shard, str)}
    if len(shards) != len(set(map(str, mapped.values()))):
        raise MalformedInput("the index names a shard that is no name")
    for shard in sorted(shards | set(tensors)):
        if shard not in tensors:
            raise MalformedInput(f"the index names {shard[:80]!r}, which is not in {folder or 'the folder'}")
        if shard not in shards:
            raise MalformedInput(f"{shard[:80]!r} lies beside the index, and the index does not name it")
    placed = [(name, shard) for shard, names in tensors.items() for name in names]
    if len({name for name, _ in placed}) != len(placed):
        raise MalformedInput("a tensor stands in two shards")
    if dict(placed) != mapped:
        raise MalformedInput("the index does not name exactly the tensors that its shards hold")


def check_shards(data: bytes, folder: str, beside: Container[str]) -> None:
    """Raise `MalformedInput` where an index, of whichever format, leads to anything but files of its own folder.

    It is read as loaders read it; what names no shards is no index.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedInput("the index cannot be read") from error
    mapped = document.get("weight_map") if isinstance(document, dict) else None
    for shard in mapped.values() if isinstance(mapped, dict) else ():
        if not isinstance(shard, str) or shard not in beside:
            raise MalformedInput(f"the index names {str(shard)[:80]!r}, which is not in {folder or 'the folder'}")
