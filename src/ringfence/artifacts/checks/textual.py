"""Texts as numbers, so that a text can lie far outside: its length, its share of letters, how rare its words are."""

import math
import re
from array import array
from collections.abc import Sequence
from zlib import crc32

from ringfence.artifacts.checks.columns import Roles
from ringfence.artifacts.checks.model import Row, Value

LENGTH, LETTERS, SURPRISE = "length of the text", "letters of the text", "surprise of the text"
_WORD = re.compile(r"\w+")
_SLOTS = 2**20


def described(rows: Sequence[Row], roles: Roles) -> list[Row]:
    """Return the rows with three more columns of numbers about their text; as they are where none is the text.

    The length is the binary logarithm of the characters. The surprise is the mean over words of the binary logarithm
    of how many words of the whole set there are for one of this kind. A row without a text has none of the three.
    """
    if not roles.text:
        return list(rows)
    counts = array("I", bytes(4 * _SLOTS))
    for row in rows:
        for slot in _slots(roles.text_of(row)):
            counts[slot] += 1
    whole, present = max(1, sum(counts)), {name for row in rows for name in row.cells}
    names = [_free(name, present) for name in (LENGTH, LETTERS, SURPRISE)]
    measured = (zip(names, _numbers(roles.text_of(row), counts, whole), strict=True) for row in rows)
    return [row._replace(cells={**row.cells, **dict(found)}) for row, found in zip(rows, measured, strict=True)]


def _free(name: str, present: set[str]) -> str:
    """Return a name that is no column's: whoever names a column like ours hides nothing by it."""
    while name in present:
        name += "'"
    return name


def _slots(text: str) -> list[int]:
    return [crc32(word.encode("utf-8", "replace")) % _SLOTS for word in _WORD.findall(text.lower())]


def _numbers(text: str, counts: "array[int]", whole: int) -> tuple[Value, Value, Value]:
    if not text:
        return None, None, None
    slots = _slots(text)
    surprise = sum(math.log2(whole / counts[slot]) for slot in slots) / len(slots) if slots else None
    letters = sum(character.isalpha() or character.isspace() for character in text) / len(text)
    return math.log2(len(text)), letters, surprise
