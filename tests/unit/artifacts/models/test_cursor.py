import pytest

from ringfence.artifacts.models.cursor import MAX_TAKE, WINDOW, Cursor, Held, Piece
from ringfence.kernel.errors import MalformedInput


def test_it_walks_and_says_where_it_fails():
    cursor = Cursor(Held(b"\x01\x00\x00\x00ab"))
    assert cursor.number("<I") == 1
    assert cursor.take(2) == b"ab"
    assert cursor.left == 0
    with pytest.raises(MalformedInput, match="1 bytes are announced at byte 6, and 0 follow"):
        cursor.take(1)


def test_it_reads_ahead_and_never_hands_out_other_bytes():
    data = bytes(range(256)) * (WINDOW // 128)
    cursor, seen = Cursor(Held(data)), []
    seen.extend(cursor.take(size) for size in (1, 255, WINDOW - 7, 100_000))
    cursor.skip(3)
    seen.append(cursor.take(5))
    at = cursor.at
    assert b"".join(seen[:-1]) == data[: at - 8]
    assert seen[-1] == data[at - 5 : at]


def test_it_refuses_what_is_too_much_or_too_little():
    class Huge:
        size = 2**60

        def read(self, offset, size):
            raise AssertionError((offset, size))

    with pytest.raises(MalformedInput, match="too many"):
        Cursor(Huge()).take(MAX_TAKE + 1)
    for step in (Cursor(Held(b"a")).skip, Cursor(Held(b"a")).take):
        with pytest.raises(MalformedInput):
            step(2)
        with pytest.raises(MalformedInput):
            step(-1)


def test_a_file_that_became_shorter_is_no_end():
    class Shrunk:
        size = 10

        def read(self, offset, size):
            return b"abc"[offset : offset + size]

    with pytest.raises(MalformedInput, match="shorter"):
        Cursor(Shrunk()).take(5)


def test_a_piece_shows_nothing_beyond_itself():
    piece = Piece(Held(b"0123456789"), 2, 3)
    assert piece.read(0, 100) == b"234"
    assert piece.read(1, 1) == b"3"
    assert piece.read(3, 5) == piece.read(9, 5) == b""
    assert Held(b"abc").read(1, 10) == b"bc"
