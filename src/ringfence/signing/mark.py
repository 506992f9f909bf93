"""The mark on disk: which head was signed last, durable before a signature leaves.

Two slots of 512 bytes are written by turns, each with a count and a digest: a crash tears the one that is written, and
the other one holds. Format: docs/specs/signer.md.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock

from ringfence.kernel import digest
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.errors import MalformedInput, NotFound, Unavailable
from ringfence.kernel.identifier import LogOrigin
from ringfence.signing.model import Mark
from ringfence.storage.files import PRIVATE, explained, read_bounded, sync_directory

FORMAT = "urn:ringfence:signed-mark:v1"
MARK = "signer.mark"  # below the home
SLOT = 512


@dataclass(slots=True)
class MarkFile:
    """`Marks` in a file; it stays open, so that a signer without rights can go on writing it."""

    path: Path
    log: LogOrigin
    _descriptor: int = -1
    _count: int = 0
    _lock: Lock = field(default_factory=Lock)

    def open(self) -> None:
        """Open the file, made where it is missing."""
        if self._descriptor >= 0:
            return
        with explained(self.path, "open"):
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(self.path, flags, PRIVATE)
            if os.fstat(self._descriptor).st_size == 0:
                os.posix_fallocate(self._descriptor, 0, 2 * SLOT)
                os.fsync(self._descriptor)
                sync_directory(self.path.parent)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @contextmanager
    def held(self) -> Iterator[Mark | None]:
        """Keep every other signer of this log out, and tell the mark."""
        with self._lock:
            self.open()
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                self._check_in_place()
                yield self._read()
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def put(self, mark: Mark) -> None:
        """Make a mark durable before returning; only while it is `held`."""
        count = self._count + 1
        text = digest.dumps(
            {
                "format": FORMAT,
                "log": self.log,
                "count": count,
                "size": mark.size,
                "root": mark.root.hex(),
                "at": to_text(mark.at),
            }
        )
        data = (sha256(text).digest() + text).ljust(SLOT, b"\0")
        with explained(self.path, "write"):
            if os.pwrite(self._descriptor, data, count % 2 * SLOT) != SLOT:
                raise Unavailable(f"cannot write {self.path}: the disk is full")
            os.fdatasync(self._descriptor)
        self._count = count

    def _check_in_place(self) -> None:
        """Raise `Unavailable` where the file was removed or replaced: another signer would go on from another mark."""
        if not os.fstat(self._descriptor).st_nlink:
            raise Unavailable(f"{self.path} was removed while it was in use: nothing is signed; stop `ringfence up`")

    def _read(self) -> Mark | None:
        with explained(self.path, "read"):
            data = os.pread(self._descriptor, 2 * SLOT, 0)
        slots = [data[:SLOT], data[SLOT:]]
        found = {}
        for slot in slots:
            with suppress(MalformedInput):
                count, mark = self._parsed(slot)
                found[count] = mark
        newest = max(found, default=0)
        # A file that is cut off, or older than what was seen here, was put in the place of the one that was written.
        replaced = len(data) != 2 * SLOT or newest < self._count
        if replaced or (not found and any(slot.strip(b"\0") for slot in slots)):
            raise Unavailable(
                f"{self.path}, which says what head was signed last, is damaged: nothing is signed. See "
                "docs/specs/signer.md on what to compare before it is removed"
            )
        self._count = newest
        return found.get(newest)

    def _parsed(self, slot: bytes) -> tuple[int, Mark]:
        text = slot[32:].rstrip(b"\0")
        if sha256(text).digest() != slot[:32]:
            raise MalformedInput("torn")
        match digest.loads(text, source=str(self.path)):
            case {"format": kind, "log": log, "count": int(count), "size": int(size), "root": root, "at": at} if (
                kind == FORMAT and log == self.log
            ):
                return count, Mark(size, digest.Digest.parse(root).value, from_text(at))
            case _:
                raise MalformedInput("not a mark of this log", source=str(self.path))


def published(home: Path) -> str | None:
    """Return the checkpoint that the log of a home shows; None where it shows none."""
    path = home / "log" / "checkpoint"
    try:
        return read_bounded(path, limit=2**20).decode("utf-8")
    except NotFound:
        return None
    except UnicodeDecodeError as error:
        raise MalformedInput("the published checkpoint is not text", source=str(path)) from error
