"""Seal a tree of files: one pass, two buffers, nothing by name twice (docs/specs/sealed-dataset.md)."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from ringfence.artifacts import chunk, index, tree
from ringfence.artifacts.chunk import TAG_SIZE, Cipher, chunk_hash
from ringfence.artifacts.manifest import MAX_MANIFEST, check_path, ordered, plaintext_root, print_manifest
from ringfence.artifacts.model import (
    ID_SIZE,
    KEY_SIZE,
    MAX_FILES,
    SALT_SIZE,
    FileEntry,
    Header,
    Kind,
    Manifest,
    NewSeal,
    Record,
    Seal,
    SealedFile,
    Wrapping,
)
from ringfence.artifacts.ports import Folder, Keyring, Moved, PlainTree, Random, Sink, Source
from ringfence.artifacts.seal import KEY_FILE, print_key_file, print_seal
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, UsageError

__all__ = [
    "Memory",
    "Moved",
    "NewSeal",
    "ObjectSealer",
    "bounded",
    "changed",
    "conclude",
    "listed",
    "seal_tree",
    "write",
]


@dataclass(frozen=True, slots=True)
class Memory:
    """A source that is already in memory: the manifest."""

    data: bytes

    @property
    def size(self) -> int:
        """Return the number of bytes."""
        return len(self.data)

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Copy bytes."""
        part = self.data[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        return len(part)

    def unchanged(self) -> bool:
        """Bytes do not change."""
        return True


def seal_tree(files: PlainTree, folder: Folder, new: NewSeal, keyring: Keyring, random: Random) -> Seal:
    """Write a whole sealed dataset into `folder` and return its seal.

    Raises:
        Conflict: a file changed while it was read.
        UsageError: nothing to seal, too much, or a name that cannot be sealed.
        Unavailable: the disk is full.
    """
    key = bytearray(random(KEY_SIZE))
    try:
        sealer = ObjectSealer(folder, new, key, random)
        done = [sealer.file(path, source) for path, source in _bounded(files)]
        seal = conclude(sealer, done)
        write(folder, KEY_FILE, print_key_file(new, [Wrapping(keyring.kek, keyring.wrap(key))]))
        write(folder, "seal.json", print_seal(seal))
        return seal
    finally:
        key[:] = bytes(len(key))


def _bounded(files: PlainTree) -> Iterator[tuple[str, Source]]:
    for count, (path, source) in enumerate(files.files()):
        yield bounded(count, path), source


def bounded(count: int, path: str) -> str:
    """Return the path of the file after `count` others; raise `UsageError` where a dataset cannot take it."""
    if count == MAX_FILES:
        raise UsageError(f"a sealed dataset has at most {MAX_FILES} files; pack small files into larger ones")
    return check_path(path)


def conclude(sealer: "ObjectSealer", done: Sequence[SealedFile]) -> Seal:
    """Seal the manifest of files that are sealed, write the index, and return what the seal file says."""
    if not done:
        raise UsageError("there is no file to seal in this folder")
    entries = ordered([one.entry for one in done])
    manifest = Manifest(sealer.new.dataset, sealer.new.epoch, sealer.random(SALT_SIZE), entries)
    return listed(sealer, [one.record for one in done], manifest)


def listed(sealer: "ObjectSealer", records: Sequence[Record], manifest: Manifest) -> Seal:
    """Seal a manifest, and write the index over it and the records of its files."""
    data = print_manifest(manifest)
    if len(data) > MAX_MANIFEST:
        raise UsageError("the paths of this folder are too long in all; seal it in parts")
    own = sealer.object("the manifest", Memory(data), Kind.MANIFEST, hashlib.sha256())
    table = index.print_index([*records, own])
    write(sealer.folder, "index", table)
    return Seal(
        dataset=manifest.dataset,
        epoch=manifest.epoch,
        chunk_size=sealer.new.chunk_size,
        objects=len(manifest.files),
        total_bytes=sum(file.size for file in manifest.files),
        ciphertext_root=index.ciphertext_root([*records, own]),
        plaintext_root=plaintext_root(manifest),
        index=Digest.of(table),
        manifest=own.object,
        key_commitment=chunk.key_commitment(sealer.key, manifest.dataset, manifest.epoch),
    )


def write(folder: Folder, name: str, data: bytes) -> None:
    """Write a whole small file."""
    with folder.create(name) as sink:
        sink.write(data)


class ObjectSealer:
    """Seals one object after the other through the same two buffers."""

    def __init__(
        self, folder: Folder, new: NewSeal, key: bytearray, random: Random, moved: Moved = lambda _size: None
    ) -> None:
        """Prepare; `moved` hears how many bytes of plaintext each chunk had."""
        self.folder, self.new, self.key, self.random, self.moved = folder, new, key, random, moved
        self.plain = memoryview(bytearray(new.chunk_size))
        self.sealed = memoryview(bytearray(new.chunk_size + TAG_SIZE))

    def file(self, path: str, source: Source) -> SealedFile:
        """Seal a file under an id and a salt that nothing had before."""
        state = hashlib.sha256()
        record = self.object(path, source, Kind.FILE, state)
        return SealedFile(FileEntry(path, record.object, record.length, Digest(state.digest())), record)

    def object(self, path: str, source: Source, kind: Kind, state: "hashlib._Hash") -> Record:
        """Seal what a source gives; `state` hashes the plaintext."""
        header = chunk.new_header(
            self.key,
            dataset=self.new.dataset,
            epoch=self.new.epoch,
            kind=kind,
            chunk_size=self.new.chunk_size,
            length=source.size,
            fresh=self.random(ID_SIZE + SALT_SIZE),
        )
        cipher, printed = Cipher(header, self.key), chunk.print_header(header)
        with self.folder.create(f"objects/{header.object}") as sink, self._hashes(header, cipher) as hashes:
            sink.write(printed)
            root = tree.head(self._chunks(path, source, cipher, state, sink, hashes))
        if not source.unchanged():
            raise changed(path)
        return Record(header.object, header.length, cipher.geometry.chunks, Digest.of(printed), root)

    def _hashes(self, header: Header, cipher: Cipher) -> AbstractContextManager[Sink | None]:
        return self.folder.create(f"chunks/{header.object}") if cipher.geometry.chunks > 1 else nullcontext()

    def _chunks(
        self, path: str, source: Source, cipher: Cipher, state: "hashlib._Hash", sink: Sink, hashes: Sink | None
    ) -> Iterator[bytes]:
        geometry = cipher.geometry
        for number in range(geometry.chunks):
            size = geometry.plain_size(number)
            plain, sealed = self.plain[:size], self.sealed[: size + TAG_SIZE]
            if source.read_into(plain, number * geometry.chunk_size) != size:
                raise changed(path)
            state.update(plain)
            cipher.encrypt_into(number, plain, sealed)
            sink.write(sealed)
            found = chunk_hash(sealed)
            if hashes is not None:
                hashes.write(found)
            self.moved(size)
            yield found


def changed(path: str) -> Conflict:
    """Return the error of a file that is not what it was."""
    return Conflict(f"{path} changed while it was being sealed; seal again when nothing writes to it")
