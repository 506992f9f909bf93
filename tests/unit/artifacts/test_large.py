"""A seal goes on inside one large file; and no key of an object ever meets two plaintexts, whatever is on the disk."""

import copy
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.artifacts import chunk
from ringfence.artifacts.chunk import HEADER_SIZE, TAG_SIZE, Cipher, parse_header
from ringfence.artifacts.large import Binding, Content
from ringfence.artifacts.model import DatasetId, Identity, NewSeal, ObjectId
from ringfence.artifacts.sealing import Memory
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, Unavailable, UsageError, VerificationFailed
from ringfence.testing.artifacts import Counting, MemorySink, MemoryTree
from ringfence.testing.unfinished import Unfinished

CHUNK = 2**16
STEP = CHUNK + TAG_SIZE
NEW = NewSeal(DatasetId("a" * 32), 1, CHUNK, large=CHUNK + 1)
KEY = Counting()(32)  # what a seal draws first
FILE = b"".join(bytes([number]) * CHUNK for number in range(1, 5)) + b"end"  # five chunks
FIRST = 2  # writes before the first chunk: key file, header


class Seal(Unfinished):
    """One seal of large files."""

    def __init__(self, contents):
        super().__init__(NEW, contents)

    def stop(self, writes, torn=0, tree=None):
        with pytest.raises(Unavailable):
            self.run(writes, torn, tree)

    @property
    def begun(self):
        return {name: sink.data for name, sink in self.work.sinks.items() if name.startswith("partial/")}

    def objects(self):
        return {name.removeprefix("objects/") for name in self.work.sinks if name.startswith("objects/")}

    def chunks_written(self, identifier):
        return [number for place, number, _ in self.work.used if place[:16].hex() == identifier]

    def check_nonces(self):
        """Every object and chunk has one ciphertext: the same key and nonce never met another plaintext."""
        assert len({one[:2] for one in self.work.used}) == len(set(self.work.used))

    def check(self, seal):
        self.check_nonces()
        super().check(seal)
        assert not self.begun


def half(contents=None, chunks=3):
    """Return a seal that was stopped in the middle of a chunk of its one file, and the id of that file's object."""
    sealing = Seal(contents or {"a": FILE})
    sealing.stop(FIRST + 2 * chunks, torn=100)  # each chunk is written, then its hash
    (data,) = sealing.begun.values()
    assert HEADER_SIZE + chunks * STEP < len(data) < HEADER_SIZE + (chunks + 1) * STEP
    return sealing, parse_header(bytes(data[:HEADER_SIZE])).object


def test_a_seal_goes_on_inside_a_file_and_writes_nothing_of_it_twice():
    sealing, identifier = half()
    assert sealing.chunks_written(identifier) == [0, 1, 2, 3]
    sealing.check(sealing.run())
    assert identifier in sealing.objects()
    assert sealing.chunks_written(identifier) == [0, 1, 2, 3, 3, 4]  # the torn one again, and those that were missing
    assert [plan.begun for plan in sealing.plans] == [0, 1]
    assert sealing.moved == len(FILE)


def test_a_seal_that_nobody_stops_counts_each_byte_once():
    sealing = Seal({"a": FILE, "odd": FILE[:-1], "small": b"1", "empty": b""})
    sealing.check(sealing.run())
    assert sealing.moved == sum(map(len, sealing.contents.values()))


def test_whoever_seals_it_without_a_stop_gets_objects_of_the_same_kind():
    """A reader sees no difference: the same geometry, the same files, and nothing beside them."""
    sealing, _ = half()
    sealing.check(sealing.run())
    whole = Seal({"a": FILE})
    whole.check(whole.run())
    shape = [
        sorted((name.split("/")[0], len(data)) for name, data in one.work.files.items()) for one in (sealing, whole)
    ]
    assert shape[0] == shape[1]


@pytest.mark.parametrize("torn", [0, 1, HEADER_SIZE - 1, CHUNK])
@pytest.mark.parametrize("writes", range(17))
def test_wherever_it_is_stopped_it_goes_on(writes, torn):
    sealing = Seal({"a": FILE})
    try:
        sealing.run(writes, torn)
    except Unavailable:
        if not sealing.work.journal:
            sealing.work.discard()  # the machine went down before there was a key file
    began = [
        parse_header(bytes(data[:HEADER_SIZE])).object for data in sealing.begun.values() if len(data) >= HEADER_SIZE
    ]
    sealing.check(sealing.run())
    assert set(began) <= sealing.objects()


def at_rest(sealing):
    return copy.deepcopy({name: sink.data for name, sink in sealing.work.sinks.items()})


def put_back(sealing, state):
    sealing.work.sinks.clear()
    for name, data in state.items():
        sealing.work.sinks[name] = MemorySink()
        sealing.work.sinks[name].data[:] = data


def damaged(sealing, states, how, at, size):
    """Do to what lies there what a storage, a power failure or whoever writes to it can do."""
    partials = list(sealing.begun.values())
    if how == "put back" and states:
        put_back(sealing, copy.deepcopy(states[at % len(states)]))
    for data in partials:
        match how:
            case "cut":
                del data[at:]
            case "grow":
                data.extend(bytes(size))
            case "lose":  # a page that was never written
                data[at : at + size] = bytes(len(data[at : at + size]))
            case "flip" if data:
                data[at % len(data)] ^= 1
    if how == "swap" and len(partials) > 1:
        first = bytes(partials[0])
        partials[0][:], partials[1][:] = partials[1], first


def versions(path):
    """Return contents of one length that differ in one chunk each; one is the same for every path."""
    first = path.encode() * CHUNK + FILE[CHUNK : 2 * CHUNK] + b"end"
    return [FILE[: len(first)], first, first[:CHUNK] + first[CHUNK:].swapcase(), first[:-1] + b"."]


contents = st.fixed_dictionaries({"a": st.integers(0, 3), "b": st.integers(0, 3)}, optional={"c": st.integers(0, 3)})
damages = st.sampled_from(["nothing", "put back", "cut", "grow", "lose", "flip", "swap"])
attempts = st.tuples(
    contents, st.integers(1, 24), st.integers(0, STEP), damages, st.integers(0, 3 * STEP), st.integers(0, STEP)
)


@settings(max_examples=80, deadline=None)
@given(st.lists(attempts, max_size=6), contents)
def test_whatever_becomes_of_disk_and_source_no_key_meets_a_nonce_with_two_plaintexts(tried, last):
    sealing, states = Seal({}), []
    for chosen, writes, torn, how, at, size in [*tried, (last, 2**40, 0, "nothing", 0, 0)]:
        sealing.contents = {path: versions(path)[number] for path, number in chosen.items()}
        try:
            seal = sealing.run(writes, torn)
        except Unavailable:
            if not sealing.work.journal:
                sealing.work.discard()
        if sealing.work.journal:
            states.append(at_rest(sealing))
            damaged(sealing, states, how, at, size)
        sealing.check_nonces()
    sealing.check(seal)


class SameToday(MemoryTree):
    """Files whose identity never shows a change, as that of one that is written through a mapping."""

    def listed(self):
        for path, data in self.contents.items():
            yield path, Identity(1, 1, len(data), 0, 0)

    def identity(self, source):
        return Identity(1, 1, source.size, 0, 0)


@pytest.mark.parametrize(
    "change", [0, 2 * CHUNK, 4 * CHUNK], ids=["in what is kept", "at its end", "in what is missing"]
)
def test_a_source_that_changed_unnoticed_is_sealed_under_another_id(change):
    sealing = Seal({"a": FILE})
    sealing.stop(FIRST + 6, 100, SameToday(sealing.contents))
    (data,) = sealing.begun.values()
    before = parse_header(bytes(data[:HEADER_SIZE])).object
    sealing.contents["a"] = FILE[:change] + b"\xff" + FILE[change + 1 :]
    sealing.check(sealing.run(tree=SameToday(sealing.contents)))
    assert before not in sealing.objects()


def test_after_an_older_state_is_put_back_the_same_key_seals_only_the_same():
    """Whoever stores it can have a seal fail, and put back how it was before: no record of what was done is enough."""
    sealing = Seal({"a": FILE})
    sealing.stop(FIRST + 2, 0, SameToday(sealing.contents))
    early = at_rest(sealing)
    sealing.stop(FIRST + 6, 0, SameToday(sealing.contents))
    put_back(sealing, early)
    sealing.contents["a"] = FILE[: 2 * CHUNK] + b"\xff" * CHUNK + FILE[3 * CHUNK :]
    sealing.check(sealing.run(tree=SameToday(sealing.contents)))


def test_a_chunk_that_was_changed_is_written_again_as_it_was():
    sealing, identifier = half()
    (data,) = sealing.begun.values()
    data[HEADER_SIZE + STEP + 5] ^= 1
    sealing.check(sealing.run())
    assert sealing.chunks_written(identifier) == [0, 1, 2, 3, 1, 3, 4]


def test_more_than_a_file_can_have_is_cut_off():
    sealing, identifier = half()
    (data,) = sealing.begun.values()
    data.extend(bytes(3 * STEP))
    sealing.check(sealing.run())
    assert identifier in sealing.objects()


@pytest.mark.parametrize("place", range(0, HEADER_SIZE, 5))
def test_another_header_is_not_gone_on_with(place):
    sealing, identifier = half()
    (data,) = sealing.begun.values()
    data[place] ^= 1
    sealing.check(sealing.run())
    assert identifier not in sealing.objects()
    assert sealing.chunks_written(identifier) == [0, 1, 2, 3]


def test_two_files_of_the_same_content_do_not_go_on_with_each_other():
    sealing = Seal({"a": FILE, "b": FILE})
    sealing.stop(FIRST + 6, 100)
    (name,) = sealing.begun
    other = f"partial/{Binding(KEY, NEW).name('b')}"
    assert name != other
    sealing.work.sinks[other] = sealing.work.sinks[name]
    before = parse_header(bytes(sealing.begun[name][:HEADER_SIZE])).object
    sealing.work.sinks[name] = MemorySink()
    sealing.check(sealing.run())
    assert before not in sealing.objects()


def test_what_was_begun_of_a_file_that_is_gone_or_small_by_now_goes():
    for later in ({"b": b"1"}, {"a": b"now small"}):
        sealing, identifier = half()
        sealing.contents = later
        sealing.check(sealing.run())
        assert sealing.plans[-1].begun == 0
        assert identifier not in sealing.objects()


def test_a_file_that_is_small_by_the_time_it_is_opened_leaves_nothing_begun():
    sealing, _ = half()

    class Late(MemoryTree):
        def listed(self):
            yield from MemoryTree({"a": FILE}).listed()

    sealing.contents = {"a": b"small"}
    sealing.check(sealing.run(tree=Late(sealing.contents)))


class Changing(MemoryTree):
    """A file that reads otherwise the second time, in its third chunk, and looks unchanged."""

    @contextmanager
    def open(self, path):
        yield Flickering(self.contents[path])

    def identity(self, source):
        return Identity(1, 1, source.size, 0, 0)


class Flickering(Memory):
    seen = 0

    def read_into(self, buffer, offset):
        count = super().read_into(buffer, offset)
        if offset == 2 * CHUNK:
            Flickering.seen += 1
            buffer[7] = Flickering.seen % 256
        return count


def test_what_was_not_read_first_is_not_encrypted():
    """The salt stands for what was read first: a chunk that is another one by now ends the seal unencrypted."""
    sealing = Seal({"a": FILE})
    for _ in range(3):
        with pytest.raises(Conflict, match="a changed while it was being sealed"):
            sealing.run(tree=Changing(sealing.contents))
        sealing.check_nonces()
    assert {number for _, number, _ in sealing.work.used} == {0, 1}
    sealing.check(sealing.run())


@pytest.mark.parametrize("moved", ["shrinks", "is touched"])
def test_a_file_that_changes_while_it_is_read_ends_the_seal_and_what_was_begun_stays(moved):
    class Shrinking(Memory):
        @property
        def size(self):
            return len(self.data) + 1

    class Shrunk(MemoryTree):
        @contextmanager
        def open(self, path):
            yield Shrinking(self.contents[path])

        def identity(self, source):
            return Identity(1, 1, source.size, 0, 0)

    sealing = Seal({"a": FILE})
    tree = Shrunk(sealing.contents) if moved == "shrinks" else MemoryTree(sealing.contents, frozenset("a"))
    with pytest.raises(Conflict, match="a changed"):
        sealing.run(tree=tree)
    assert len(sealing.begun) == (moved == "is touched")
    sealing.check(sealing.run())


def test_an_authentic_chunk_that_is_not_the_files_is_never_written_beside():
    """It cannot be, unless memory failed: the same nonce with what the file holds would then be a second plaintext."""
    sealing, _ = half()
    (data,) = sealing.begun.values()
    cipher, out = Cipher(parse_header(bytes(data[:HEADER_SIZE])), KEY), memoryview(bytearray(STEP))
    cipher.encrypt_into(1, memoryview(b"x" * CHUNK), out)
    data[HEADER_SIZE + STEP : HEADER_SIZE + 2 * STEP] = out
    before = list(sealing.work.used)
    with pytest.raises(VerificationFailed, match="of a before, in chunk 1, is not what it holds; seal with --anew"):
        sealing.run()
    assert sealing.work.used == before


class Unread(Memory):
    """More than an object holds; nobody is to read it for hours before that is said."""

    @property
    def size(self):
        return chunk.longest(CHUNK) + 1

    def read_into(self, buffer, offset):
        raise AssertionError((len(buffer), offset))


def test_a_file_that_no_object_holds_is_refused_before_it_is_read():
    class Tree(MemoryTree):
        @contextmanager
        def open(self, path):
            yield Unread(self.contents[path])

        def identity(self, source):
            return Identity(1, 1, source.size, 0, 0)

    with pytest.raises(UsageError, match="larger than"):
        Seal({}).run(tree=Tree({"a": FILE}))


def test_nothing_that_is_begun_shows_path_or_content():
    sealing, _ = half({"patients/alice": b"diagnosis" * 40_000}, 2)
    ((name, data),) = sealing.begun.items()
    assert b"diagnosis" not in data
    assert "alice" not in name
    assert Binding(bytes(32), NEW).name("patients/alice") not in name


def test_a_salt_is_of_everything_that_is_sealed_under_it():
    one = ObjectId("1" * 32), "a", 5, Digest.of(b"12345")
    others = [
        (ObjectId("2" * 32), *one[1:]),
        (one[0], "b", *one[2:]),
        (*one[:2], 6, one[3]),
        (*one[:3], Digest.of(b"12346")),
    ]
    seals = [
        NEW,
        NewSeal(NEW.dataset, 2, CHUNK),
        NewSeal(DatasetId("b" * 32), 1, CHUNK),
        NewSeal(NEW.dataset, 1, 2 * CHUNK),
    ]
    salts = [Binding(KEY, new).salt(*given) for new in seals for given in (one, *others)]
    salts.append(Binding(bytes(32), NEW).salt(*one))
    assert len(set(salts)) == len(salts)
    assert Binding(KEY, NEW).salt(*one) == salts[0]


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5), st.data())
def test_a_mark_tells_a_chunk_from_every_other(chunks, data):
    content = Content(bytes(32))
    for one in chunks:
        content.add(memoryview(one))
    assert content.digest == Digest.of(b"".join(chunks))
    number = data.draw(st.integers(0, len(chunks) - 1))
    other = data.draw(st.binary(max_size=40))
    assert content.has(number, memoryview(other)) == (other == chunks[number])
    assert not content.has(len(chunks), memoryview(chunks[0]))
