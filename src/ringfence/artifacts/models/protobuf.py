"""Protocol-buffer wire format, walked within bounds; nothing is built from what is read."""

from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.artifacts.models.cursor import Cursor
from ringfence.kernel.errors import MalformedInput

MAX_FIELDS = 2**21  # of one file
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(slots=True)
class Budget:
    """How many fields may still be walked in this file."""

    fields: int = MAX_FIELDS


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its number, and its value or where its bytes lie."""

    number: int
    wire: int
    value: int = 0  # of a varint
    start: int = 0
    end: int = 0


def fields(cursor: Cursor, budget: Budget) -> Iterator[Field]:
    """Yield the fields of the message that `cursor` covers; raise `MalformedInput`.

    The bytes of a field are passed over: whoever wants them looks at `start` to `end`.
    """
    while cursor.left:
        budget.fields -= 1
        if budget.fields < 0:
            raise MalformedInput(f"the file has more than {MAX_FIELDS} fields")
        key = varint(cursor)
        number, wire = key >> 3, key & 7
        if not 1 <= number < 2**29:
            raise MalformedInput(f"the field number {number} before byte {cursor.at} is none")
        yield _field(cursor, number, wire)


def _field(cursor: Cursor, number: int, wire: int) -> Field:
    if wire == VARINT:
        return Field(number, wire, varint(cursor))
    if wire not in {FIXED64, BYTES, FIXED32}:
        raise MalformedInput(f"a field of the wire type {wire} before byte {cursor.at}")
    size = varint(cursor) if wire == BYTES else 8 if wire == FIXED64 else 4
    start = cursor.at
    cursor.skip(size)
    return Field(number, wire, 0, start, cursor.at)


def varint(cursor: Cursor) -> int:
    """Return the next number of up to 64 bits."""
    value = 0
    for shift in range(0, 70, 7):
        byte = cursor.take(1)[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >= 2**64:
                break
            return value
    raise MalformedInput(f"the number before byte {cursor.at} has more than 64 bits")
