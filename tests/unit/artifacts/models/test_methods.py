import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.models.methods import (
    Algorithm,
    Comparison,
    Method,
    Part,
    check_shards,
    digest_bytes,
    shard_name,
    spelled,
)
from ringfence.kernel.errors import MalformedInput


def shards(data, size):
    return [
        Part(at, min(at + size, len(data)), hashlib.sha256(data[at : at + size]).digest())
        for at in range(0, len(data), size)
    ]


def compared(parts, data, step):
    running = Comparison(Algorithm.SHA256, parts)
    for at in range(0, len(data), step):
        running.update(data[at : at + step])
    return running.matches()


@given(st.binary(min_size=1, max_size=80), st.integers(1, 90), st.integers(1, 90))
def test_bytes_match_their_shards_however_they_come(data, size, step):
    assert compared(shards(data, size), data, step)


@given(st.binary(min_size=1, max_size=80), st.binary(max_size=80), st.integers(1, 90), st.integers(1, 90))
def test_other_bytes_match_no_shards(data, other, size, step):
    assert compared(shards(data, size), other, step) == (data == other)


@given(st.binary(max_size=80), st.binary(max_size=80), st.integers(1, 90))
def test_whole_files_are_compared_too(data, other, step):
    parts = [Part(0, None, hashlib.sha256(data).digest())]
    assert compared(parts, other, step) == (data == other)


def test_names_of_shards():
    assert shard_name("a:b.bin:0:10") == ("a:b.bin", 0, 10)
    for bad in ("a", "a:1", "a:1:", "a::1", "a:-1:2", "a:01:2", "a:1:²", "a:1:" + "9" * 17):
        with pytest.raises(MalformedInput):
            shard_name(bad)


@pytest.mark.parametrize(
    "parts", [[(1, 5)], [(0, 5), (4, 8)], [(0, 5), (6, 8)], [(0, 4), (4, 8)], [(0, 0)], [(0, 6)], [(0, 5), (0, 5)]]
)
def test_shards_cover_a_file_from_its_start_without_a_hole(parts):
    check_shards("a", [Part(0, 5, b""), Part(5, 10, b""), Part(10, 11, b"")], 5)
    with pytest.raises(MalformedInput, match="follow one another"):
        check_shards("a", [Part(start, end, b"") for start, end in parts], 5)


def test_spellings_and_digests():
    assert spelled(Method()) == {"sha256"}
    assert spelled(Method(shard=7)) == {"sha256", "sha256-sharded-7"}
    for bad in (1, "", "A" * 64, "0" * 63):
        with pytest.raises(MalformedInput):
            digest_bytes(bad)
