import pytest

from ringfence.artifacts import sealing
from ringfence.artifacts.model import DatasetId
from ringfence.artifacts.opening import open_dataset
from ringfence.artifacts.sealing import Memory, NewSeal, seal_tree
from ringfence.kernel.errors import Conflict, MalformedInput, Unavailable, UsageError
from ringfence.testing.artifacts import Counting, MemoryFolder, MemoryKeyring, MemoryTree, sealed_in_memory

CHUNK = 2**16
CONTENTS = {
    "empty": b"",
    "one": b"x" * CHUNK,
    "two": bytes(range(256)) * 512,
    "deep/er/odd": b"y" * (2 * CHUNK + 1),
}
NEW = NewSeal(DatasetId("a" * 32), 1, CHUNK)


def test_empty_files_and_files_of_exactly_k_chunks_come_back():
    sealed = sealed_in_memory(CONTENTS)
    with open_dataset(sealed.vault, sealed.digest, 1, sealed.keyring) as opened:
        for path, data in CONTENTS.items():
            with opened.reader(path) as reader:
                assert reader.read_at(0, reader.size) == data
                assert reader.chunks_total == max(1, -(-len(data) // CHUNK))
        assert set(opened.files) == set(CONTENTS)


def test_only_objects_of_several_chunks_have_chunk_hashes():
    names = sealed_in_memory(CONTENTS).vault.listing()
    assert len(names.objects) == len(CONTENTS) + 1
    assert len(names.chunks) == 2
    assert names.top == {"seal.json", "key.json", "index", "objects", "chunks"}


def test_nothing_at_rest_shows_content_or_path():
    sealed = sealed_in_memory({"patients/alice": b"diagnosis" * 100})
    everything = b"".join(name.encode() + data for name, data in sealed.vault.files.items())
    assert b"diagnosis" not in everything
    assert b"alice" not in everything


def test_equal_files_have_different_ciphertext():
    sealed = sealed_in_memory({"a": b"same" * 100, "b": b"same" * 100})
    bodies = [data[128:] for name, data in sealed.vault.files.items() if name.startswith("objects/")]
    assert len(set(bodies)) == len(bodies)


def test_each_epoch_has_its_own_key_and_ids():
    first, second = (sealed_in_memory(CONTENTS, epoch=epoch) for epoch in (1, 2))
    assert first.seal.key_commitment != second.seal.key_commitment
    assert first.vault.listing().objects.isdisjoint(second.vault.listing().objects)


def sealing_of(tree, folder=None):
    return seal_tree(tree, folder or MemoryFolder(), NEW, MemoryKeyring(), Counting())


def test_a_file_that_changes_while_it_is_read_ends_the_seal():
    with pytest.raises(Conflict, match="b changed"):
        sealing_of(MemoryTree({"a": b"1", "b": b"2"}, moving=frozenset("b")))


def test_a_file_that_shrinks_while_it_is_read_ends_the_seal():
    class Shrinking(Memory):
        @property
        def size(self):
            return len(self.data) + 1

    class Tree:
        def files(self):
            yield "a", Shrinking(b"12")

    with pytest.raises(Conflict, match="a changed"):
        sealing_of(Tree())


def test_a_full_disk_is_reported():
    with pytest.raises(Unavailable, match="full"):
        sealing_of(MemoryTree({"a": b"1" * 1000}), MemoryFolder(room=500))


def test_nothing_to_seal():
    with pytest.raises(UsageError, match="no file"):
        sealing_of(MemoryTree({}))


def test_too_many_files():
    class Endless:
        def files(self):
            while True:
                yield "a", Memory(b"")

    bounded = sealing._bounded(Endless())
    with pytest.raises(UsageError, match="at most 1048576"):
        for _ in bounded:
            pass


@pytest.mark.parametrize("path", ["a\nb", "a\udcff", "a\\b"])
def test_names_that_cannot_be_opened_again_are_refused_at_once(path):
    with pytest.raises(MalformedInput):
        sealing_of(MemoryTree({path: b""}))


def test_the_dataset_key_is_overwritten_even_after_an_error():
    kept = []

    class Keyring(MemoryKeyring):
        def wrap(self, dataset_key):
            kept.append(dataset_key)
            raise Unavailable("the token is gone")

    with pytest.raises(Unavailable):
        seal_tree(MemoryTree({"a": b"1"}), MemoryFolder(), NEW, Keyring(), Counting())
    assert kept == [bytearray(32)]
