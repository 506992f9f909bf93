import bz2
import gzip
import lzma
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.models import compressed
from ringfence.artifacts.models.cursor import Held
from ringfence.kernel.errors import MalformedInput

KINDS = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zlib": zlib.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
}


def unpacked(data):
    content = Held(data)
    held = compressed.unpacked(content, compressed.kind_of(content))
    return None if held is None else held.read(0, held.size)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_packed_comes_out(kind):
    @given(st.binary(min_size=1, max_size=400), st.integers(1, 300))
    def check(data, times):
        packed = KINDS[kind](data * times)
        assert compressed.kind_of(Held(packed)) == kind
        assert unpacked(packed) == data * times

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_damage_cuts_and_what_follows_are_refused(kind):
    packed = KINDS[kind](bytes(range(256)) * 40)
    for size in range(len(packed) // 2, len(packed), 7):
        with pytest.raises(MalformedInput):
            unpacked(packed[:size])
    with pytest.raises(MalformedInput):
        unpacked(packed + b"more")


def test_several_streams_are_one_and_there_is_an_end_to_them():
    assert unpacked(KINDS["gzip"](b"a") + KINDS["gzip"](b"b")) == b"ab"
    with pytest.raises(MalformedInput, match="follow one another"):
        unpacked(KINDS["gzip"](b"a") * 65)


def test_what_is_too_long_is_not_unpacked_and_a_bomb_is_refused():
    noise = bytes(range(256)) * 16
    long = zlib.compressobj(0)
    packed = b"".join(long.compress(noise) for _ in range(compressed.MAX_UNPACKED // len(noise) + 1)) + long.flush()
    assert unpacked(packed) is None
    with pytest.raises(MalformedInput, match="bomb"):
        unpacked(KINDS["gzip"](bytes(compressed.MAX_UNPACKED + 1)))


def test_other_bytes_are_not_taken_for_compressed_ones():
    for data in (
        b"",
        b"x",
        b"xxxxxxxx",
        b"\x78\x01\xff\xff\xff\xff",
        b"\x5d\x00\x00\x01\x02\x03\x04\x05\x06",
        b"\x78\x9c",
    ):
        assert compressed.kind_of(Held(data)) == ""
