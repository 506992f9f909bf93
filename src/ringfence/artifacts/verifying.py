"""Verify a sealed dataset from its signed digest down to every chunk (docs/specs/sealed-dataset.md, section 8)."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag

from ringfence.artifacts import tree
from ringfence.artifacts.chunk import HASH_SIZE, TAG_SIZE, Cipher, Geometry, chunk_hash
from ringfence.artifacts.model import (
    MAX_FAILURES,
    DamagedSeal,
    Failure,
    FileEntry,
    Header,
    Mode,
    ObjectId,
    Record,
    Verdict,
)
from ringfence.artifacts.opening import Checked, check, chunk_hashes, open_manifest, unlock
from ringfence.artifacts.ports import Keyring, Source, Vault
from ringfence.artifacts.reader import Label, verify_header
from ringfence.artifacts.seal import KEY_FILE, MAX_KEY_FILE, parse_key_file
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, UsageError, VerificationFailed

_REQUIRED = frozenset({"seal.json", "key.json", "index", "objects", "chunks"})
_OPTIONAL = frozenset({"seal.dsse", "pending", "journal"})


def verify(
    vault: Vault, expected: Digest, epoch: int, keyring: Keyring | None = None, *, erased: bool | None = None
) -> Verdict:
    """Check everything and report all that is wrong; with a keyring in `audit` mode, without in `storage` mode.

    `erased` is what is recorded of the key: that it was destroyed, or not; None where nobody knows.

    Raises:
        Unavailable: the storage or the key could not be used; that is no verdict.
    """
    mode = Mode.STORAGE if keyring is None else Mode.AUDIT
    try:
        checked = check(vault, expected, epoch)
    except DamagedSeal as error:
        return Verdict(mode, 0, (error.failure,))
    inspection = _Inspection(vault, checked)
    inspection.names()
    inspection.key_file(erased=erased)
    with ExitStack() as stack:
        if keyring is not None:
            inspection.unlock(keyring)
            stack.callback(inspection.wipe)
        for record in checked.records.values():
            inspection.object(record)
    return Verdict(mode, inspection.chunks, tuple(inspection.failures))


@dataclass(slots=True)
class _Inspection:
    vault: Vault
    checked: Checked
    chunks: int = 0
    failures: list[Failure] = field(default_factory=list)
    key: bytearray | None = None
    entries: dict[ObjectId, FileEntry] = field(default_factory=dict)

    def report(self, failure: Failure) -> None:
        if len(self.failures) < MAX_FAILURES:
            self.failures.append(failure)

    def names(self) -> None:
        """Find what is there too much, and which fixed parts are missing (step 3); missing objects show when opened."""
        listing = self.vault.listing()
        records = self.checked.records
        hashed = {name for name, record in records.items() if record.chunks > 1}
        expected = (("", listing.top, _REQUIRED | _OPTIONAL), ("objects/", listing.objects, records.keys()))
        for prefix, found, allowed in (*expected, ("chunks/", listing.chunks, hashed)):
            for name in sorted(found - allowed):
                self.report(Failure(prefix + name, "it does not belong to this dataset"))
        for name in sorted(_REQUIRED - listing.top):
            self.report(Failure(name, "it is missing"))

    def key_file(self, *, erased: bool | None) -> None:
        """Look at the form of the wrapped key; what it holds is judged by whoever has the key."""
        try:
            wrappings = parse_key_file(self.vault.read(KEY_FILE, MAX_KEY_FILE), self.checked.seal)
        except NotFound:
            return  # reported with the names
        except UsageError as error:
            self.report(Failure(KEY_FILE, str(error)))
            return
        if not wrappings and erased is False:
            self.report(Failure(KEY_FILE, "it holds no wrapped key, and nobody erased it"))
        if wrappings and erased:
            self.report(Failure(KEY_FILE, "it holds a wrapped key, although that was erased"))

    def unlock(self, keyring: Keyring) -> None:
        """Get the key and the paths (steps 6 and 8)."""
        try:
            self.key = unlock(self.vault, self.checked.seal, keyring)
            manifest = open_manifest(self.vault, self.checked, self.key)
            self.entries = {file.object: file for file in manifest.files}
        except DamagedSeal as error:
            self.report(error.failure)

    def wipe(self) -> None:
        """Overwrite the key."""
        if self.key is not None:
            self.key[:] = bytes(len(self.key))

    def object(self, record: Record) -> None:
        """Check one object (steps 4, 5 and 7)."""
        entry = self.entries.get(record.object)
        label = Label(record.object, entry.path if entry else None)
        before = len(self.failures)
        try:
            with self.vault.open(f"objects/{record.object}") as source:
                header = verify_header(source, record, self.checked.seal, label)
                plain = self._chunks(source, header, record, label)
        except DamagedSeal as error:
            self.report(error.failure)
        except UsageError as error:
            self.report(Failure(record.object, str(error), label.path))
        else:
            if entry and plain != entry.digest.value and len(self.failures) == before:
                self.report(Failure(record.object, "the file does not have the digest in the manifest", entry.path))

    def _chunks(self, source: Source, header: Header, record: Record, label: Label) -> bytes | None:
        signed = self._signed_hashes(record, label)
        opener = _Opener(header, self.key, label) if self.key is not None else None
        geometry = Geometry(header.chunk_size, header.length)
        buffer = memoryview(bytearray(geometry.plain_size(0) + TAG_SIZE))
        found = bytearray()
        for number in range(geometry.chunks):
            sealed = buffer[: geometry.plain_size(number) + TAG_SIZE]
            if source.read_into(sealed, geometry.offset(number)) != len(sealed):
                raise label.damaged("the object ends early", number)
            found += chunk_hash(sealed)
            self.chunks += 1
            self._chunk(number, sealed, opener, label, right=_same(signed, found, number))
        if signed is None and tree.head(_split(found)) != record.chunk_root:
            raise label.damaged("its chunks do not yield the root that was signed")
        return opener.digest() if opener else None

    def _signed_hashes(self, record: Record, label: Label) -> bytes | None:
        try:
            return chunk_hashes(self.vault, record, Label(f"chunks/{record.object}", label.path))
        except DamagedSeal as error:
            self.report(error.failure)
            return None

    def _chunk(self, number: int, sealed: memoryview, opener: "_Opener | None", label: Label, *, right: bool) -> None:
        if not right:
            self.report(Failure(label.object, "the chunk does not have the hash that was signed", label.path, number))
        elif opener is not None and not opener.opens(number, sealed):
            reason = "the chunk's tag does not match although its hash does: it was sealed wrongly"
            self.report(Failure(label.object, reason, label.path, number))


class _Opener:
    """Decrypts an object chunk by chunk and keeps only the digest of its plaintext."""

    def __init__(self, header: Header, key: bytearray, label: Label) -> None:
        try:
            self._cipher = Cipher(header, key)
        except VerificationFailed as error:
            raise label.damaged(str(error)) from error
        self._plain = memoryview(bytearray(self._cipher.geometry.plain_size(0)))
        self._state = hashlib.sha256()

    def opens(self, number: int, sealed: memoryview) -> bool:
        plain = self._plain[: len(sealed) - TAG_SIZE]
        try:
            self._cipher.decrypt_into(number, sealed, plain)
        except InvalidTag:
            return False
        self._state.update(plain)
        return True

    def digest(self) -> bytes:
        self._plain[:] = bytes(len(self._plain))
        return self._state.digest()


def _same(signed: bytes | None, found: bytearray, number: int) -> bool:
    at = slice(number * HASH_SIZE, (number + 1) * HASH_SIZE)
    return signed is None or signed[at] == found[at]


def _split(hashes: bytearray) -> Iterator[bytes]:
    return (bytes(hashes[at : at + HASH_SIZE]) for at in range(0, len(hashes), HASH_SIZE))
