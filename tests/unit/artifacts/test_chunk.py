from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ringfence.artifacts import chunk
from ringfence.artifacts.chunk import Cipher, Geometry
from ringfence.artifacts.model import DatasetId, Kind
from ringfence.kernel.errors import MalformedInput, UsageError, VerificationFailed

KEY = bytes(range(32))


def header(length=100, chunk_size=2**16, fresh=bytes(range(48)), epoch=3):
    return chunk.new_header(
        KEY,
        dataset=DatasetId("d" * 32),
        epoch=epoch,
        kind=Kind.FILE,
        chunk_size=chunk_size,
        length=length,
        fresh=fresh,
    )


def seal(of, plain, index=0):
    out = memoryview(bytearray(len(plain) + 16))
    Cipher(of, KEY).encrypt_into(index, memoryview(bytearray(plain)), out)
    return out


def test_a_header_has_128_bytes_and_reads_back():
    printed = chunk.print_header(header())
    assert len(printed) == 128
    assert chunk.parse_header(printed) == header()


@pytest.mark.parametrize("at", [0, 7, 8, 9, 10, 11])
def test_magic_suite_kind_and_zeros_are_fixed(at):
    data = bytearray(chunk.print_header(header()))
    data[at] ^= 0x40
    with pytest.raises(MalformedInput, match="not a sealed object"):
        chunk.parse_header(bytes(data))


@pytest.mark.parametrize(
    "wrong",
    [
        replace(header(), chunk_size=2**15),
        replace(header(), chunk_size=2**16 + 1),
        replace(header(), epoch=0),
        replace(header(), length=2**40 + 1),
    ],
)
def test_values_that_the_format_does_not_allow(wrong):
    with pytest.raises(MalformedInput, match="does not allow"):
        chunk.parse_header(chunk.print_header(wrong))


@pytest.mark.parametrize("size", [0, 127, 129])
def test_a_header_of_another_size(size):
    with pytest.raises(MalformedInput, match="shorter"):
        chunk.parse_header(bytes(size))


@pytest.mark.parametrize(
    ("length", "chunks", "last"), [(0, 1, 0), (1, 1, 1), (65536, 1, 65536), (65537, 2, 1), (3 * 65536, 3, 65536)]
)
def test_geometry(length, chunks, last):
    geometry = Geometry(65536, length)
    assert geometry.chunks == chunks
    assert geometry.plain_size(chunks - 1) == last
    assert geometry.file_size == 128 + length + 16 * chunks == geometry.offset(chunks - 1) + last + 16


@pytest.mark.parametrize("size", [0, 4096, 65535, 2**23, True, 65536.0, "65536"])
def test_chunk_sizes_are_an_allow_list(size):
    with pytest.raises(UsageError):
        chunk.checked_chunk_size(size)


def test_default_chunk_size_is_allowed():
    assert chunk.checked_chunk_size(chunk.DEFAULT_CHUNK_SIZE) == 2**20


def test_a_chunk_opens_at_its_place():
    sealed, out = seal(header(), b"x" * 100), memoryview(bytearray(100))
    Cipher(header(), KEY).decrypt_into(0, sealed, out)
    assert bytes(out) == b"x" * 100


def test_nonce_and_aad_hold_header_index_and_last_flag():
    of = header(length=2 * 65536)
    printed = chunk.print_header(of)
    derived = chunk._derive(KEY, of.dataset, of.object, of.epoch, of.salt)
    for index, last in ((0, b"\0"), (1, b"\1")):
        place = index.to_bytes(4, "big") + last
        plain = AESGCM(derived[:32]).decrypt(bytes(7) + place, bytes(seal(of, b"x" * 65536, index)), printed + place)
        assert plain == b"x" * 65536


@pytest.mark.parametrize("change", [{"length": 65537 + 1}, {"kind": Kind.MANIFEST}, {"chunk_size": 2**17}])
def test_every_field_of_the_header_is_authenticated(change):
    sealed = seal(header(length=65537), b"x" * 65536)
    with pytest.raises(InvalidTag):
        Cipher(replace(header(length=65537), **change), KEY).decrypt_into(0, sealed, memoryview(bytearray(65536)))


def test_a_chunk_does_not_open_at_another_place():
    sealed = seal(header(length=3 * 65536), b"x" * 65536, index=0)
    with pytest.raises(InvalidTag):
        Cipher(header(length=3 * 65536), KEY).decrypt_into(1, sealed, memoryview(bytearray(65536)))


def test_a_bad_tag_leaves_zeros_in_the_buffer():
    sealed, out = seal(header(), b"secret" * 10), memoryview(bytearray(b"?" * 60))
    sealed[-1] ^= 1
    with pytest.raises(InvalidTag):
        Cipher(header(), KEY).decrypt_into(0, sealed, out)
    assert bytes(out) == bytes(60)


def test_another_dataset_key_is_refused_before_any_chunk():
    with pytest.raises(VerificationFailed, match="commitment"):
        Cipher(header(), bytes(32))


@pytest.mark.parametrize("change", [{"epoch": 4}, {"object": "e" * 32}, {"dataset": "e" * 32}, {"salt": bytes(32)}])
def test_the_commitment_binds_dataset_object_epoch_and_salt(change):
    with pytest.raises(VerificationFailed, match="commitment"):
        Cipher(replace(header(), **change), KEY)


def test_fresh_randomness_makes_another_id_salt_and_key():
    other = header(fresh=bytes(48))
    assert (other.object, other.salt) != (header().object, header().salt)
    assert other.commitment != header().commitment


def test_a_file_that_is_too_large_and_too_little_randomness():
    with pytest.raises(UsageError, match="larger"):
        header(length=2**40 + 1)
    with pytest.raises(UsageError, match="48"):
        header(fresh=bytes(47))


def test_the_commitment_of_the_dataset_key_depends_on_dataset_and_epoch():
    made = {chunk.key_commitment(KEY, DatasetId(d * 32), epoch) for d in "ab" for epoch in (1, 2)}
    assert len(made) == 4


@pytest.mark.parametrize("size", chunk.CHUNK_SIZES)
def test_an_object_has_at_most_2_24_chunks_whatever_their_size(size):
    longest = replace(header(), chunk_size=size, length=2**24 * size)
    assert chunk.parse_header(chunk.print_header(longest)).length == chunk.longest(size)
    assert chunk.Geometry(size, longest.length).chunks == chunk.MAX_CHUNKS
    with pytest.raises(MalformedInput, match="does not allow"):
        chunk.parse_header(chunk.print_header(replace(longest, length=2**24 * size + 1)))
