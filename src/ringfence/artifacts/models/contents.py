"""The bytes of imported models, each once, by their digest: a model's folder holds hard links to them.

Nobody may write to a content, not even whoever put it there: its folder entry is the only thing that ever changes. What
an import that was killed had already copied is found again by the next one.
"""

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ringfence.artifacts.models import verity
from ringfence.artifacts.models.blobs import FileContent
from ringfence.artifacts.models.methods import Comparison
from ringfence.artifacts.plain import translated
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, VerificationFailed

FOLDER = ".contents"
PARTIAL = ".partial-"
FROZEN = 0o400
UNUSED_NS = 24 * 3600 * 10**9  # how long a content that no model holds waits for the next try
_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES}
_PIECE = 2**20


@dataclass(slots=True)
class Contents:
    """The contents below one folder."""

    root: Path
    now_ns: Callable[[], int]
    made: list[Digest] = field(default_factory=list)  # by this import, so that a refusal can take them away

    def holds(self, digest: Digest, size: int) -> bool:
        """Tell whether a content of this name and length is there, which nobody may write to."""
        with suppress(FileNotFoundError):
            status = self._path(digest).lstat()
            return stat.S_ISREG(status.st_mode) and status.st_size == size and status.st_mode & 0o222 == 0
        return False

    def take(self, content: FileContent, comparison: Comparison | None = None) -> Digest:
        """Copy a file in one pass, and return its digest.

        Raises:
            VerificationFailed: the bytes are not those that were signed.
            Conflict: the file was changed meanwhile.
        """
        with translated(self.root):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = self.root / (PARTIAL + secrets.token_hex(8))
        try:
            digest = self._copy(content, comparison, partial)
            if not self.holds(digest, content.size):
                with translated(partial):
                    self._path(digest).parent.mkdir(mode=0o700, exist_ok=True)
                    partial.rename(self._path(digest))
                self.made.append(digest)
        finally:
            with suppress(FileNotFoundError):
                partial.unlink()
        return digest

    def _copy(self, content: FileContent, comparison: Comparison | None, partial: Path) -> Digest:
        running = hashlib.sha256()
        with translated(content.name):
            sink = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FROZEN)
            try:
                for part in content.chunks():
                    running.update(part)
                    if comparison is not None:
                        comparison.update(part)
                    rest = memoryview(part)
                    while rest:
                        rest = rest[os.write(sink, rest) :]
                os.fsync(sink)
            finally:
                os.close(sink)
        if not content.unchanged():
            raise Conflict(f"{content.name!r} was changed while it was read; try again once nobody writes to it")
        if comparison is not None and not comparison.matches():
            raise VerificationFailed(f"{content.name!r} does not hold the bytes that were signed")
        with translated(content.name):
            verity.enabled(partial, FROZEN)
        return Digest(running.digest())

    def place(self, digest: Digest, target: Path) -> None:
        """Give a content a name in a model's folder: a hard link, or a copy where the file system has none."""
        with translated(target):
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                os.link(self._path(digest), target, follow_symlinks=False)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                with self._path(digest).open("rb") as held, target.open("xb") as sink:
                    while piece := held.read(_PIECE):
                        sink.write(piece)
                target.chmod(FROZEN)

    def drop(self, digest: Digest) -> None:
        """Remove a content, for one that turned out to be damaged."""
        with suppress(FileNotFoundError), translated(digest.hex):
            self._path(digest).unlink()

    def forget_made(self) -> None:
        """Remove what this import brought and no model holds."""
        for digest in self.made:
            with suppress(FileNotFoundError):
                if self._path(digest).lstat().st_nlink == 1:
                    self._path(digest).unlink()

    def sweep(self) -> None:
        """Remove what no model holds and nobody came back for."""
        oldest = self.now_ns() - UNUSED_NS
        for path in self._all():
            with suppress(FileNotFoundError):
                status = path.lstat()
                if status.st_nlink == 1 and status.st_ctime_ns < oldest:
                    path.unlink()

    def _all(self) -> Iterator[Path]:
        with translated(self.root):
            yield from (path for path in self.root.glob("*") if path.name.startswith(PARTIAL))
            yield from self.root.glob("[0-9a-f][0-9a-f]/*")

    def _path(self, digest: Digest) -> Path:
        return self.root / digest.hex[:2] / digest.hex
