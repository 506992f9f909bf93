"""Seal a tree of files: one pass, two buffers, nothing by name twice (docs/specs/sealed-dataset.md)."""

import hashlib
from collections.abc import Iterator
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
    DatasetId,
    FileEntry,
    Header,
    Kind,
    Manifest,
    Record,
    Seal,
    Wrapping,
)
from ringfence.artifacts.ports import Folder, Keyring, PlainTree, Random, Sink, Source
from ringfence.artifacts.seal import print_key_file, print_seal
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, UsageError


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


@dataclass(frozen=True, slots=True)
class NewSeal:
    """What a seal is to be called."""

    dataset: DatasetId
    epoch: int
    chunk_size: int


def seal_tree(files: PlainTree, folder: Folder, new: NewSeal, keyring: Keyring, random: Random) -> Seal:
    """Write a whole sealed dataset into `folder` and return its seal.

    Raises:
        Conflict: a file changed while it was read.
        UsageError: nothing to seal, too much, or a name that cannot be sealed.
        Unavailable: the disk is full.
    """
    key = bytearray(random(KEY_SIZE))
    try:
        sealer = _Sealer(folder, new, key, random)
        entries = [sealer.file(path, source) for path, source in _bounded(files)]
        if not entries:
            raise UsageError("there is no file to seal in this folder")
        manifest = Manifest(new.dataset, new.epoch, random(SALT_SIZE), ordered(entries))
        seal = _finish(sealer, manifest)
        _write(folder, "key.json", print_key_file(seal, [Wrapping(keyring.kek, keyring.wrap(key))]))
        _write(folder, "seal.json", print_seal(seal))
        return seal
    finally:
        key[:] = bytes(len(key))


def _bounded(files: PlainTree) -> Iterator[tuple[str, Source]]:
    for count, (path, source) in enumerate(files.files()):
        if count == MAX_FILES:
            raise UsageError(f"a sealed dataset has at most {MAX_FILES} files; pack small files into larger ones")
        yield check_path(path), source


def _finish(sealer: "_Sealer", manifest: Manifest) -> Seal:
    data = print_manifest(manifest)
    if len(data) > MAX_MANIFEST:
        raise UsageError("the paths of this folder are too long in all; seal it in parts")
    manifest_id = sealer.object("the manifest", Memory(data), Kind.MANIFEST, hashlib.sha256())
    table = index.print_index(sealer.records)
    _write(sealer.folder, "index", table)
    return Seal(
        dataset=manifest.dataset,
        epoch=manifest.epoch,
        chunk_size=sealer.new.chunk_size,
        objects=len(manifest.files),
        total_bytes=sum(file.size for file in manifest.files),
        ciphertext_root=index.ciphertext_root(sealer.records),
        plaintext_root=plaintext_root(manifest),
        index=Digest.of(table),
        manifest=manifest_id.object,
        key_commitment=chunk.key_commitment(sealer.key, manifest.dataset, manifest.epoch),
    )


def _write(folder: Folder, name: str, data: bytes) -> None:
    with folder.create(name) as sink:
        sink.write(data)


class _Sealer:
    """Seals one object after the other through the same two buffers."""

    def __init__(self, folder: Folder, new: NewSeal, key: bytearray, random: Random) -> None:
        self.folder, self.new, self.key = folder, new, key
        self.records: list[Record] = []
        self._random = random
        self._plain = memoryview(bytearray(new.chunk_size))
        self._sealed = memoryview(bytearray(new.chunk_size + TAG_SIZE))

    def file(self, path: str, source: Source) -> FileEntry:
        state = hashlib.sha256()
        record = self.object(path, source, Kind.FILE, state)
        return FileEntry(path, record.object, record.length, Digest(state.digest()))

    def object(self, path: str, source: Source, kind: Kind, state: "hashlib._Hash") -> Record:
        header = chunk.new_header(
            self.key,
            dataset=self.new.dataset,
            epoch=self.new.epoch,
            kind=kind,
            chunk_size=self.new.chunk_size,
            length=source.size,
            fresh=self._random(ID_SIZE + SALT_SIZE),
        )
        cipher, printed = Cipher(header, self.key), chunk.print_header(header)
        with self.folder.create(f"objects/{header.object}") as sink, self._hashes(header, cipher) as hashes:
            sink.write(printed)
            root = tree.head(self._chunks(path, source, cipher, state, sink, hashes))
        if not source.unchanged():
            raise _changed(path)
        record = Record(header.object, header.length, cipher.geometry.chunks, Digest.of(printed), root)
        self.records.append(record)
        return record

    def _hashes(self, header: Header, cipher: Cipher) -> AbstractContextManager[Sink | None]:
        return self.folder.create(f"chunks/{header.object}") if cipher.geometry.chunks > 1 else nullcontext()

    def _chunks(
        self, path: str, source: Source, cipher: Cipher, state: "hashlib._Hash", sink: Sink, hashes: Sink | None
    ) -> Iterator[bytes]:
        geometry = cipher.geometry
        for number in range(geometry.chunks):
            size = geometry.plain_size(number)
            plain, sealed = self._plain[:size], self._sealed[: size + TAG_SIZE]
            if source.read_into(plain, number * geometry.chunk_size) != size:
                raise _changed(path)
            state.update(plain)
            cipher.encrypt_into(number, plain, sealed)
            sink.write(sealed)
            found = chunk_hash(sealed)
            if hashes is not None:
                hashes.write(found)
            yield found


def _changed(path: str) -> Conflict:
    return Conflict(f"{path} changed while it was being sealed; seal again when nothing writes to it")
