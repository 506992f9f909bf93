"""A file of the journal: disk reserved ahead, frames appended, durable on request.

Layout: docs/specs/segment.md, section 5. The disk is reserved before a request is admitted, the space for its end
included, so that what was admitted can always be ended.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ringfence.gateway.daybook import Daybook, extent, replay
from ringfence.storage.files import explained, read_bounded, sync_directory

CHUNK = 2**20  # reserved at a time: some thousand records
SPARE = CHUNK // 2  # reserved ahead of what is needed, by the thread that may wait for the disk
MAX_FILE = 2**30  # far beyond 10,000 records of the largest size and as many open requests


@dataclass(slots=True)
class FrameFile:
    """The file that frames are appended to."""

    path: Path
    descriptor: int
    end: int  # of the last frame
    reserved: int

    @classmethod
    def create(cls, path: Path, frames: Iterable[bytes]) -> "FrameFile":
        """Make a file that begins with `frames`; it has its name once it is durable.

        Raises:
            Unavailable: the disk has no room for it.
        """
        temporary = path.with_suffix(".tmp")
        with explained(path, "write"):
            descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            made = cls(path, descriptor, 0, 0)
            try:
                data = b"".join(frames)
                made.reserve(len(data))
                made.append(data)
                os.fsync(descriptor)
                temporary.rename(path)
                sync_directory(path.parent)
            except BaseException:
                made.close()
                temporary.unlink(missing_ok=True)
                raise
        return made

    @classmethod
    def reopen(cls, path: Path) -> tuple["FrameFile", Daybook]:
        """Open a file that a gateway left behind, its torn end cut off; return it with what its frames add up to.

        Raises:
            MalformedInput: it is damaged before its end.
        """
        data = read_bounded(path, limit=MAX_FILE)
        book, end = replay(data, source=str(path)), extent(data)
        with explained(path, "write"):
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            # What lies behind the first torn frame was never acknowledged, and may hold whole frames all the same.
            os.ftruncate(descriptor, end)
        return cls(path, descriptor, end, end), book

    def reserve(self, size: int) -> None:
        """Make sure that `size` more bytes can be written; raise `Unavailable` where they cannot."""
        missing = self.end + size - self.reserved
        if missing <= 0:
            return
        grown = -(-missing // CHUNK) * CHUNK
        with explained(self.path, "reserve disk for"):
            os.posix_fallocate(self.descriptor, self.reserved, grown)
        self.reserved += grown

    def append(self, data: bytes) -> None:
        """Write frames behind the last one; raise `OSError` where they are not written whole."""
        if os.pwrite(self.descriptor, data, self.end) != len(data):
            raise OSError(f"{self.path} took a part of the frames only")
        self.end += len(data)

    def sync(self) -> None:
        """Return once everything that was appended is on the disk."""
        os.fdatasync(self.descriptor)

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def after(path: Path) -> Path:
    """Return the name of the file that follows."""
    return path.with_name(f"{int(path.stem) + 1:08}.wal")
