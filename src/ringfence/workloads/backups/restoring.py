"""Restore a backup into an empty place, against the clock, and verify what came back down to every byte.

What counts is the digest that was stated when the backup was made: the target is not trusted. A drill that was killed
goes on: what lies there already with the right bytes is not fetched again, and its time counts from the first call.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.artifacts.blobs import directory_vault
from ringfence.artifacts.models.blobs import verified
from ringfence.artifacts.models.keys import PublicKey
from ringfence.artifacts.verifying import verify
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, RingfenceError, VerificationFailed
from ringfence.storage.files import PRIVATE, explained, write_whole
from ringfence.workloads.backups.model import MAX_INDEX, Index, Kept, Kind, Thing, parse
from ringfence.workloads.backups.target import PIECE, Target, content_of, index_of, read_whole

MARK = "restoring"
MOST_FAILURES = 50


@dataclass(frozen=True, slots=True)
class Restored:
    """What a drill came to."""

    things: int = 0
    damaged: int = 0  # things that did not come back as they were stated
    datasets: int = 0
    models: int = 0
    keys: int = 0  # wrapped keys that came back
    keys_missing: int = 0
    files: int = 0
    bytes: int = 0
    resumed: bool = False
    nanoseconds: int = 0
    failures: tuple[str, ...] = ()
    held: frozenset[tuple[str, Digest]] = frozenset()  # folder and digest of each thing in the index

    @property
    def restored(self) -> bool:
        """Tell whether everything came back, and there was something."""
        return self.things > 0 and not self.damaged and not self.keys_missing and not self.failures

    @property
    def seconds(self) -> int:
        """Return how long it took, rounded up."""
        return -(-self.nanoseconds // 1_000_000_000)


@dataclass(frozen=True, slots=True)
class Stated:
    """By which digests a backup was stated."""

    index: Digest
    keys: Digest


@dataclass(slots=True)
class Restoring:
    """One drill."""

    target: Target
    keys: Target
    place: Path
    trusted: Sequence[PublicKey]
    stopwatch: Callable[[], int]
    wall: Callable[[], int]  # nanoseconds since 1970: what a drill that goes on counts by

    def __call__(self, stated: Stated) -> Restored:
        """Restore and verify; what fails is part of the result, and nothing of it raises but the place itself.

        Raises:
            Conflict: the place holds something else.
        """
        before = self._begin(stated)
        resumed, began = before is not None, self.stopwatch() - (before or 0)
        try:
            index = parse(read_whole(self.target, index_of(stated.index), stated.index, MAX_INDEX), source="index")
            of_keys = parse(read_whole(self.keys, index_of(stated.keys), stated.keys, MAX_INDEX), source="keys' index")
        except RingfenceError as error:
            taken = self.stopwatch() - began
            return Restored(resumed=resumed, nanoseconds=taken, failures=(str(error)[:500],))
        failures, damaged = list[str](), set[str]()
        self._fetch(self.target, index, failures, damaged)
        lost = set[str]()
        self._fetch(self.keys, of_keys, failures, lost)
        for thing in index.things:
            if because := self._problem(thing):
                damaged.add(thing.folder)
                failures.append(f"{thing.folder}: {because}"[:500])
        wanting = {thing.folder for thing in index.things if thing.kind is Kind.DATASET}
        held = {thing.folder for thing in of_keys.things} - lost
        return Restored(
            things=len(index.things),
            damaged=len(damaged),
            datasets=len(wanting),
            models=len(index.things) - len(wanting),
            keys=len(held & wanting),
            keys_missing=len(wanting - held),
            files=index.files + of_keys.files,
            bytes=index.size + of_keys.size,
            resumed=resumed,
            nanoseconds=self.stopwatch() - began,
            failures=tuple(failures[:MOST_FAILURES]),
            held=frozenset((thing.folder, thing.digest) for thing in index.things),
        )

    def _begin(self, stated: Stated) -> int | None:
        """Take an empty place, or one that an earlier drill of the same backup began: return how long ago it did."""
        mark = self.place / MARK
        with explained(self.place, "create"):
            self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if mark.exists():
                found, _, at = mark.read_text()[:200].partition(" ")
                ago = self.wall() - int(at) if at.isascii() and at.isdigit() else -1
                if found != str(stated.index) or ago < 0:
                    raise Conflict(f"{self.place} holds what another drill left; name an empty folder")
                return ago
            if any(self.place.iterdir()):
                raise Conflict(f"{self.place} is not empty; a drill restores into an empty place")
        write_whole(mark, f"{stated.index} {self.wall()}".encode(), mode=PRIVATE)
        return None

    def _fetch(self, target: Target, index: Index, failures: list[str], damaged: set[str]) -> None:
        for thing in index.things:
            if thing.kind is Kind.DATASET:  # small objects have no list of chunks: its folder is there all the same
                for folder in ("objects", "chunks"):
                    (self.place / thing.folder / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            for file in thing.files:
                try:
                    self._one(target, thing, file)
                except (RingfenceError, OSError) as error:
                    damaged.add(thing.folder)
                    failures.append(f"{thing.folder}/{file.path}: {error}"[:500])

    def _one(self, target: Target, thing: Thing, file: Kept) -> None:
        path = self.place / thing.folder / file.path
        if (
            path.is_file()
            and not path.is_symlink()
            and path.stat().st_size == file.size
            and _digest(path) == file.digest
        ):
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        held = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
        try:
            with os.fdopen(held, "wb") as sink:
                for piece in _checked(target.read(content_of(file.digest)), file):
                    sink.write(piece)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _problem(self, thing: Thing) -> str:
        """Verify a thing as its statement names it; say what is wrong."""
        path = self.place / thing.folder
        try:
            if thing.kind is Kind.DATASET:
                with directory_vault(path) as vault:
                    verdict = verify(vault, thing.digest, int(path.name))
                return "" if verdict.passed else f"{verdict.failures[0].part}: {verdict.failures[0].reason}"
            with verified(path, self.trusted) as model:
                model.check()
                return "" if model.digest == thing.digest else f"it is {model.digest}, and not what was stated"
        except (RingfenceError, OSError) as error:
            return str(error)


def _checked(pieces: Iterator[bytes], file: Kept) -> Iterator[bytes]:
    """Yield a content, no longer than it may be; raise `VerificationFailed` at its end where it is another one."""
    hasher, size = hashlib.sha256(), 0
    for piece in pieces:
        hasher.update(piece)
        size += len(piece)
        if size > file.size:
            break
        yield piece
    if size != file.size or hasher.digest() != file.digest.value:
        raise VerificationFailed("the backup holds other bytes than were kept")


def _digest(path: Path) -> Digest:
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            hasher.update(piece)
    return Digest(hasher.digest())
