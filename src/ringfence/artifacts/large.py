"""Seal one large file so that a seal that was killed goes on inside it (docs/specs/sealed-dataset.md, 9.1).

The salt of its object is a keyed hash of all that is sealed under it, so that its key never meets another plaintext,
whatever of the disk was lost, kept, put back or planted. What lies there is then judged chunk by chunk, by its tags.
"""

import hashlib
import hmac
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ringfence.artifacts import chunk, tree
from ringfence.artifacts.chunk import HEADER_SIZE, TAG_SIZE, Cipher, Geometry, chunk_hash
from ringfence.artifacts.model import ID_SIZE, KEY_SIZE, FileEntry, Header, Kind, NewSeal, ObjectId, Record, SealedFile
from ringfence.artifacts.ports import Begun, Sink, Source, Workplace
from ringfence.artifacts.sealing import ObjectSealer, changed
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed

_LABEL = b"ringfence sealed large file v1\0"


class Binding:
    """What binds the large files of one seal to their objects; it needs the dataset key."""

    def __init__(self, key: bytes | bytearray, new: NewSeal) -> None:
        context = bytes.fromhex(new.dataset)
        info = _LABEL + context + new.epoch.to_bytes(8, "big")
        derived = HKDF(algorithm=SHA256(), length=2 * KEY_SIZE, salt=context, info=info).derive(key)
        self._salts, self._names = derived[:KEY_SIZE], derived[KEY_SIZE:]
        self._chunk_size = new.chunk_size.to_bytes(4, "big")

    def name(self, path: str) -> str:
        """Return under which name the object of a file is written: 32 hexadecimal digits that tell nobody the path."""
        return hmac.digest(self._names, path.encode(), "sha256")[:ID_SIZE].hex()

    def salt(self, identifier: ObjectId, path: str, length: int, plaintext: Digest) -> bytes:
        """Return the one salt with which an object of this id may be sealed, if this is what it holds."""
        fixed = bytes.fromhex(identifier) + self._chunk_size + length.to_bytes(8, "big") + plaintext.value
        return hmac.digest(self._salts, fixed + path.encode(), "sha256")


class Content:
    """What a file held when it was read first: its digest, and of each chunk a mark that stays in memory.

    A mark is a GMAC under a key that is drawn for this reading and used for nothing else: some ten times the speed of
    SHA-256, and only whoever knew that key could find other bytes with the same mark.
    """

    def __init__(self, key: bytes) -> None:
        self._aead, self._state, self._marks = AESGCM(key), hashlib.sha256(), bytearray()
        self._mark = memoryview(bytearray(TAG_SIZE))

    def _marked(self, number: int, plain: memoryview) -> memoryview:
        self._aead.encrypt_into(number.to_bytes(12, "big"), b"", plain, self._mark)
        return self._mark

    def add(self, plain: memoryview) -> None:
        """Take in the next chunk."""
        self._marks += self._marked(len(self._marks) // TAG_SIZE, plain)
        self._state.update(plain)

    def has(self, number: int, plain: memoryview) -> bool:
        """Tell whether chunk `number` was this."""
        known = self._marks[number * TAG_SIZE : (number + 1) * TAG_SIZE]
        return hmac.compare_digest(known, self._marked(number, plain))

    @property
    def digest(self) -> Digest:
        """Return the digest of all chunks so far."""
        return Digest(self._state.digest())


class LargeSealer:
    """Seals one large file after the other, through the buffers of whoever seals the small ones."""

    def __init__(self, place: Workplace, sealer: ObjectSealer) -> None:
        self._place, self._sealer = place, sealer
        self._binding = Binding(sealer.key, sealer.new)

    def file(self, path: str, source: Source) -> SealedFile:
        """Seal a file, or what is missing of it; it is read twice.

        Raises:
            Conflict: it changed since it was opened.
            VerificationFailed: what was sealed of it before is authentic, and not what it holds.
        """
        geometry = Geometry(self._sealer.new.chunk_size, source.size)
        chunk.check_length(geometry.length, geometry.chunk_size)
        content = self._read(path, source, geometry)
        name = self._binding.name(path)
        with self._place.begun(name) as begun:
            header = self._known(begun, path, geometry, content)
            whole = begun.size if header else 0
            if header is None:
                header = self._new(begun, path, geometry, content)
            record = self._written(path, source, header, content, begun, whole)
        if not source.unchanged():
            raise changed(path)
        self._place.complete(name, record.object)
        return SealedFile(FileEntry(path, record.object, record.length, content.digest), record)

    def _chunk(self, path: str, source: Source, geometry: Geometry, number: int) -> memoryview:
        plain = self._sealer.plain[: geometry.plain_size(number)]
        if source.read_into(plain, number * geometry.chunk_size) != len(plain):
            raise changed(path)
        return plain

    def _read(self, path: str, source: Source, geometry: Geometry) -> Content:
        content = Content(self._sealer.random(KEY_SIZE))
        for number in range(geometry.chunks):
            plain = self._chunk(path, source, geometry, number)
            content.add(plain)
            self._sealer.moved(len(plain) // 2)  # the other half when it is sealed
        return content

    def _header(self, identifier: ObjectId, path: str, geometry: Geometry, content: Content) -> Header:
        new = self._sealer.new
        salt = self._binding.salt(identifier, path, geometry.length, content.digest)
        return chunk.new_header(
            self._sealer.key,
            dataset=new.dataset,
            epoch=new.epoch,
            kind=Kind.FILE,
            chunk_size=geometry.chunk_size,
            length=geometry.length,
            fresh=bytes.fromhex(identifier) + salt,
        )

    def _known(self, begun: Begun, path: str, geometry: Geometry, content: Content) -> Header | None:
        """Return the header of what was begun, if that was of this file with this content."""
        data = bytearray(HEADER_SIZE)
        try:
            found = chunk.parse_header(bytes(data[: begun.read_into(memoryview(data), 0)]))
        except MalformedInput:
            return None
        header = self._header(found.object, path, geometry, content)
        return header if hmac.compare_digest(chunk.print_header(header), data) else None

    def _new(self, begun: Begun, path: str, geometry: Geometry, content: Content) -> Header:
        begun.cut(0)
        header = self._header(ObjectId(self._sealer.random(ID_SIZE).hex()), path, geometry, content)
        begun.write_at(chunk.print_header(header), 0)
        return header

    def _written(self, path: str, source: Source, header: Header, content: Content, begun: Begun, whole: int) -> Record:
        cipher = Cipher(header, self._sealer.key)
        geometry = cipher.geometry
        self._place.remove(header.object)  # hashes of an earlier attempt
        chunks = self._chunks(path, source, cipher, content, begun, whole)
        if geometry.chunks > 1:
            with self._place.create(f"chunks/{header.object}") as hashes:
                root = tree.head(_noted(chunks, hashes))
        else:
            root = tree.head(chunks)
        begun.cut(geometry.file_size)
        printed = chunk.print_header(header)
        return Record(header.object, header.length, geometry.chunks, Digest.of(printed), root)

    def _chunks(
        self, path: str, source: Source, cipher: Cipher, content: Content, begun: Begun, whole: int
    ) -> Iterator[bytes]:
        """Give the hash of each chunk, once it lies there."""
        geometry = cipher.geometry
        for number in range(geometry.chunks):
            size, offset = geometry.plain_size(number), geometry.offset(number)
            sealed = self._sealer.sealed[: size + TAG_SIZE]
            lies = offset + len(sealed) <= whole and begun.read_into(sealed, offset) == len(sealed)
            if not (lies and self._is_kept(path, number, cipher, content)):
                plain = self._chunk(path, source, geometry, number)
                if not content.has(number, plain):
                    raise changed(path)  # before anything is encrypted: the salt stands for what was read first
                cipher.encrypt_into(number, plain, sealed)
                begun.write_at(sealed, offset)
            self._sealer.moved(size - size // 2)
            yield chunk_hash(sealed)

    def _is_kept(self, path: str, number: int, cipher: Cipher, content: Content) -> bool:
        size = cipher.geometry.plain_size(number)
        plain, sealed = self._sealer.plain[:size], self._sealer.sealed[: size + TAG_SIZE]
        try:
            cipher.decrypt_into(number, sealed, plain)
        except InvalidTag:
            return False  # torn: it is written again, and is the same then
        if not content.has(number, plain):  # no key of ours sealed this, or memory failed: never write beside it
            raise VerificationFailed(
                f"what was sealed of {path} before, in chunk {number}, is not what it holds; seal with --anew"
            )
        return True


def _noted(hashes: Iterator[bytes], sink: Sink) -> Iterator[bytes]:
    for one in hashes:
        sink.write(one)
        yield one
