import pytest

from ringfence.artifacts import index
from ringfence.artifacts.model import ObjectId, Record
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput


def record(number, length=70_000, chunks=2):
    return Record(ObjectId(f"{number:032x}"), length, chunks, Digest.of(b"h%d" % number), Digest.of(b"r").value)


def test_records_are_sorted_and_read_back():
    data = index.print_index([record(3), record(1), record(2)])
    assert len(data) == 16 + 3 * 96
    assert list(index.parse_index(data, 65536).values()) == [record(1), record(2), record(3)]


def test_the_root_does_not_depend_on_order_but_on_every_field():
    assert index.ciphertext_root([record(1), record(2)]) == index.ciphertext_root([record(2), record(1)])
    variants = [record(1), record(2), record(1, length=70_001), record(1, chunks=3)]
    assert len({index.ciphertext_root([variant]) for variant in variants}) == 4


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RFINDXv1",
        b"RFINDXv2" + bytes(8),
        b"RFINDXv1" + bytes(8),
        b"RFINDXv1" + (2**63).to_bytes(8, "big"),
        index.print_index([record(1)]) + b"\0",
        index.print_index([record(1)])[:-1],
        index.print_index([record(1), record(1)]),
        index.print_index([record(1, chunks=1)]),
        index.print_index([record(1, length=2**40 + 1, chunks=2**24 + 1)]),
    ],
)
def test_what_is_not_an_index(data):
    with pytest.raises(MalformedInput, match="index"):
        index.parse_index(data, 65536)


def test_order_and_padding_are_strict():
    good = index.print_index([record(1), record(2)])
    swapped = good[:16] + good[16 + 96 :] + good[16 : 16 + 96]
    with pytest.raises(MalformedInput, match="ascending"):
        index.parse_index(swapped, 65536)
    padded = bytearray(good)
    padded[16 + 28] = 1
    with pytest.raises(MalformedInput, match="contradicts"):
        index.parse_index(bytes(padded), 65536)
