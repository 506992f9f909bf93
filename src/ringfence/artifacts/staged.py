"""A sealed dataset on its way: its files while they are written, read again, gone on with and removed."""

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from ringfence.artifacts.model import DatasetId, ObjectId
from ringfence.artifacts.plain import (
    CREATE,
    FOLDER,
    DirectoryVault,
    NewFile,
    OpenFile,
    be_folder,
    clear,
    holding,
    names_in,
    opened,
    translated,
)
from ringfence.artifacts.seal import KEY_FILE, MAX_KEY_FILE
from ringfence.kernel.errors import Conflict, NotFound, UsageError

STAGING = ".staging"
PENDING = "pending"
JOURNAL = "journal"
PARTIAL = "partial"
MAX_JOURNAL = 2**30  # a line has some 500 bytes, and a dataset at most 2^20 files
_UNFINISHED = frozenset({KEY_FILE, JOURNAL, PENDING, "objects", "chunks", PARTIAL})
_CHANGE = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_BEGIN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class NewFolder:
    """A folder of ours that is being filled."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @contextmanager
    def create(self, name: str) -> Iterator[NewFile]:
        """Create a file and the folders above it."""
        parts = name.split("/")
        for depth in range(1, len(parts)):
            with translated(name), suppress(FileExistsError):
                os.mkdir("/".join(parts[:depth]), 0o700, dir_fd=self._descriptor)
        with holding(name, self._descriptor) as (folder, last), opened(last, CREATE, folder, name) as descriptor:
            yield NewFile(descriptor, name)


class BegunFile(OpenFile):
    """A file that was begun: of ours alone, read and written in any place."""

    def __init__(self, descriptor: int, name: str) -> None:
        """Take over a descriptor; raise `UsageError` where the file has another name too, perhaps somewhere else."""
        super().__init__(descriptor, name)
        if self._status.st_nlink != 1:
            raise UsageError(f"{name} is not a file of its own")

    def write_at(self, data: memoryview | bytes, offset: int) -> None:
        """Write all of `data`."""
        rest = memoryview(data)
        with translated(self._name):
            while rest:
                count = os.pwrite(self._descriptor, rest, offset)
                rest, offset = rest[count:], offset + count

    def cut(self, size: int) -> None:
        """Let it end there."""
        with translated(self._name):
            os.ftruncate(self._descriptor, size)


class Place(NewFolder):
    """A folder of ours in which objects are written, read again, and removed."""

    def open(self, name: str) -> AbstractContextManager[OpenFile]:
        """Open one file."""
        return DirectoryVault(self._descriptor).open(name)

    def read(self, name: str, limit: int) -> bytes:
        """Return a whole small file."""
        return DirectoryVault(self._descriptor).read(name, limit)

    def remove(self, name: ObjectId) -> None:
        """Remove an object and its hashes."""
        for path in (f"objects/{name}", f"chunks/{name}"):
            with translated(path), suppress(FileNotFoundError):
                os.unlink(path, dir_fd=self._descriptor)

    @contextmanager
    def begun(self, name: str) -> Iterator[BegunFile]:
        """Open or begin a large object; what was planted in its place goes, and is not followed."""
        with translated(PARTIAL), suppress(FileExistsError):
            os.mkdir(PARTIAL, 0o700, dir_fd=self._descriptor)
        with opened(PARTIAL, FOLDER, self._descriptor) as folder:
            _be_own(name, folder)
            with opened(name, _BEGIN, folder, f"{PARTIAL}/{name}") as descriptor:
                yield BegunFile(descriptor, f"{PARTIAL}/{name}")

    def complete(self, name: str, object_: ObjectId) -> None:
        """Move it among the objects."""
        with (
            opened(PARTIAL, FOLDER, self._descriptor) as source,
            opened("objects", FOLDER, self._descriptor) as target,
            translated(name),
        ):
            os.rename(name, object_, src_dir_fd=source, dst_dir_fd=target)


class StagedFolder(Place):
    """A sealed dataset on its way: locked by its writer as long as that lives."""

    def __init__(self, descriptor: int, path: Path, root: Path) -> None:
        super().__init__(descriptor)
        self._root, self.path, self.settled, self.published = root, path, False, False

    @property
    def descriptor(self) -> int:
        """Return the open folder; whoever inherits it holds the lock too."""
        return self._descriptor

    @property
    def key_file(self) -> bytes:
        """Return the file of the wrapped key."""
        return self._read(KEY_FILE, MAX_KEY_FILE)

    @property
    def journal(self) -> bytes:
        """Return what was noted."""
        return self._read(JOURNAL, MAX_JOURNAL)

    def _read(self, name: str, limit: int) -> bytes:
        with suppress(NotFound):
            return self.read(name, limit)
        return b""

    def note(self, line: bytes) -> None:
        """Append to the journal; a line that is torn by a crash is not read again."""
        with opened(JOURNAL, CREATE & ~os.O_EXCL | os.O_APPEND, self._descriptor) as descriptor:
            NewFile(descriptor, JOURNAL).write(line)

    def keep(self, objects: Sequence[ObjectId], journal: int, begun: Callable[[], Collection[str]]) -> int:
        """Remove what no line of the journal stands for, and what nobody goes on with."""
        for folder in ("objects", "chunks"):
            self._clear(folder, frozenset(objects))
        present = names_in(PARTIAL, self._descriptor)
        wanted = present & frozenset(begun()) if present else present
        self._clear(PARTIAL, wanted)
        clear(self._descriptor, _UNFINISHED)
        with opened(JOURNAL, _CHANGE, self._descriptor) as descriptor, translated(JOURNAL):
            os.ftruncate(descriptor, journal)
        return len(wanted)

    def drop_begun(self) -> None:
        """Remove the folder of what was begun, whatever lies in its place."""
        self._clear(PARTIAL, frozenset())
        with translated(PARTIAL):
            os.rmdir(PARTIAL, dir_fd=self._descriptor)

    def _clear(self, folder: str, wanted: frozenset[str]) -> None:
        be_folder(folder, self._descriptor)
        with opened(folder, FOLDER, self._descriptor) as descriptor:
            clear(descriptor, wanted)

    def publish(self, dataset: DatasetId, epoch: int) -> None:
        """Flush all files and folders, then rename."""
        target = self._root / dataset / str(epoch)
        with translated(target):
            target.parent.mkdir(mode=0o700, exist_ok=True)
            flush(self.path)
            try:
                self.path.rename(target)
            except OSError as error:
                if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise Conflict(f"epoch {epoch} of this dataset is being sealed by somebody else") from error
                raise
            self.path, self.published = target, True
            for folder in (target.parent, self._root, self._root / STAGING):
                _fsync(folder)

    def settle(self, envelope: bytes | None) -> None:
        """Write the envelope, then remove the mark."""
        with translated(self.path):
            if envelope is not None:
                with self.create("seal.dsse") as sink:
                    sink.write(envelope)
                _fsync(self.path / "seal.dsse")
            unmark(self.path)
            _fsync(self.path)
        self.settled = True

    def is_empty(self) -> bool:
        """Tell whether no object was begun, or none can be found any more."""
        return not any(names_in(folder, self._descriptor) for folder in ("objects", PARTIAL))

    def discard(self) -> None:
        """Remove what there is, renamed away first so that no half of it stays in a published place."""
        doomed = self._root / STAGING / secrets.token_hex(8)
        with suppress(OSError):
            self.path.rename(doomed)
            self.path = doomed
        shutil.rmtree(self.path, ignore_errors=True)


def _be_own(name: str, folder: int) -> None:
    """Remove what is no file of its own: through a second name of another one it would be written over there."""
    with translated(name), suppress(FileNotFoundError):
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            shutil.rmtree(name, dir_fd=folder)
        elif not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            os.unlink(name, dir_fd=folder)


def unmark(path: Path) -> None:
    """Let a dataset be complete: the mark goes last."""
    (path / JOURNAL).unlink(missing_ok=True)
    (path / PENDING).unlink()


def flush(path: Path) -> None:
    """Flush everything below `path` to disk: files before the folders that name them."""
    for folder, _, names in os.walk(path, topdown=False):
        for name in names:
            _fsync(Path(folder, name))
        _fsync(Path(folder))


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
