"""NumPy's .npy: a header that says what the elements are; Python objects among them are a pickle."""

import re

from ringfence.artifacts.models.cursor import Cursor
from ringfence.artifacts.models.ports import Content
from ringfence.kernel.errors import MalformedInput

MAGIC = b"\x93NUMPY"
MAX_HEADER = 2**16
_HEADER = re.compile(rb"\{'descr': (?P<kind>[^{}]+), 'fortran_order': (?:True|False), 'shape': \([0-9, ]*\), \} *\n?")


def check(content: Content) -> bool:
    """Tell whether the array holds Python objects; raise `MalformedInput` where the header is not NumPy's own."""
    cursor = Cursor(content)
    if cursor.take(6) != MAGIC:
        raise MalformedInput("the file does not begin as NumPy's do")
    major, _ = cursor.take(2)
    if major not in {1, 2, 3}:
        raise MalformedInput(f"the file is of version {major}")
    length = cursor.number("<H" if major == 1 else "<I")
    if length > MAX_HEADER:
        raise MalformedInput(f"the header has {length} bytes; the limit is {MAX_HEADER}")
    found = _HEADER.fullmatch(cursor.take(length))
    if found is None:
        raise MalformedInput("the header is not as NumPy prints it")
    return b"O" in found["kind"]
