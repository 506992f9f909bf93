"""The seal file and the file of the wrapped key (docs/specs/sealed-dataset.md, sections 6 and 7)."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ringfence.artifacts.chunk import CHUNK_SIZES
from ringfence.artifacts.model import (
    SUITE,
    DamagedSeal,
    DatasetId,
    Failure,
    Seal,
    Wrapping,
    dataset_id,
    epoch_number,
    object_id,
)
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput

FORMAT = "urn:ringfence:sealed-dataset:v1"
KEY_FILE = "key.json"
KEY_FORMAT = "urn:ringfence:sealed-key:v1"
MAX_SEAL = 4096  # bytes; honest ones have about 700
MAX_KEY_FILE = 16 * 2**10
MAX_WRAPPINGS = 8  # the tenant's, and a few recovery shares
MAX_WRAPPED = 128  # bytes; AES-KWP makes 40 of a dataset key
ALGORITHM = "AES-KWP"


def print_seal(seal: Seal) -> bytes:
    """Print the seal file."""
    return digest.dumps(
        {
            "format": FORMAT,
            "suite": SUITE,
            "dataset": seal.dataset,
            "epoch": seal.epoch,
            "chunkSize": seal.chunk_size,
            "objects": seal.objects,
            "bytes": seal.total_bytes,
            "ciphertextRoot": str(seal.ciphertext_root),
            "plaintextRoot": str(seal.plaintext_root),
            "indexDigest": str(seal.index),
            "manifest": seal.manifest,
            "keyCommitment": seal.key_commitment.hex(),
        }
    )


def parse_seal(data: bytes) -> Seal:
    """Parse a seal file in its one byte form, or raise `MalformedInput`."""
    document = digest.loads(data, source="seal.json", limit=MAX_SEAL)
    try:
        seal = _seal(document)
    except MalformedInput as error:
        raise MalformedInput(str(error), source="seal.json") from error
    if print_seal(seal) != data:
        raise MalformedInput("the seal file is not in its one byte form", source="seal.json")
    return seal


def verify_seal(data: bytes, expected: Digest, epoch: int) -> Seal:
    """Return the seal whose file has the signed digest `expected`; raise `DamagedSeal` for a forged or older one."""
    if Digest.of(data) == expected:
        return parse_seal(data)
    try:
        found = parse_seal(data).epoch
    except MalformedInput:
        found = epoch
    older = f"it is the seal of epoch {found}, but epoch {epoch} is the newest that was signed: rolled back"
    reason = older if found < epoch else "it is not the seal file that was signed"
    if found > epoch:
        reason = f"it is the seal of epoch {found}, in the place of epoch {epoch}"
    raise DamagedSeal(Failure("seal.json", reason))


class Epoch(Protocol):
    """Whatever says of which dataset and epoch it is."""

    @property
    def dataset(self) -> DatasetId: ...
    @property
    def epoch(self) -> int: ...


def print_key_file(of: Epoch, wrappings: Sequence[Wrapping]) -> bytes:
    """Print the file of the wrapped key; without any wrapping it says that the key was erased."""
    values = [
        {"algorithm": ALGORITHM, "kek": wrapping.kek, "wrapped": base64.b64encode(wrapping.wrapped).decode()}
        for wrapping in wrappings
    ]
    return digest.dumps({"format": KEY_FORMAT, "dataset": of.dataset, "epoch": of.epoch, "wrappings": values})


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The wrapped keys of one epoch; none where they were erased."""

    dataset: DatasetId
    epoch: int
    wrappings: tuple[Wrapping, ...]

    def by(self, kek: str) -> bytes | None:
        """Return the key as one key-encryption key wrapped it."""
        return next((one.wrapped for one in self.wrappings if one.kek == kek), None)


def read_key_file(data: bytes) -> KeyFile:
    """Parse the wrapped keys of an epoch, or raise `MalformedInput`."""
    document = digest.loads(data, source=KEY_FILE, limit=MAX_KEY_FILE)
    match document:
        case {
            "format": str() as kind,
            "dataset": dataset,
            "epoch": epoch,
            "wrappings": list() as values,
            **rest,
        } if kind == KEY_FORMAT and not rest and len(values) <= MAX_WRAPPINGS:
            return KeyFile(dataset_id(dataset), epoch_number(epoch), tuple(map(_wrapping, values)))
        case _:
            raise MalformedInput("this is not a file of wrapped keys", source=KEY_FILE)


def parse_key_file(data: bytes, seal: Epoch) -> tuple[Wrapping, ...]:
    """Parse the wrapped keys that belong to `seal`, or raise `MalformedInput`."""
    found = read_key_file(data)
    if (found.dataset, found.epoch) != (seal.dataset, seal.epoch):
        raise MalformedInput("these are not the wrapped keys of this seal", source=KEY_FILE)
    return found.wrappings


def _wrapping(value: Any) -> Wrapping:
    match value:
        case {"algorithm": "AES-KWP", "kek": str() as kek, "wrapped": str() as text, **rest} if not rest:
            try:
                wrapped = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError) as error:
                raise MalformedInput(f"a wrapped key is base64 text: {error}", source="key.json") from error
            if 1 <= len(wrapped) <= MAX_WRAPPED:
                return Wrapping(str(object_id(kek)), wrapped)
    raise MalformedInput("a wrapping has algorithm AES-KWP, a kek id and a wrapped key", source="key.json")


def _seal(document: Any) -> Seal:
    if not isinstance(document, dict) or (document.get("format"), document.get("suite")) != (FORMAT, SUITE):
        raise MalformedInput("this is not a seal file of version 1 and its one suite")
    if document.get("chunkSize") not in CHUNK_SIZES:
        raise MalformedInput("the chunk size is not one that the format allows")
    return Seal(
        dataset=dataset_id(document.get("dataset")),
        epoch=epoch_number(document.get("epoch")),
        chunk_size=document["chunkSize"],
        objects=_count(document, "objects"),
        total_bytes=_count(document, "bytes"),
        ciphertext_root=Digest.parse(document.get("ciphertextRoot")),
        plaintext_root=Digest.parse(document.get("plaintextRoot")),
        index=Digest.parse(document.get("indexDigest")),
        manifest=object_id(document.get("manifest")),
        key_commitment=Digest.parse(document.get("keyCommitment")).value,
    )


def _count(document: dict[str, Any], name: str) -> int:
    value = document.get(name)
    if type(value) is not int or value < 0:
        raise MalformedInput(f"{name} is a number, at least 0")
    return value
