"""Read one sealed object: whole verified chunks or nothing (docs/specs/sealed-dataset.md, 4.3 and 8)."""

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag

from ringfence.artifacts import tree
from ringfence.artifacts.chunk import HASH_SIZE, HEADER_SIZE, TAG_SIZE, Cipher, Geometry, chunk_hash, parse_header
from ringfence.artifacts.model import DamagedSeal, Failure, Header, Kind, Record, Seal
from ringfence.artifacts.ports import Source
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import VerificationFailed


@dataclass(frozen=True, slots=True)
class Label:
    """What to call an object in a finding."""

    object: str
    path: str | None = None

    def damaged(self, reason: str, number: int | None = None) -> DamagedSeal:
        """Return the error that names the object, and the chunk where one is to blame."""
        return DamagedSeal(Failure(self.object, reason, self.path, number))


def verify_header(source: Source, record: Record, seal: Seal, label: Label) -> Header:
    """Return the header of an open object if object and header are what the signed index says."""
    data = bytearray(HEADER_SIZE)
    if source.read_into(memoryview(data), 0) != HEADER_SIZE:
        raise label.damaged("the object is shorter than its header")
    if Digest.of(bytes(data)) != record.header:
        raise label.damaged("the header is not the one that was signed")
    header = parse_header(bytes(data))
    kind = Kind.MANIFEST if record.object == seal.manifest else Kind.FILE
    expected = (kind, seal.chunk_size, record.length, seal.epoch, seal.dataset, record.object)
    found = (header.kind, header.chunk_size, header.length, header.epoch, header.dataset, header.object)
    if found != expected:
        raise label.damaged("the header belongs to another object, epoch or dataset")
    size = Geometry(header.chunk_size, header.length).file_size
    if source.size != size:
        raise label.damaged(f"the object has {source.size} bytes instead of {size}")
    return header


def verify_hashes(data: bytes, record: Record, label: Label) -> bytes:
    """Return the chunk hashes of an object if they yield its signed chunk root."""
    hashes = (data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE))
    if len(data) != HASH_SIZE * record.chunks or tree.head(hashes) != record.chunk_root:
        raise label.damaged("the chunk hashes do not yield the root that was signed")
    return data


class ObjectReader:
    """Random access to the plaintext of one object, through one pair of buffers; for one thread at a time.

    With `hashes` (verified chunk hashes) every chunk's hash is checked before it is decrypted: `audit` mode.
    """

    def __init__(
        self, source: Source, header: Header, dataset_key: bytearray, label: Label, hashes: bytes | None = None
    ) -> None:
        """Check the key commitment; the header has been verified already."""
        try:
            self._cipher = Cipher(header, dataset_key)
        except VerificationFailed as error:
            raise label.damaged(str(error)) from error
        self._geometry = self._cipher.geometry
        self._source, self._label, self._hashes = source, label, hashes
        room = self._geometry.plain_size(0)
        self._sealed = memoryview(bytearray(room + TAG_SIZE))
        self._plain = memoryview(bytearray(room))
        self._current = -1

    @property
    def size(self) -> int:
        """Return the length of the plaintext."""
        return self._geometry.length

    @property
    def chunks_total(self) -> int:
        """Return the number of chunks."""
        return self._geometry.chunks

    def chunk(self, number: int) -> memoryview:
        """Return one verified chunk: a view of a buffer that the next call fills again.

        Raises:
            VerificationFailed: names the object and the chunk; nothing of it was handed out.
        """
        size = self._geometry.plain_size(number)
        plain = self._plain[:size]
        if number != self._current:
            self._current = -1
            self._fill(number, self._sealed[: size + TAG_SIZE], plain)
            self._current = number
        return plain

    def _fill(self, number: int, sealed: memoryview, plain: memoryview) -> None:
        if self._source.read_into(sealed, self._geometry.offset(number)) != len(sealed):
            raise self._label.damaged("the object ends early", number)
        if self._hashes is not None:
            expected = self._hashes[number * HASH_SIZE : (number + 1) * HASH_SIZE]
            if chunk_hash(sealed) != expected:
                raise self._label.damaged("the chunk does not have the hash that was signed", number)
        try:
            self._cipher.decrypt_into(number, sealed, plain)
        except InvalidTag as error:
            raise self._label.damaged("the chunk was changed: its tag does not match", number) from error

    def chunks(self) -> Iterator[memoryview]:
        """Give every chunk in order; each view is valid until the next one."""
        return map(self.chunk, range(self._geometry.chunks))

    def read_into(self, offset: int, out: memoryview) -> int:
        """Copy verified plaintext from `offset` on; return how much, less than asked for only at the end."""
        end = min(offset + len(out), self.size)
        at = offset
        while at < end:
            number, skip = divmod(at, self._geometry.chunk_size)
            part = self.chunk(number)[skip : skip + end - at]
            out[at - offset : at - offset + len(part)] = part
            at += len(part)
        return max(0, at - offset)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return verified plaintext, all of it or an error."""
        out = bytearray(max(0, min(length, self.size - offset)))
        self.read_into(offset, memoryview(out))
        return bytes(out)

    def wipe(self) -> None:
        """Overwrite the plaintext buffer."""
        self._current = -1
        self._plain[:] = bytes(len(self._plain))
