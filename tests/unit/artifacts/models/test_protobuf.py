import pytest

from ringfence.artifacts.models.cursor import Cursor, Held
from ringfence.artifacts.models.protobuf import Budget, fields, varint
from ringfence.kernel.errors import MalformedInput


def walked(data, budget=None):
    return [(one.number, one.wire) for one in fields(Cursor(Held(data)), budget or Budget())]


def test_each_wire_type_is_passed_over():
    assert walked(b"\x08\x01\x11" + bytes(8) + b"\x1a\x02ab\x25" + bytes(4)) == [(1, 0), (2, 1), (3, 2), (4, 5)]


@pytest.mark.parametrize("data", [b"\x0b", b"\x0c", b"\x0e", b"\x00\x00", b"\x1a\x05ab", b"\x11\x00", b"\x08", b"\x80"])
def test_groups_unknown_types_and_cut_fields_are_refused(data):
    with pytest.raises(MalformedInput):
        walked(data)


def test_a_number_has_at_most_64_bits():
    assert varint(Cursor(Held(b"\xff" * 9 + b"\x01"))) == 2**64 - 1
    for data in (b"\xff" * 9 + b"\x02", b"\x80" * 10 + b"\x01"):
        with pytest.raises(MalformedInput, match="64 bits"):
            varint(Cursor(Held(data)))


def test_the_number_of_fields_is_bounded():
    with pytest.raises(MalformedInput, match="fields"):
        walked(b"\x08\x01" * 11, Budget(10))
