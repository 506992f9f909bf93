import pytest

from ringfence.artifacts.model import DamagedSeal, ReadMode
from ringfence.artifacts.opening import open_dataset
from ringfence.testing.artifacts import sealed_in_memory

CHUNK = 2**16
DATA = bytes((n * 7 + n // 256) % 256 for n in range(3 * CHUNK + 100))


class Opened:
    """The one big object of a dataset, with its parts at hand."""

    def __init__(self, change=lambda body: body, mode=ReadMode.TAG):
        self.sealed = sealed_in_memory({"big": DATA, "small": b"s"})
        self.mode = mode
        files = self.sealed.vault.files
        self.name = max((name for name in files if name.startswith("objects/")), key=lambda name: len(files[name]))
        files[self.name] = bytes(change(bytearray(files[self.name])))

    def read(self, act):
        with (
            open_dataset(self.sealed.vault, self.sealed.digest, 1, self.sealed.keyring) as opened,
            opened.reader("big", self.mode) as reader,
        ):
            return act(reader)


def at(chunk, offset=0):
    return 128 + chunk * (CHUNK + 16) + offset


def flip(place):
    def change(body):
        body[place] ^= 0x80
        return body

    return change


def swap(body):
    body[at(0) : at(1)], body[at(1) : at(2)] = body[at(1) : at(2)], body[at(0) : at(1)]
    return body


@pytest.mark.parametrize("mode", ReadMode)
@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, 0), (0, 1), (CHUNK - 1, 2), (CHUNK, CHUNK), (5, 3 * CHUNK), (0, 10**9), (3 * CHUNK + 99, 5), (10**9, 1)],
)
def test_any_place_reads_as_the_plaintext(mode, offset, length):
    assert Opened(mode=mode).read(lambda reader: reader.read_at(offset, length)) == DATA[offset : offset + length]


def test_chunks_are_views_of_one_buffer():
    def both(reader):
        first = reader.chunk(0)
        copy = bytes(first)
        reader.chunk(1)
        return copy, bytes(first)

    copy, now = Opened().read(both)
    assert copy == DATA[:CHUNK]
    assert now == DATA[CHUNK : 2 * CHUNK]


def test_the_buffer_is_overwritten_when_the_reader_is_done():
    kept = Opened().read(lambda reader: reader.chunk(0))
    assert bytes(kept) == bytes(CHUNK)


@pytest.mark.parametrize("mode", ReadMode)
@pytest.mark.parametrize(
    ("change", "chunk"),
    [(flip(at(0)), 0), (flip(at(1, 77)), 1), (flip(at(2, CHUNK + 15)), 2), (flip(-1), 3), (flip(at(3)), 3), (swap, 0)],
)
def test_a_changed_chunk_is_named_and_nothing_of_the_read_is_handed_out(mode, change, chunk):
    with pytest.raises(DamagedSeal, match=f"big, chunk {chunk}: ") as caught:
        Opened(change, mode).read(lambda reader: reader.read_at(0, reader.size))
    assert caught.value.failure.chunk == chunk


def test_other_chunks_of_a_damaged_object_stay_readable():
    assert Opened(flip(at(1))).read(lambda reader: reader.read_at(2 * CHUNK, 10)) == DATA[2 * CHUNK : 2 * CHUNK + 10]


def test_a_failed_chunk_is_not_served_from_the_buffer_afterwards():
    def twice(reader):
        with pytest.raises(DamagedSeal):
            reader.chunk(1)
        return reader.chunk(1)

    with pytest.raises(DamagedSeal, match="chunk 1"):
        Opened(flip(at(1))).read(twice)


@pytest.mark.parametrize("place", [0, 8, 9, 12, 20, 30, 33, 50, 64, 96, 127])
def test_any_bit_of_the_header(place):
    with pytest.raises(DamagedSeal, match="big: the header is not the one that was signed"):
        Opened(flip(place)).read(lambda reader: reader.read_at(0, 1))


@pytest.mark.parametrize(
    "cut",
    [
        lambda b: b[:-1],
        lambda b: b[: at(3)],
        lambda b: b[: at(2)],
        lambda b: b + b"\0",
        lambda b: b[:100],
        lambda b: b[:0],
    ],
)
def test_a_cut_or_longer_object_is_refused_when_it_is_opened(cut):
    with pytest.raises(DamagedSeal, match="big: the object"):
        Opened(cut).read(lambda reader: reader.read_at(0, 1))


def test_swapped_objects_are_refused():
    opened = Opened()
    files = opened.sealed.vault.files
    other = next(name for name in files if name.startswith("objects/") and name != opened.name)
    files[opened.name], files[other] = files[other], files[opened.name]
    with pytest.raises(DamagedSeal, match="header is not the one"):
        opened.read(lambda reader: reader.read_at(0, 1))


@pytest.mark.parametrize(
    "change", [lambda h: h[:-1], lambda h: h + b"\0", lambda h: b"\0" + h[1:], lambda h: h[32:], lambda h: h[:0]]
)
def test_audit_mode_needs_the_chunk_hashes_that_were_signed(change):
    opened = Opened(mode=ReadMode.AUDIT)
    name = opened.name.replace("objects", "chunks")
    opened.sealed.vault.files[name] = change(opened.sealed.vault.files[name])
    with pytest.raises(DamagedSeal):
        opened.read(lambda reader: reader.read_at(0, 1))
    opened.mode = ReadMode.TAG
    assert opened.read(lambda reader: reader.read_at(0, 1)) == DATA[:1]


def test_audit_mode_checks_the_hash_before_it_decrypts():
    with pytest.raises(DamagedSeal, match="hash that was signed"):
        Opened(flip(at(1)), ReadMode.AUDIT).read(lambda reader: reader.chunk(1))
