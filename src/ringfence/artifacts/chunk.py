"""Sealed objects, byte by byte: header, keys, nonces, chunk geometry (docs/specs/sealed-dataset.md, section 4)."""

import hashlib
import hmac
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ringfence.artifacts.model import ID_SIZE, KEY_SIZE, SALT_SIZE, DatasetId, Header, Kind, ObjectId
from ringfence.kernel.errors import MalformedInput, UsageError, VerificationFailed

MAGIC = b"RFSEALv1"
SUITE_BYTE = 1
HEADER_SIZE = 128
TAG_SIZE = 16
HASH_SIZE = 32
DEFAULT_CHUNK_SIZE = 2**20
CHUNK_SIZES = tuple(2**n for n in range(16, 23))  # smaller ones are slow, larger ones gain nothing
MAX_CHUNKS = 2**24  # keeps GCM's bounds for one key, and the hashes of an object in memory: specification, 4.1

_HEADER = struct.Struct(">8sBBHIQQ16s16s32s32s")
_OBJECT_LABEL = b"ringfence sealed object v1\0"
_KEY_LABEL = b"ringfence sealed dataset key v1\0"
_CHUNK_HASH = hashlib.sha256(b"\x00ringfence sealed chunk v1\0")


def checked_chunk_size(size: object) -> int:
    """Return a chunk size that the format allows."""
    if size not in CHUNK_SIZES or type(size) is not int:
        raise UsageError(f"the chunk size is one of {', '.join(map(str, CHUNK_SIZES))} bytes, not {size}")
    return size


def longest(chunk_size: int) -> int:
    """Return the most bytes that one object of this chunk size holds."""
    return MAX_CHUNKS * chunk_size


def check_length(length: int, chunk_size: int) -> None:
    """Raise `UsageError` where an object cannot hold so many bytes."""
    if length > longest(chunk_size):
        raise UsageError(
            f"a file of {length} bytes is larger than the {longest(chunk_size)} that one sealed object holds in chunks "
            f"of {chunk_size}; seal with --chunk-size {CHUNK_SIZES[-1]}, or split the file"
        )


def print_header(header: Header) -> bytes:
    """Print a header."""
    return _HEADER.pack(
        MAGIC,
        SUITE_BYTE,
        header.kind,
        0,
        header.chunk_size,
        header.length,
        header.epoch,
        bytes.fromhex(header.dataset),
        bytes.fromhex(header.object),
        header.salt,
        header.commitment,
    )


def parse_header(data: bytes) -> Header:
    """Parse a header strictly; raise `MalformedInput`."""
    if len(data) != HEADER_SIZE:
        raise MalformedInput(f"the object is shorter than its header of {HEADER_SIZE} bytes")
    magic, suite, kind, zero, chunk_size, length, epoch, dataset, identifier, salt, commitment = _HEADER.unpack(data)
    if magic != MAGIC or suite != SUITE_BYTE or zero != 0 or kind not in set(Kind):
        raise MalformedInput("this is not a sealed object of version 1")
    if chunk_size not in CHUNK_SIZES or length > longest(chunk_size) or epoch < 1:
        raise MalformedInput("the header has a chunk size, length or epoch that the format does not allow")
    names = DatasetId(dataset.hex()), ObjectId(identifier.hex())
    return Header(Kind(kind), chunk_size, length, epoch, *names, salt, commitment)


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where the chunks of an object lie."""

    chunk_size: int
    length: int

    @property
    def chunks(self) -> int:
        """Return the number of chunks; an empty file has one."""
        return max(1, -(-self.length // self.chunk_size))

    @property
    def file_size(self) -> int:
        """Return the exact size of the sealed object."""
        return HEADER_SIZE + self.length + TAG_SIZE * self.chunks

    def offset(self, index: int) -> int:
        """Return where chunk `index` starts in the sealed object."""
        return HEADER_SIZE + index * (self.chunk_size + TAG_SIZE)

    def plain_size(self, index: int) -> int:
        """Return the bytes of plaintext in chunk `index`."""
        return min(self.chunk_size, self.length - index * self.chunk_size)


def chunk_hash(sealed: bytes | bytearray | memoryview) -> bytes:
    """Hash one chunk with its tag."""
    state = _CHUNK_HASH.copy()
    state.update(sealed)
    return state.digest()


def key_commitment(dataset_key: bytes | bytearray, dataset: DatasetId, epoch: int) -> bytes:
    """Return what the seal file says of the dataset key."""
    context = bytes.fromhex(dataset)
    info = _KEY_LABEL + context + epoch.to_bytes(8, "big")
    return HKDF(algorithm=SHA256(), length=32, salt=context, info=info).derive(dataset_key)


def _derive(dataset_key: bytes | bytearray, dataset: DatasetId, identifier: ObjectId, epoch: int, salt: bytes) -> bytes:
    info = _OBJECT_LABEL + bytes.fromhex(dataset) + bytes.fromhex(identifier) + epoch.to_bytes(8, "big")
    return HKDF(algorithm=SHA256(), length=2 * KEY_SIZE, salt=salt, info=info).derive(dataset_key)


def new_header(
    dataset_key: bytes | bytearray,
    *,
    dataset: DatasetId,
    epoch: int,
    kind: Kind,
    chunk_size: int,
    length: int,
    fresh: bytes,
) -> Header:
    """Make the header of a new object from `fresh`: 48 random bytes, never used before."""
    if len(fresh) != ID_SIZE + SALT_SIZE:
        raise UsageError(f"an object needs {ID_SIZE + SALT_SIZE} fresh random bytes")
    check_length(length, chunk_size)
    identifier, salt = ObjectId(fresh[:ID_SIZE].hex()), fresh[ID_SIZE:]
    derived = _derive(dataset_key, dataset, identifier, epoch, salt)
    return Header(kind, chunk_size, length, epoch, dataset, identifier, salt, derived[KEY_SIZE:])


class Cipher:
    """The AES key of one object, with nonce and AAD made from the place of each chunk."""

    __slots__ = ("_aead", "_header", "geometry")

    def __init__(self, header: Header, dataset_key: bytes | bytearray) -> None:
        """Derive the object's key and check its commitment; raise `VerificationFailed` before any chunk is touched."""
        derived = _derive(dataset_key, header.dataset, header.object, header.epoch, header.salt)
        if not hmac.compare_digest(derived[KEY_SIZE:], header.commitment):
            raise VerificationFailed("the object was not sealed with this dataset key: its key commitment differs")
        self._aead = AESGCM(derived[:KEY_SIZE])
        self._header = print_header(header)
        self.geometry = Geometry(header.chunk_size, header.length)

    def _place(self, index: int) -> bytes:
        return index.to_bytes(4, "big") + (b"\x01" if index == self.geometry.chunks - 1 else b"\x00")

    def encrypt_into(self, index: int, plain: memoryview, out: memoryview) -> None:
        """Seal chunk `index`; `out` has room for the tag."""
        place = self._place(index)
        self._aead.encrypt_into(bytes(7) + place, plain, self._header + place, out)

    def decrypt_into(self, index: int, sealed: memoryview, out: memoryview) -> None:
        """Open chunk `index`, or overwrite `out` with zeros and raise `InvalidTag`."""
        place = self._place(index)
        try:
            self._aead.decrypt_into(bytes(7) + place, sealed, self._header + place, out)
        except BaseException:
            out[:] = bytes(len(out))  # OpenSSL leaves plaintext that nobody vouches for
            raise
