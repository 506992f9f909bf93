import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts import journal
from ringfence.artifacts.journal import Order, parse_journal, print_finished, print_order
from ringfence.artifacts.model import DatasetId, DatasetName, FileEntry, Finished, Identity, ObjectId, Record
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.artifacts import Counting

KEY = bytes(range(32))
ORDER = Order(DatasetName("claims"), DatasetId("a" * 32), 3, 2**16)
numbers = st.integers(-(2**63), 2**64 - 1)


@st.composite
def finished(draw, path=None):
    length = draw(st.integers(0, 2**20))
    name = ObjectId(draw(st.binary(min_size=16, max_size=16)).hex())
    made = [Digest(draw(st.binary(min_size=32, max_size=32))) for _ in range(3)]
    path = path or draw(st.text("abcü/", min_size=1, max_size=9).filter(lambda p: all(p.split("/"))))
    record = Record(name, length, max(1, -(-length // 2**16)), made[0], made[1].value)
    return Finished(FileEntry(path, name, length, made[2]), record, Identity(*(draw(numbers) for _ in range(5))))


def printed(done, salts=None):
    salts = salts or Counting()
    return print_order(KEY, ORDER, salts(32)) + b"".join(print_finished(KEY, one, salts(32)) for one in done)


@given(st.lists(finished(), max_size=5, unique_by=lambda one: one.entry.path))
def test_what_was_noted_reads_back(done):
    data = printed(done)
    found = parse_journal(data, KEY)
    assert (found.order, found.finished, found.size) == (ORDER, tuple(done), len(data))


@given(st.lists(finished(), min_size=1, max_size=4, unique_by=lambda one: one.entry.path), st.data())
def test_a_torn_or_changed_line_ends_what_counts_and_nothing_else_is_believed(done, data):
    whole = printed(done)
    at = data.draw(st.integers(len(printed([])), len(whole) - 1))
    if data.draw(st.booleans()):
        torn = whole[:at]
    else:
        torn = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    found = parse_journal(torn, KEY)
    assert found.finished == tuple(done[: len(found.finished)])
    assert len(found.finished) < len(done)
    assert printed(done[: len(found.finished)]) == torn[: found.size]


@given(finished(path="a"), finished(path="a"))
def test_of_a_file_that_was_sealed_again_the_later_line_counts(first, second):
    assert parse_journal(printed([first, second]), KEY).finished == (second,)


@pytest.mark.parametrize("data", [b"", b"\0\0\0\x30" + bytes(48), printed([])[:-1]])
def test_without_its_first_line_a_journal_says_nothing(data):
    with pytest.raises(MalformedInput, match="cannot be read"):
        parse_journal(data, KEY)


def test_another_key_reads_nothing():
    with pytest.raises(MalformedInput, match="cannot be read"):
        parse_journal(printed([]), bytes(32))


@given(finished())
def test_paths_and_digests_of_plaintext_are_not_in_the_clear(done):
    data = printed([done])
    assert done.entry.digest.value not in data
    assert done.entry.digest.hex.encode() not in data
    assert b"path" not in data


@pytest.mark.parametrize(
    "change",
    [
        {"path": "../x"}, {"sha256": "00"}, {"object": "x"}, {"length": -1}, {"length": "1"}, {"chunkRoot": None},
        {"identity": []}, {"identity": ["1"] * 6}, {"identity": ["1", "1", "1", "1", "1.5"]}, {"identity": [1] * 5},
    ],
)  # fmt: skip
def test_a_line_that_describes_no_file_is_refused(change):
    record = Record(ObjectId("b" * 32), 1, 1, Digest(bytes(32)), bytes(32))
    done = Finished(FileEntry("a", record.object, 1, Digest(bytes(32))), record, Identity(1, 2, 3, 4, 5))
    assert journal.from_json(journal.to_json(done), 2**16) == done
    with pytest.raises(MalformedInput):
        journal.from_json(journal.to_json(done) | change, 2**16)
