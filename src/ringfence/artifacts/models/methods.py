"""How a bundle names bytes: by one digest of each file, or one of each shard; by SHA-256 or BLAKE3 (OMS 1.0, 6.3, 7).

What models are known by here is the digest over SHA-256 of whole files (`Manifest`). The other ways are read so that a
model of somebody else can be verified and taken in, and written where somebody asks for them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

from ringfence.artifacts.models.model import Manifest, Resource
from ringfence.kernel.digest import SIZE, Digest
from ringfence.kernel.errors import MalformedInput, Unavailable, VerificationFailed


class Algorithm(StrEnum):
    """The hashes that are read and written; no other, and nothing is negotiated."""

    SHA256 = "sha256"
    BLAKE3 = "blake3"


class Hasher(Protocol):
    """Hash bytes part by part."""

    def update(self, data: bytes | memoryview, /) -> object:
        """Take in more bytes."""
        ...

    def digest(self) -> bytes:
        """Return the 32 bytes of the digest."""
        ...


def hasher(algorithm: Algorithm) -> Hasher:
    """Start a hash; raise `Unavailable` where BLAKE3 is not installed."""
    if algorithm is Algorithm.SHA256:
        return hashlib.sha256()
    try:
        from blake3 import blake3
    except ImportError as error:
        raise Unavailable("BLAKE3 is not installed: pip install 'ringfence[models]'") from error
    started: Hasher = blake3()
    return started


@dataclass(frozen=True, slots=True)
class Method:
    """Which hash, and over how many bytes each; 0 is over whole files."""

    algorithm: Algorithm = Algorithm.SHA256
    shard: int = 0

    @property
    def text(self) -> str:
        """Return the form in which front ends name it."""
        return f"{self.algorithm} of {f'shards of {self.shard} bytes' if self.shard else 'files'}"


FILES = Method()


@dataclass(frozen=True, slots=True)
class Part:
    """What was signed of a file from `start` on; `end` is None for the whole file."""

    start: int
    end: int | None
    digest: bytes


@dataclass(frozen=True, slots=True)
class SignedFiles:
    """The files of a model as a bundle names them."""

    title: str
    root: Digest
    method: Method
    files: Mapping[str, Sequence[Part]]

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """Return a manifest's files."""
        files = {one.name: (Part(0, None, one.digest.value),) for one in manifest.files}
        return cls(manifest.title, manifest.root, FILES, files)

    @property
    def manifest(self) -> Manifest:
        """Return the manifest by which statements and engines know a model.

        Raises:
            VerificationFailed: the bundle names bytes in another way, so that the digests are still unknown.
        """
        if self.method != FILES:
            raise VerificationFailed(
                f"the bundle signs the {self.method.text}; what is loaded is known by SHA-256 of its files:"
                " `ringfence model import` verifies it and signs the copy so"
            )
        resources = tuple(Resource(name, Digest(parts[0].digest)) for name, parts in self.files.items())
        return Manifest(self.title, resources, self.root)

    def comparison(self, name: str) -> "Comparison":
        """Start to compare a file's bytes; raise `VerificationFailed` where the name was not signed."""
        parts = self.files.get(name)
        if parts is None:
            raise VerificationFailed(f"{name!r} is not among the files that were signed")
        return Comparison(self.method.algorithm, parts)


class Comparison:
    """The bytes of one file, compared part by part as they come."""

    def __init__(self, algorithm: Algorithm, parts: Sequence[Part]) -> None:
        self._algorithm, self._parts, self._next, self._at = algorithm, parts, 0, 0
        self._hasher, self._same = hasher(algorithm), True

    def update(self, data: bytes | memoryview) -> None:
        """Take in the next bytes."""
        rest = memoryview(data)
        while rest and self._same:
            if self._next == len(self._parts):
                self._same = False  # more bytes than were signed
                return
            end = self._parts[self._next].end
            size = len(rest) if end is None else min(len(rest), end - self._at)
            self._hasher.update(rest[:size])
            self._at, rest = self._at + size, rest[size:]
            if self._at == end:
                self._close()

    def _close(self) -> None:
        self._same = self._same and self._hasher.digest() == self._parts[self._next].digest
        self._next, self._hasher = self._next + 1, hasher(self._algorithm)

    def matches(self) -> bool:
        """Tell, at the end of the file, whether it held exactly what was signed."""
        if self._same and self._next < len(self._parts) and self._parts[self._next].end is None:
            self._close()
        return self._same and self._next == len(self._parts)


def spelled(method: Method) -> frozenset[str]:
    """Return how bundles spell a method's algorithm: the specification's way, and the reference tool's for shards."""
    plain = method.algorithm.value
    return frozenset({plain, f"{plain}-sharded-{method.shard}"}) if method.shard else frozenset({plain})


def shard_name(name: str) -> tuple[str, int, int]:
    """Split `path:start:end`, whose path may hold colons; raise `MalformedInput`."""
    path, *numbers = name.rsplit(":", 2)
    if len(numbers) != 2 or not all(one.isascii() and one.isdecimal() and len(one) <= 16 for one in numbers):
        raise MalformedInput(f"the shard {name[:80]!r} does not say from where to where it goes")
    if any(one != str(int(one)) for one in numbers):
        raise MalformedInput(f"the shard {name[:80]!r} writes a number with leading zeros")
    return path, int(numbers[0]), int(numbers[1])


def check_shards(name: str, parts: Sequence[Part], size: int) -> None:
    """Raise `MalformedInput` unless shards follow one another from the start, each `size` long but for the last."""
    at = 0
    for number, part in enumerate(parts, 1):
        length = (part.end or 0) - part.start
        if part.start != at or not 0 < length <= size or (length != size and number != len(parts)):
            raise MalformedInput(f"the shards of {name[:80]!r} do not follow one another")
        at += length


def digest_bytes(text: object) -> bytes:
    """Parse the hexadecimal digits of a digest of 32 bytes; raise `MalformedInput`."""
    if not isinstance(text, str) or len(text) != 2 * SIZE or any(one not in "0123456789abcdef" for one in text):
        raise MalformedInput("a digest in the bundle is not 64 lower-case hexadecimal digits")
    return bytes.fromhex(text)
