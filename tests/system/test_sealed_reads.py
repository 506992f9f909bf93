"""Each stored byte is read once, counted by us and by the kernel; no byte of any file changes unseen."""

import os
import random
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from ringfence.artifacts.blobs import Home, PlainFolder
from ringfence.artifacts.keyring import FileKeyring
from ringfence.artifacts.local import silent
from ringfence.artifacts.model import Custody, DatasetId, DatasetName, NewSeal, ReadMode
from ringfence.artifacts.opening import extract, open_dataset
from ringfence.artifacts.resuming import alone, seal_files
from ringfence.artifacts.seal import print_seal
from ringfence.artifacts.verifying import verify
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import RingfenceError, Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.testing.artifacts import MemoryFolder, MemoryVault, sealed_in_memory

SOAK = os.environ.get("RINGFENCE_SOAK") == "1"
MUTATIONS = 10_000 if SOAK else 200
CHUNK = 2**16
CONTENTS = {"a": bytes(range(256)) * 1024 * 3, "b/c": b"small", "empty": b"", "exact": bytes(CHUNK)}
KEYRING = FileKeyring(bytes(32), Custody.EXTERNAL)
DATASET = DatasetId("a" * 32)


class Counted:
    """A source that counts how often each of its bytes is read."""

    def __init__(self, source, seen):
        self._source, self._seen = source, seen

    def __getattr__(self, name):
        return getattr(self._source, name)

    def read_into(self, buffer, offset):
        count = self._source.read_into(buffer, offset)
        self._seen.update(range(offset, offset + count))
        return count


class CountedVault(MemoryVault):
    """A dataset whose objects are counted."""

    def __init__(self, files):
        super().__init__(files)
        self.seen = {name: Counter() for name in files}

    @contextmanager
    def open(self, name):
        with super().open(name) as source:
            yield Counted(source, self.seen[name])


@pytest.mark.parametrize("mode", ReadMode)
def test_each_byte_of_each_object_is_read_once(mode):
    sealed = sealed_in_memory(CONTENTS)
    vault = CountedVault(sealed.vault.files)
    with open_dataset(vault, sealed.digest, 1, sealed.keyring) as dataset:
        for path, content in CONTENTS.items():
            with dataset.reader(path, mode) as reader:
                assert b"".join(map(bytes, reader.chunks())) == content
    for name, data in vault.files.items():
        if name.startswith("objects/"):
            assert set(vault.seen[name].values()) == {1}, name
            assert len(vault.seen[name]) == len(data)


def test_each_byte_of_the_plain_files_is_read_once_while_they_are_sealed(tmp_path):
    seen = {path: Counter() for path in CONTENTS}

    class Tree(PlainFolder):
        @contextmanager
        def open(self, path):
            with super().open(path) as source:
                yield Counted(source, seen[path])

        def identity(self, source):
            return super().identity(source._source)

    seal(tmp_path, Tree)
    for path, content in CONTENTS.items():
        assert dict(seen[path]) == dict.fromkeys(range(len(content)), 1)


def seal(tmp_path, tree=PlainFolder):
    for path, content in CONTENTS.items():
        (tmp_path / "source" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / path).write_bytes(content)
    with Home(tmp_path).working(Tenant("acme"), {}, lambda _work: False) as work:
        files, new = tree(tmp_path / "source"), NewSeal(DATASET, 1, CHUNK)
        made = seal_files(DatasetName("x"), files, work, new, KEYRING, os.urandom, alone(os.urandom), silent)
        work.publish(DATASET, 1)
        work.settle(None)
    return Digest.of(print_seal(made))


def read_so_far():
    """Return how many bytes this process has read by system calls, as the kernel counts them."""
    return int(Path("/proc/thread-self/io").read_text().split("rchar: ")[1].split()[0])


def test_the_kernel_counts_no_byte_twice(tmp_path):
    digest, folder = seal(tmp_path), MemoryFolder()
    stored = sum(path.stat().st_size for path in (tmp_path / "datasets" / DATASET).rglob("*") if path.is_file())
    own = -read_so_far() + read_so_far()  # what the counting itself reads
    before = read_so_far()
    with Home(tmp_path).vault(DATASET, 1) as vault, open_dataset(vault, digest, 1, KEYRING) as dataset:
        extract(dataset, folder)
    read = read_so_far() - before - own
    assert folder.files == CONTENTS
    assert read <= stored + 64  # the file of the counters has not always the same length


@pytest.fixture(scope="module")
def whole():
    return sealed_in_memory(CONTENTS)


@pytest.mark.parametrize("part", ["seal.json", "key.json", "index", "manifest", "object", "chunks"])
def test_no_byte_of_any_file_changes_unseen(whole, part):
    """Every kind of file, evenly: one byte changed, a piece cut out, zeroed or doubled."""
    chance = random.Random(part)  # noqa: S311 - where to damage, not a secret
    names = sorted(whole.vault.files)
    names = {
        "manifest": [f"objects/{whole.seal.manifest}"],
        "object": [name for name in names if name.startswith("objects/")],
        "chunks": [name for name in names if name.startswith("chunks/")],
    }.get(part, [part])
    for _ in range(MUTATIONS // 6 + 1):
        name = chance.choice(names)
        data = bytearray(whole.vault.files[name])
        at, size = chance.randrange(len(data)), chance.choice([1, 16, 32])
        match chance.randrange(4):
            case 0:
                data[at] ^= chance.randrange(1, 256)
            case 1:
                del data[at : at + size]
            case 2:
                data[at : at + size] = data[at : at + size] * 2
            case 3 if any(data[at : at + size]):
                data[at : at + size] = bytes(len(data[at : at + size]))
            case _:
                continue
        check_refused_or_equal(whole, name, bytes(data))


def check_refused_or_equal(whole, name, data):
    vault, folder = MemoryVault(whole.vault.files | {name: data}), MemoryFolder()
    if name != "key.json":  # only its form is judged without the key
        assert not verify(vault, whole.digest, 1).passed
    try:
        assert not verify(vault, whole.digest, 1, whole.keyring).passed or name == "key.json"
    except Unavailable:  # it names another key-encryption key, which is not at hand: no verdict
        assert name == "key.json"
    try:
        with open_dataset(vault, whole.digest, 1, whole.keyring) as dataset:
            extract(dataset, folder)
    except RingfenceError:
        return
    assert folder.files == CONTENTS  # hashes are not looked at in this mode: what was handed out is right
