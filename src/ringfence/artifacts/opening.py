"""Open a sealed dataset: from the signed digest of its seal to verified bytes of its files."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from ringfence.artifacts import chunk, index
from ringfence.artifacts.manifest import MAX_MANIFEST, parse_manifest, plaintext_root
from ringfence.artifacts.model import (
    KEY_SIZE,
    DamagedSeal,
    Failure,
    FileEntry,
    Manifest,
    ObjectId,
    ReadMode,
    Record,
    Seal,
)
from ringfence.artifacts.ports import Folder, Keyring, Vault
from ringfence.artifacts.reader import Label, ObjectReader, verify_hashes, verify_header
from ringfence.artifacts.seal import KEY_FILE, MAX_KEY_FILE, MAX_SEAL, parse_key_file, verify_seal
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, Unavailable, UsageError, VerificationFailed


@dataclass(frozen=True, slots=True)
class Checked:
    """A seal and an index that belong together and to the signed digest."""

    seal: Seal
    records: Mapping[ObjectId, Record]


def signed_seal(vault: Vault, expected: Digest, epoch: int) -> Seal:
    """Return the seal if it is that of the signed digest; raise `DamagedSeal` (step 1)."""
    return verify_seal(_read(vault, "seal.json", MAX_SEAL), expected, epoch)


def check(vault: Vault, expected: Digest, epoch: int) -> Checked:
    """Return seal and index if they are those of the signed digest; raise `DamagedSeal` (steps 1 and 2)."""
    seal = signed_seal(vault, expected, epoch)
    table = _read(vault, "index", index.MAX_INDEX)
    if Digest.of(table) != seal.index:
        raise DamagedSeal(Failure("index", "it is not the index that was signed"))
    try:
        records = index.parse_index(table, seal.chunk_size)
    except MalformedInput as error:
        raise DamagedSeal(Failure("index", str(error))) from error
    if index.ciphertext_root(list(records.values())) != seal.ciphertext_root or seal.manifest not in records:
        raise DamagedSeal(Failure("index", "the index does not yield the ciphertext root that was signed"))
    return Checked(seal, records)


def _read(vault: Vault, name: str, limit: int) -> bytes:
    try:
        return vault.read(name, limit)
    except UsageError as error:
        raise DamagedSeal(Failure(name, str(error))) from error


def unlock(vault: Vault, seal: Seal, keyring: Keyring) -> bytearray:
    """Unwrap the dataset key and check the seal's commitment to it; the caller overwrites it after use."""
    try:
        wrappings = parse_key_file(_read(vault, KEY_FILE, MAX_KEY_FILE), seal)
    except MalformedInput as error:
        raise DamagedSeal(Failure(KEY_FILE, str(error))) from error
    if not wrappings:
        raise Refused(f"epoch {seal.epoch} of dataset {seal.dataset} was erased: no wrapping of its key is left here")
    mine = next((wrapping.wrapped for wrapping in wrappings if wrapping.kek == keyring.kek), None)
    if mine is None:
        raise Unavailable(
            f"the dataset key is wrapped by key {wrappings[0].kek}, but the keyring holds {keyring.kek}; "
            "use the keyring with which it was sealed"
        )
    try:
        key = keyring.unwrap(mine)
    except VerificationFailed as error:
        raise DamagedSeal(Failure(KEY_FILE, str(error))) from error
    if len(key) != KEY_SIZE or chunk.key_commitment(key, seal.dataset, seal.epoch) != seal.key_commitment:
        key[:] = bytes(len(key))
        raise DamagedSeal(Failure(KEY_FILE, "the wrapped key is not the one to which the seal commits"))
    return key


@dataclass(slots=True)
class OpenDataset:
    """A dataset whose key is at hand; `close` overwrites it."""

    vault: Vault
    checked: Checked
    key: bytearray
    manifest: Manifest
    files: Mapping[str, FileEntry]

    @contextmanager
    def reader(self, path: str, mode: ReadMode = ReadMode.TAG) -> Iterator[ObjectReader]:
        """Open one file; raise `NotFound` where the dataset has none of that path."""
        entry = self.files.get(path)
        if entry is None:
            raise NotFound(f"the dataset holds no file {path!r}")
        with object_reader(self.vault, self.checked, entry.object, self.key, Label(entry.object, path), mode) as reader:
            yield reader

    def close(self) -> None:
        """Overwrite the dataset key."""
        self.key[:] = bytes(len(self.key))


@contextmanager
def object_reader(
    vault: Vault, checked: Checked, name: ObjectId, key: bytearray, label: Label, mode: ReadMode = ReadMode.TAG
) -> Iterator[ObjectReader]:
    """Open one object: its header against the signed index, its commitment against the key."""
    record = checked.records[name]
    try:
        opened = vault.open(f"objects/{name}")
        source = opened.__enter__()
    except UsageError as error:
        raise label.damaged(str(error)) from error
    try:
        header = verify_header(source, record, checked.seal, label)
        hashes = chunk_hashes(vault, record, label) if mode is ReadMode.AUDIT else None
        reader = ObjectReader(source, header, key, label, hashes)
        try:
            yield reader
        finally:
            reader.wipe()
    finally:
        opened.__exit__(None, None, None)


def chunk_hashes(vault: Vault, record: Record, label: Label) -> bytes:
    """Return the verified chunk hashes of an object."""
    if record.chunks == 1:
        return record.chunk_root
    try:
        data = vault.read(f"chunks/{record.object}", chunk.HASH_SIZE * record.chunks)
    except UsageError as error:
        raise label.damaged(str(error)) from error
    return verify_hashes(data, record, label)


def open_manifest(vault: Vault, checked: Checked, key: bytearray) -> Manifest:
    """Decrypt the manifest and check it against seal and index (step 8)."""
    seal, label = checked.seal, Label(checked.seal.manifest, "manifest")
    if checked.records[seal.manifest].length > MAX_MANIFEST:
        raise label.damaged("the manifest is larger than the format allows")
    with object_reader(vault, checked, seal.manifest, key, label) as reader:
        data = reader.read_at(0, reader.size)
    try:
        manifest = parse_manifest(data)
    except MalformedInput as error:
        raise label.damaged(str(error)) from error
    sizes = {file.object: file.size for file in manifest.files}
    expected = {name: record.length for name, record in checked.records.items() if name != seal.manifest}
    if (manifest.dataset, manifest.epoch) != (seal.dataset, seal.epoch) or sizes != expected:
        raise label.damaged("the manifest does not list the objects of this seal")
    if plaintext_root(manifest) != seal.plaintext_root:
        raise label.damaged("the manifest does not yield the plaintext root that was signed")
    return manifest


@contextmanager
def open_dataset(vault: Vault, expected: Digest, epoch: int, keyring: Keyring) -> Iterator[OpenDataset]:
    """Open a dataset whose use has been recorded; its key is overwritten at the end."""
    checked = check(vault, expected, epoch)
    key = unlock(vault, checked.seal, keyring)
    try:
        manifest = open_manifest(vault, checked, key)
        yield OpenDataset(vault, checked, key, manifest, {file.path: file for file in manifest.files})
    finally:
        key[:] = bytes(len(key))


def extract(dataset: OpenDataset, folder: Folder) -> None:
    """Write every file of a dataset into `folder`, each verified chunk by chunk and by its digest."""
    for entry in dataset.manifest.files:
        state = hashlib.sha256()
        with dataset.reader(entry.path) as reader, folder.create(entry.path) as sink:
            for part in reader.chunks():
                state.update(part)
                sink.write(part)
        if state.digest() != entry.digest.value:
            raise DamagedSeal(Failure(entry.object, "the file does not have the digest in the manifest", entry.path))
