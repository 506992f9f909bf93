"""Sealed datasets and plain trees as files: by descriptor, without following links, never by name twice."""

import errno
import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ringfence.artifacts.manifest import MAX_PARTS
from ringfence.artifacts.model import DatasetId, dataset_id
from ringfence.artifacts.ports import Listing, Source
from ringfence.kernel.errors import (
    Conflict,
    InternalError,
    MalformedInput,
    NotFound,
    RingfenceError,
    Unavailable,
    UsageError,
)
from ringfence.kernel.identifier import Tenant

STAGING = ".staging"
PENDING = "pending"
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # the last so that a FIFO cannot block the open
FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_DIRECTORY
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def translated(what: object) -> Iterator[None]:
    """Turn errors of the operating system into our family."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"{what} is missing") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise UsageError(f"{what}: {error.strerror}") from error
    except OSError as error:
        if error.errno in _FULL:
            raise Unavailable(f"the disk is full ({what}); nothing was kept; free some space and try again") from error
        if error.errno == errno.ELOOP:
            raise UsageError(f"{what} is a symbolic link; links are not followed") from error
        raise Unavailable(f"{what} cannot be used: {error.strerror}") from error


class OpenFile:
    """A regular file that is open for reading."""

    def __init__(self, descriptor: int, name: str) -> None:
        """Take over a descriptor; raise `UsageError` where it is not a regular file."""
        self._descriptor, self._name = descriptor, name
        self._status = os.fstat(descriptor)
        if not stat.S_ISREG(self._status.st_mode):
            raise UsageError(f"{name} is not a regular file")

    @property
    def size(self) -> int:
        """Return the size at opening."""
        return self._status.st_size

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill the buffer; short reads are not taken for the end of the file."""
        done = 0
        with translated(self._name):
            while done < len(buffer):
                count = os.preadv(self._descriptor, [buffer[done:] if done else buffer], offset + done)
                if count == 0:
                    break
                done += count
        return done

    def unchanged(self) -> bool:
        """Compare size and times with those at opening."""
        now, then = os.fstat(self._descriptor), self._status
        return (now.st_size, now.st_mtime_ns, now.st_ctime_ns) == (then.st_size, then.st_mtime_ns, then.st_ctime_ns)


class NewFile:
    """A file that is being written."""

    def __init__(self, descriptor: int, name: str) -> None:
        self._descriptor, self._name = descriptor, name

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append all of `data`."""
        rest = memoryview(data)
        with translated(self._name):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]


@contextmanager
def opened(name: str, flags: int, at: int | None = None, shown: str = "") -> Iterator[int]:
    """Open a name for a while; errors call it as it is `shown`."""
    with translated(shown or name):
        descriptor = os.open(name, flags, 0o600, dir_fd=at)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def holding(name: str, at: int) -> Iterator[tuple[int, str]]:
    """Open the folder that holds `name`, one part at a time, so that no part can be a link; give the last part too."""
    folder, _, last = name.rpartition("/")
    with translated(name):
        current = os.dup(at)
        try:
            for part in filter(None, folder.split("/")):
                following = os.open(part, FOLDER, dir_fd=current)
                os.close(current)
                current = following
        except BaseException:
            os.close(current)
            raise
    try:
        yield current, last
    finally:
        os.close(current)


class PlainFolder:
    """The files below a folder, or one file, that are to be sealed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def files(self) -> Iterator[tuple[str, Source]]:
        """Give each file with its path below the folder; a single file has its own name."""
        with opened(str(self._path), READ) as descriptor:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                yield from self._walk(descriptor, "")
            else:
                yield self._path.name, OpenFile(descriptor, str(self._path))

    def _walk(self, folder: int, prefix: str) -> Iterator[tuple[str, Source]]:
        if prefix.count("/") >= MAX_PARTS:
            raise UsageError(f"{prefix!r} is deeper than {MAX_PARTS} folders")
        with translated(prefix or self._path):
            names = sorted(os.listdir(folder))
        for name in names:
            path = prefix + name
            with opened(
                name, READ if is_plain(folder, name, path, "a sealed dataset") else FOLDER, folder
            ) as descriptor:
                if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                    yield from self._walk(descriptor, path + "/")
                else:
                    yield path, OpenFile(descriptor, path)


def is_plain(folder: int, name: str, path: str, whole: str) -> bool:
    """Tell a file from a folder; raise `UsageError` for anything else."""
    with translated(repr(path)):
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return stat.S_ISREG(mode)
    kind = "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file"
    raise UsageError(f"{path!r} is {kind}; {whole} holds plain files only: copy the content or leave it out")


class DirectoryVault:
    """A sealed dataset's directory, open for reading."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def listing(self) -> Listing:
        """Return every name."""
        return Listing(self._names("."), self._names("objects"), self._names("chunks"))

    def _names(self, folder: str) -> frozenset[str]:
        try:
            with opened(folder, FOLDER, self._descriptor) as descriptor:
                return frozenset(os.listdir(descriptor))  # noqa: PTH208 - by descriptor
        except UsageError:
            return frozenset()  # a missing folder shows as missing entries

    @contextmanager
    def open(self, name: str) -> Iterator[OpenFile]:
        """Open one file."""
        with holding(name, self._descriptor) as (folder, last), opened(last, READ, folder, name) as descriptor:
            yield OpenFile(descriptor, name)

    def read(self, name: str, limit: int) -> bytes:
        """Return a whole small file."""
        with self.open(name) as source:
            if source.size > limit:
                raise UsageError(f"{name} has {source.size} bytes; the limit is {limit}")
            data = bytearray(source.size)
            return bytes(data[: source.read_into(memoryview(data), 0)])


@contextmanager
def directory_vault(path: Path) -> Iterator[DirectoryVault]:
    """Open a sealed dataset's directory."""
    with opened(str(path), FOLDER) as descriptor:
        yield DirectoryVault(descriptor)


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
        with holding(name, self._descriptor) as (folder, last), opened(last, _CREATE, folder, name) as descriptor:
            yield NewFile(descriptor, name)


@contextmanager
def new_folder(path: Path) -> Iterator[NewFolder]:
    """Fill a hidden folder beside `path` and rename it there at the end; after any error nothing is left."""
    if path.exists() or path.is_symlink():
        raise Conflict(f"{path} exists already; name a folder that does not")
    partial = path.with_name(f".{path.name}.partial-{secrets.token_hex(8)}")
    with translated(path.parent):
        partial.mkdir(mode=0o700)
    try:
        with opened(str(partial), FOLDER) as descriptor:
            yield NewFolder(descriptor)
        with translated(path):
            partial.rename(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


class StagedFolder(NewFolder):
    """A sealed dataset on its way: locked by its writer as long as that lives."""

    def __init__(self, descriptor: int, path: Path, root: Path) -> None:
        super().__init__(descriptor)
        self._root, self.path, self.settled = root, path, False

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
            self.path = target
            for folder in (target.parent, self._root, self._root / STAGING):
                _fsync(folder)

    def settle(self, envelope: bytes | None) -> None:
        """Write the envelope, then remove the mark."""
        with translated(self.path):
            if envelope is not None:
                with self.create("seal.dsse") as sink:
                    sink.write(envelope)
                _fsync(self.path / "seal.dsse")
            (self.path / PENDING).unlink()
            _fsync(self.path)
        self.settled = True

    def discard(self) -> None:
        """Remove what there is, renamed away first so that no half of it stays in a published place."""
        doomed = self._root / STAGING / secrets.token_hex(8)
        with suppress(OSError):
            self.path.rename(doomed)
            self.path = doomed
        shutil.rmtree(self.path, ignore_errors=True)


class Home:
    """The sealed datasets below one home directory."""

    def __init__(self, home: Path) -> None:
        self.root = home / "datasets"

    @contextmanager
    def vault(self, dataset: DatasetId, epoch: int) -> Iterator[DirectoryVault]:
        """Open a sealed dataset for reading."""
        path = self.root / dataset / str(epoch)
        if not path.is_dir():
            raise NotFound(f"epoch {epoch} of dataset {dataset} is not on this machine: {path} is missing")
        with directory_vault(path) as vault:
            yield vault

    @contextmanager
    def staging(self, tenant: Tenant, recorded: Mapping[DatasetId, int]) -> Iterator[StagedFolder]:
        """Start a sealed dataset; what is neither settled nor of unknown outcome is removed at the end."""
        with translated(self.root):
            (self.root / STAGING).mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.root / STAGING / secrets.token_hex(8)
        with self._turn():
            self._sweep(tenant, recorded)
            with translated(path):
                path.mkdir(mode=0o700)
            descriptor = os.open(path, FOLDER)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        staged = StagedFolder(descriptor, path, self.root)
        try:
            with translated(path):
                for folder in ("objects", "chunks"):
                    (path / folder).mkdir(mode=0o700)
                (path / PENDING).write_text(tenant + "\n")
            yield staged
        except BaseException as error:
            if not _outcome_unknown(error):
                staged.discard()
            raise
        else:
            if not staged.settled:
                staged.discard()
        finally:
            os.close(descriptor)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with opened(str(self.root / STAGING / ".turn"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield

    def _sweep(self, tenant: Tenant, recorded: Mapping[DatasetId, int]) -> None:
        """Remove what killed writers left: whoever lives holds a lock."""
        for path in (self.root / STAGING).iterdir():
            if path.is_dir() and (lock := locked(path)):
                shutil.rmtree(path, ignore_errors=True)
                os.close(lock)
        for mark in self.root.glob(f"[0-9a-f]*/*/{PENDING}"):
            path = mark.parent
            if mark.read_text() == tenant + "\n" and (lock := locked(path)):
                _finish(path, mark, self.root, recorded)
                os.close(lock)


def _finish(path: Path, mark: Path, root: Path, recorded: Mapping[DatasetId, int]) -> None:
    try:
        known = int(path.name) <= recorded.get(dataset_id(path.parent.name), 0)
    except (MalformedInput, ValueError):
        return  # not a folder of ours
    if known:
        mark.unlink()  # recorded; only the writer's last step is missing
    else:
        StagedFolder(-1, path, root).discard()


def locked(path: Path) -> int | None:
    """Lock a folder until the descriptor is closed; None where somebody else holds it."""
    with translated(path):
        descriptor = os.open(path, FOLDER)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _outcome_unknown(error: BaseException) -> bool:
    """Tell whether the control plane may have recorded the seal although we saw an error."""
    return isinstance(error, InternalError | Unavailable) or not isinstance(error, RingfenceError | OSError)


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
