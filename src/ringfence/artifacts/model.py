"""What a sealed dataset is made of."""

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NewType

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused, VerificationFailed
from ringfence.kernel.statement import Subject

DatasetId = NewType("DatasetId", str)  # 32 lower-case hexadecimal digits
ObjectId = NewType("ObjectId", str)  # the same
DatasetName = NewType("DatasetName", str)

SUITE = "AES-256-GCM-HKDF-SHA-256"
ID_SIZE = 16
KEY_SIZE = 32
SALT_SIZE = 32
MAX_FILES = 2**20  # keeps index (96 MiB) and manifest in memory
MAX_EPOCH = 2**32  # far beyond one seal a second for a century
LARGE = 256 * 2**20  # bytes from which on reading a file once more pays: a killed seal then goes on inside it
MAX_FAILURES = 1000  # findings kept of one verification; more help nobody

_ID = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_REFERENCE = re.compile(r"(?P<name>[^@]*)(@(?P<epoch>[0-9]{1,10}))?")
_PURPOSE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class Kind(IntEnum):
    """What an object holds."""

    FILE = 1
    MANIFEST = 2


class Custody(StrEnum):
    """How the key-encryption key is kept; stated with every seal."""

    FILE_PLAIN = "file-plain"
    FILE_PASSPHRASE = "file-passphrase"  # noqa: S105 - a kind of custody, not a secret
    PKCS11 = "pkcs11"
    EXTERNAL = "external"


class Mode(StrEnum):
    """How much a verification checks."""

    STORAGE = "storage"  # ciphertext against the signed roots; needs no key
    AUDIT = "audit"  # and every tag and plaintext digest


class ReadMode(StrEnum):
    """How much each read of a chunk checks."""

    TAG = "tag"
    AUDIT = "audit"  # and the chunk's hash against the signed tree


@dataclass(frozen=True, slots=True)
class Header:
    """The first 128 bytes of a sealed object."""

    kind: Kind
    chunk_size: int
    length: int
    epoch: int
    dataset: DatasetId
    object: ObjectId
    salt: bytes
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """One object in the index."""

    object: ObjectId
    length: int
    chunks: int
    header: Digest
    chunk_root: bytes


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file in the manifest."""

    path: str
    object: ObjectId
    size: int
    digest: Digest


@dataclass(frozen=True, slots=True)
class Identity:
    """By what a file on disk is known to be the one that was read: any change of it moves one of these."""

    device: int
    inode: int
    size: int
    modified: int  # nanoseconds
    changed: int

    @property
    def times(self) -> tuple[int, int]:
        """Return when content and inode changed last."""
        return self.modified, self.changed


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file that is sealed: its line in the manifest and its record in the index."""

    entry: FileEntry
    record: Record


@dataclass(frozen=True, slots=True)
class Finished:
    """A file that an unfinished seal is done with, and which file on disk that was."""

    entry: FileEntry
    record: Record
    identity: Identity

    @property
    def sealed(self) -> SealedFile:
        """Return it as a whole seal lists it."""
        return SealedFile(self.entry, self.record)


@dataclass(frozen=True, slots=True)
class NewSeal:
    """What a seal is to be called."""

    dataset: DatasetId
    epoch: int
    chunk_size: int
    large: int = LARGE  # bytes of a file from which on a seal that was killed goes on inside it


@dataclass(frozen=True, slots=True)
class Task:
    """One file to be sealed; `kept` is what an earlier seal made of the same file."""

    path: str
    size: int
    kept: Finished | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """The paths of a dataset, known only to holders of its key."""

    dataset: DatasetId
    epoch: int
    salt: bytes
    files: tuple[FileEntry, ...]


@dataclass(frozen=True, slots=True)
class Seal:
    """The seal file: what the signed statement names."""

    dataset: DatasetId
    epoch: int
    chunk_size: int
    objects: int
    total_bytes: int
    ciphertext_root: Digest
    plaintext_root: Digest
    index: Digest
    manifest: ObjectId
    key_commitment: bytes


@dataclass(frozen=True, slots=True)
class Wrapping:
    """A dataset key, wrapped by one key-encryption key."""

    kek: str
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """One key-encryption key in the place of another."""

    old: str
    old_custody: Custody
    new: str
    custody: Custody
    wrapped: int  # epochs whose key the new one wraps
    others: int  # epochs whose key only keys of others wrap
    destroyed: bool  # the old one; a token may refuse


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that a verification found wrong."""

    part: str  # an object id, or the name of a file such as `index`
    reason: str
    path: str | None = None
    chunk: int | None = None

    def to_json(self) -> dict[str, object]:
        """Return the form in which front ends show it."""
        found: dict[str, object] = {"object": self.part, "chunk": self.chunk, "reason": self.reason}
        return found if self.path is None else found | {"path": self.path}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a verification that ran to its end."""

    mode: Mode
    chunks: int
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> bool:
        """Tell whether nothing failed."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class Erasure:
    """That the key of an epoch is to be destroyed, and whether it is."""

    requested: Digest  # the statement that announced it
    done: bool
    held: bool = False  # a legal hold was placed after it was announced, before it was done


@dataclass(frozen=True, slots=True)
class Destroyed:
    """One wrapping of a dataset key that is gone."""

    place: str  # which file held it: `key.json`, or `staging`
    kek: str
    digest: Digest  # of the wrapped key, by which a backup of the file can be known


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed epoch of a dataset, as the control plane has recorded it."""

    dataset: DatasetId
    name: DatasetName
    epoch: int
    seal: Digest
    objects: int
    total_bytes: int
    ciphertext_root: Digest
    key_custody: Custody
    erasure: Erasure | None = None

    def check_kept(self) -> None:
        """Raise `Refused` where its key was erased, or is about to be."""
        if self.erasure is not None:
            became = "was erased" if self.erasure.done else "is being erased"
            raise Refused(f"epoch {self.epoch} of {self.name} {became}: nobody opens it any more")

    @property
    def erased(self) -> bool | None:
        """Tell whether its key is recorded as destroyed; None between announcement and end, when either may be."""
        if self.erasure is None:
            return False
        return True if self.erasure.done else None

    def check_released(self) -> None:
        """Raise `Refused` where a legal hold came between the announcement of an erasure and its end."""
        if self.erasure is not None and self.erasure.held:
            raise Refused(f"a legal hold covers epoch {self.epoch} of {self.name} by now: release it first")

    @property
    def subject(self) -> Subject:
        """Return how statements name this epoch."""
        return Subject(f"dataset/{self.dataset}", self.seal)


class DamagedSeal(VerificationFailed):
    """A part of a sealed dataset is not what was signed; says which."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        place = failure.path or failure.part
        chunk = "" if failure.chunk is None else f", chunk {failure.chunk}"
        super().__init__(f"{place}{chunk}: {failure.reason}")


def dataset_id(text: object) -> DatasetId:
    """Parse a dataset id."""
    return DatasetId(_matched(_ID, text, "a dataset id (32 hexadecimal digits)"))


def object_id(text: object) -> ObjectId:
    """Parse an object id."""
    return ObjectId(_matched(_ID, text, "an object id (32 hexadecimal digits)"))


def dataset_name(text: object) -> DatasetName:
    """Parse the name under which a tenant knows a dataset."""
    what = "a dataset name (lower-case letters, digits, '.', '_', '-', at most 64, not starting with a sign)"
    return DatasetName(_matched(_NAME, text, what))


@dataclass(frozen=True, slots=True)
class Reference:
    """A dataset by name, and which epoch of it; None is the newest."""

    name: DatasetName
    epoch: int | None = None

    def __str__(self) -> str:
        return self.name if self.epoch is None else f"{self.name}@{self.epoch}"


def reference(text: object) -> Reference:
    """Parse `NAME` or `NAME@EPOCH`."""
    found = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise MalformedInput(f"{str(text)[:80]!r} is not a dataset's name, or NAME@EPOCH")
    number = found["epoch"]
    return Reference(dataset_name(found["name"]), None if number is None else epoch_number(int(number)))


def purpose(text: object) -> str:
    """Parse the short code that says what a dataset is opened for."""
    return _matched(_PURPOSE, text, "a purpose code (lower-case letters, digits, hyphens, at most 32)")


def epoch_number(value: object) -> int:
    """Parse an epoch."""
    if type(value) is not int or not 1 <= value <= MAX_EPOCH:
        raise MalformedInput(f"an epoch is a number from 1 to {MAX_EPOCH}")
    return value


def _matched(pattern: re.Pattern[str], text: object, what: str) -> str:
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise MalformedInput(f"{str(text)[:80]!r} is not {what}")
    return text
