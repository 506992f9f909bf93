from ringfence.artifacts.models.cursor import Held
from ringfence.artifacts.models.sentencepiece import is_vocabulary

PIECE = b"\x0a\x0a\x0a\x01a\x15\x00\x00\x00\x00\x18\x01"


def test_a_vocabulary_is_told_by_its_wire_format():
    assert is_vocabulary(Held(PIECE * 5 + b"\x12\x02\x08\x01"))


def test_other_bytes_are_none():
    for data in (b"", b"hello", PIECE + b"\x3a\x01a", PIECE + b"\x08\x01", PIECE[:-1], b"\x0a\x03\x22\x01a"):
        assert not is_vocabulary(Held(data))
