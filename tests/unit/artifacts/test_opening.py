import pytest

from ringfence.artifacts import index, opening, sealing
from ringfence.artifacts.manifest import plaintext_root
from ringfence.artifacts.model import DamagedSeal, FileEntry, Manifest, ObjectId
from ringfence.artifacts.opening import check, extract, open_dataset, unlock
from ringfence.artifacts.seal import print_key_file, print_seal
from ringfence.artifacts.sealing import NewSeal
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, Unavailable
from ringfence.testing.artifacts import (
    Counting,
    InMemory,
    MemoryFolder,
    MemoryKeyring,
    MemoryVault,
    sealed_in_memory,
)

CONTENTS = {"a/b": b"1" * 70_000, "c": b""}


def opened(sealed, keyring=None):
    return open_dataset(sealed.vault, sealed.digest, sealed.seal.epoch, keyring or sealed.keyring)


def test_extract_writes_every_file():
    folder = MemoryFolder()
    with opened(sealed_in_memory(CONTENTS)) as dataset:
        extract(dataset, folder)
    assert folder.files == CONTENTS


def test_the_key_is_overwritten_when_the_dataset_is_closed():
    with opened(sealed_in_memory(CONTENTS)) as dataset:
        key = dataset.key
        assert key != bytes(32)
    assert key == bytearray(32)


def test_a_file_that_the_dataset_does_not_hold():
    with opened(sealed_in_memory(CONTENTS)) as dataset, pytest.raises(NotFound), dataset.reader("a"):
        pass


@pytest.mark.parametrize("name", ["seal.json", "index", "key.json"])
@pytest.mark.parametrize("change", [lambda d: b"", lambda d: d[:-2], lambda d: d[:40] + bytes([d[40] ^ 1]) + d[41:]])  # noqa: ARG005
def test_seal_index_and_key_file_must_be_those_that_were_signed(name, change):
    sealed = sealed_in_memory(CONTENTS)
    sealed.vault.files[name] = change(sealed.vault.files[name])
    with pytest.raises(DamagedSeal) as caught, opened(sealed):
        pass
    assert caught.value.failure.part == name


@pytest.mark.parametrize("name", ["seal.json", "index", "key.json"])
def test_missing_parts_are_named(name):
    sealed = sealed_in_memory(CONTENTS)
    del sealed.vault.files[name]
    with pytest.raises(DamagedSeal, match="is missing"), opened(sealed):
        pass


def test_an_index_of_another_dataset_is_refused():
    sealed, other = sealed_in_memory(CONTENTS), sealed_in_memory({"x": b"1"}, epoch=2)
    sealed.vault.files["index"] = other.vault.files["index"]
    with pytest.raises(DamagedSeal, match="index: it is not the index that was signed"):
        check(sealed.vault, sealed.digest, 1)


def test_another_keyring_is_told_which_key_is_needed():
    sealed = sealed_in_memory(CONTENTS)
    with pytest.raises(Unavailable, match=sealed.keyring.kek):
        unlock(sealed.vault, sealed.seal, MemoryKeyring("two"))


def test_a_substituted_wrapping_is_refused_by_the_commitment():
    sealed, other = sealed_in_memory(CONTENTS), MemoryKeyring()
    wrapping = opening.parse_key_file(sealed.vault.files["key.json"], sealed.seal)[0]
    forged = type(wrapping)(wrapping.kek, other.wrap(bytes(32)))
    sealed.vault.files["key.json"] = print_key_file(sealed.seal, [forged])
    with pytest.raises(DamagedSeal, match="not the one to which the seal commits"):
        unlock(sealed.vault, sealed.seal, other)


def forged_by_the_key_holder(change_paths):
    """Seal as somebody would who holds the key and signs, but leaves out our own checks."""
    folder, keyring, random = MemoryFolder(), MemoryKeyring(), Counting()
    new, key = NewSeal("a" * 32, 1, 65536), bytearray(random(32))
    sealer = sealing.ObjectSealer(folder, new, key, random)
    done = [sealer.file(path, sealing.Memory(b"evil")) for path in ("a", "b")]
    forged = Manifest("a" * 32, 1, random(32), change_paths([one.entry for one in done]))
    seal = sealing.listed(sealer, [one.record for one in done], forged)
    sealing.write(folder, "key.json", print_key_file(seal, [sealing.Wrapping(keyring.kek, keyring.wrap(key))]))
    sealing.write(folder, "seal.json", print_seal(seal))
    return InMemory(MemoryVault(folder.files), Digest.of(print_seal(seal)), seal, keyring)


@pytest.mark.parametrize("path", ["../outside", "/etc/cron.d/x", "a/../../x", "x\n"])
def test_a_signed_manifest_with_a_path_that_leaves_the_folder_is_refused_before_anything_is_written(path):
    def leave(entries):
        first, second = entries
        return tuple(sorted([FileEntry(path, first.object, 4, first.digest), second], key=lambda f: f.path))

    sealed, folder = forged_by_the_key_holder(leave), MemoryFolder()
    with pytest.raises(DamagedSeal, match="manifest"), opened(sealed) as dataset:
        extract(dataset, folder)
    assert folder.files == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda entries: entries[:1],
        lambda entries: (entries[0], FileEntry("b", ObjectId("f" * 32), 4, entries[1].digest)),
        lambda entries: (entries[0], FileEntry("b", entries[1].object, 5, entries[1].digest)),
    ],
)
def test_a_manifest_that_does_not_list_exactly_the_objects_is_refused(change):
    with (
        pytest.raises(DamagedSeal, match="does not list the objects"),
        opened(forged_by_the_key_holder(lambda entries: tuple(change(entries)))),
    ):
        pass


def test_a_manifest_with_a_wrong_digest_is_found_when_the_file_is_extracted():
    def lie(entries):
        return (entries[0], FileEntry("b", entries[1].object, 4, Digest.of(b"good")))

    with (
        opened(forged_by_the_key_holder(lie)) as dataset,
        pytest.raises(DamagedSeal, match="b: the file does not have the digest"),
    ):
        extract(dataset, MemoryFolder())


def test_the_plaintext_root_that_was_signed_is_checked():
    sealed = sealed_in_memory(CONTENTS)
    with opened(sealed) as dataset:
        assert plaintext_root(dataset.manifest) == sealed.seal.plaintext_root
        records = list(dataset.checked.records.values())
    assert index.ciphertext_root(records) == sealed.seal.ciphertext_root
