"""What an unfinished seal has done so far: one sealed line per file, under the dataset key (sealed-dataset.md, 9).

Lines are encrypted since they name paths and plaintext digests, and authenticated since finished objects are kept on
their word. Each has a salt of its own, hence a key of its own: no nonce is ever used twice.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ringfence.artifacts.chunk import Geometry
from ringfence.artifacts.manifest import check_path
from ringfence.artifacts.model import (
    KEY_SIZE,
    SALT_SIZE,
    DatasetId,
    DatasetName,
    FileEntry,
    Finished,
    Identity,
    Record,
    dataset_name,
    object_id,
)
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput

MAX_LINE = 2**16
_FRAME = struct.Struct(">I")
_LABEL = b"ringfence seal journal v1\0"
_NONCE = bytes(12)  # every line has a key of its own


@dataclass(frozen=True, slots=True)
class Order:
    """What is being sealed: the first line."""

    name: DatasetName
    dataset: DatasetId
    epoch: int
    chunk_size: int


@dataclass(frozen=True, slots=True)
class Journal:
    """What was read back; `size` bytes of it are whole."""

    order: Order
    finished: tuple[Finished, ...]
    size: int


def print_order(key: bytes | bytearray, order: Order, salt: bytes) -> bytes:
    """Print the first line."""
    head = {"name": order.name, "dataset": order.dataset, "epoch": order.epoch, "chunkSize": order.chunk_size}
    return _sealed(key, salt, digest.dumps(head))


def print_finished(key: bytes | bytearray, done: Finished, salt: bytes) -> bytes:
    """Print the line of a file that is sealed."""
    return _sealed(key, salt, digest.dumps(to_json(done)))


def parse_journal(data: bytes, key: bytes | bytearray) -> Journal:
    """Read lines up to the first that is torn or not ours; raise `MalformedInput` where there is no first line."""
    lines = list(_lines(data, key))
    if not lines:
        raise MalformedInput("the journal of this unfinished seal cannot be read with its key", source="journal")
    match lines[0][0]:
        case {"name": name, "dataset": str() as dataset, "epoch": int() as epoch, "chunkSize": int() as size}:
            order = Order(dataset_name(name), DatasetId(str(object_id(dataset))), epoch, size)
        case _:
            raise MalformedInput("the journal does not say what is being sealed", source="journal")
    finished: dict[str, Finished] = {}
    for document, _ in lines[1:]:
        done = from_json(document, order.chunk_size)
        finished[done.entry.path] = done  # a file that was sealed again: the later line counts
    return Journal(order, tuple(finished.values()), lines[-1][1])


def to_json(done: Finished) -> dict[str, Any]:
    """Return a line in the form that workers and the journal share; large numbers are text."""
    identity = done.identity
    return {
        "path": done.entry.path,
        "sha256": done.entry.digest.hex,
        "object": done.record.object,
        "length": done.record.length,
        "header": done.record.header.hex,
        "chunkRoot": done.record.chunk_root.hex(),
        "identity": [str(one) for one in (identity.device, identity.inode, identity.size, *identity.times)],
    }


def from_json(document: Any, chunk_size: int) -> Finished:
    """Read that form back; raise `MalformedInput`."""
    match document:
        case {"path": str() as path, "length": int() as length, "identity": [*numbers]} if length >= 0 and len(
            numbers
        ) == len(Identity.__dataclass_fields__):
            name = object_id(document.get("object"))
            root = Digest.parse(document.get("chunkRoot")).value
            chunks = Geometry(chunk_size, length).chunks
            record = Record(name, length, chunks, Digest.parse(document.get("header")), root)
            entry = FileEntry(check_path(path), name, length, Digest.parse(document.get("sha256")))
            return Finished(entry, record, Identity(*map(_number, numbers)))
        case _:
            raise MalformedInput("a line of the journal does not describe a sealed file", source="journal")


def _number(text: object) -> int:
    if not isinstance(text, str) or not text.lstrip("-").isdecimal() or not text.isascii() or len(text) > 24:
        raise MalformedInput("a line of the journal holds something else than a number", source="journal")
    return int(text)


def _lines(data: bytes, key: bytes | bytearray) -> Iterator[tuple[Any, int]]:
    at = 0
    while at + _FRAME.size <= len(data):
        (size,) = _FRAME.unpack_from(data, at)
        frame = data[at + _FRAME.size : at + _FRAME.size + size]
        if not SALT_SIZE < size <= MAX_LINE or len(frame) != size:
            return
        try:
            plain = _cipher(key, frame[:SALT_SIZE]).decrypt(_NONCE, frame[SALT_SIZE:], _LABEL)
        except InvalidTag:
            return
        at += _FRAME.size + size
        yield digest.loads(plain, source="journal", limit=MAX_LINE), at


def _sealed(key: bytes | bytearray, salt: bytes, plain: bytes) -> bytes:
    sealed = salt + _cipher(key, salt).encrypt(_NONCE, plain, _LABEL)
    return _FRAME.pack(len(sealed)) + sealed


def _cipher(key: bytes | bytearray, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=KEY_SIZE, salt=salt, info=_LABEL).derive(key))


def by_path(finished: Sequence[Finished]) -> dict[str, Finished]:
    """Return the files that are sealed, by their paths."""
    return {one.entry.path: one for one in finished}
