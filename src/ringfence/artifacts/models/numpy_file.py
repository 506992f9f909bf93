"""NumPy's .npy: a header that says what the elements are; Python objects among them are a pickle."""

import ast
import math
import re
from typing import Any

from ringfence.artifacts.models.cursor import Cursor
from ringfence.artifacts.models.ports import Content
from ringfence.kernel.errors import MalformedInput

MAGIC = b"\x93NUMPY"
MAX_HEADER = 2**16
MAX_DEPTH = 8  # arrays in records in records
_HEADER = re.compile(rb"\{'descr': [^{}]+, 'fortran_order': (?:True|False), 'shape': \([0-9, ]*\), \} *\n?")
# Types as NumPy prints them; it would take others too, some of which are another name for Python objects.
_PLAIN = re.compile(r"[<>|](?:[biufcmM][0-9]{1,2}(?:\[[A-Za-z0-9/]+\])?|[SUV][0-9]{1,9})")
_OBJECTS = "|O"
_BROKEN = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)


def check(content: Content) -> bool:
    """Tell whether the array holds Python objects; raise `MalformedInput` where the file is not as NumPy writes it."""
    cursor = Cursor(content)
    if cursor.take(6) != MAGIC:
        raise MalformedInput("the file does not begin as NumPy's do")
    major, _ = cursor.take(2)
    if major not in {1, 2, 3}:
        raise MalformedInput(f"the file is of version {major}")
    length = cursor.number("<H" if major == 1 else "<I")
    if length > MAX_HEADER:
        raise MalformedInput(f"the header has {length} bytes; the limit is {MAX_HEADER}")
    header = _parsed(cursor.take(length))
    size = _size(header["descr"], MAX_DEPTH)
    if size is None:
        return True
    if math.prod(header["shape"]) * size != cursor.left:
        raise MalformedInput(f"{cursor.left} bytes follow the header, which are not those of its shape and type")
    return False


def _parsed(header: bytes) -> dict[str, Any]:
    """Return the header as NumPy understands it: a literal of Python, in which a text can be written in many ways."""
    if _HEADER.fullmatch(header) is None:
        raise MalformedInput("the header is not as NumPy prints it")
    try:
        found: dict[str, Any] = ast.literal_eval(header.decode("utf-8").strip())
    except _BROKEN as error:
        raise MalformedInput("the header is not as NumPy prints it") from error
    if found.keys() != {"descr", "fortran_order", "shape"} or not isinstance(found["shape"], tuple):
        raise MalformedInput("the header is not as NumPy prints it")
    return found


def _size(kind: object, depth: int) -> int | None:
    """Return the bytes of one element; None where Python objects are among its parts."""
    match kind:
        case str() if kind == _OBJECTS:
            return None
        case str() if _PLAIN.fullmatch(kind):
            number = int(kind[2:].partition("[")[0])
            return 4 * number if kind[1] == "U" else number
        case [*fields] if isinstance(kind, list) and depth:
            sizes = [_field(one, depth - 1) for one in fields]
            return None if None in sizes else sum(size for size in sizes if size is not None)
        case _:
            raise MalformedInput(f"the elements are of a type that NumPy prints otherwise: {str(kind)[:80]}")


def _field(field: object, depth: int) -> int | None:
    match field:
        case (str() | (str(), str()), kind, *shape) if isinstance(field, tuple) and len(shape) < 2:
            size = _size(kind, depth)
            return None if size is None else size * math.prod(_sides(shape))
        case _:
            raise MalformedInput("a field of the elements has no name and type")


def _sides(shape: list[Any]) -> tuple[int, ...]:
    if not shape:
        return ()
    if not isinstance(shape[0], tuple) or not all(type(side) is int and side >= 0 for side in shape[0]):
        raise MalformedInput("a field of the elements has no shape")
    return shape[0]
