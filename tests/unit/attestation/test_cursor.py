import pytest

from ringfence.attestation.cursor import Cursor
from ringfence.kernel.errors import MalformedInput


def test_fields_are_read_in_both_orders():
    cursor = Cursor(bytes.fromhex("0102010200020304"), "it")
    assert (cursor.big(2, "a"), cursor.little(2, "b")) == (0x0102, 0x0201)
    assert cursor.sized(2, "c") == b"\x03\x04"
    assert cursor.left == 0
    cursor.end()


@pytest.mark.parametrize(
    "read",
    [
        lambda cursor: cursor.take(3, "x"),
        lambda cursor: cursor.take(-1, "x"),
        lambda cursor: cursor.big(4, "x"),
        lambda cursor: cursor.sized(1, "x"),
        lambda cursor: cursor.zeros(2, "x"),
        lambda cursor: cursor.end(),
    ],
)
def test_nothing_is_read_that_is_not_there(read):
    with pytest.raises(MalformedInput, match="it: "):
        read(Cursor(b"\x00\x02", "it"))


def test_a_length_beyond_the_limit_is_refused_though_the_bytes_are_there():
    with pytest.raises(MalformedInput, match="limit is 1"):
        Cursor(b"\x00\x02ab", "it").sized(1, "x")
