"""Plain files by descriptor: opened without following links, never by name twice, errors in our family."""

import errno
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ringfence.artifacts.manifest import MAX_PARTS, check_path
from ringfence.artifacts.model import Identity
from ringfence.artifacts.ports import Listing, Source
from ringfence.kernel.errors import Conflict, InternalError, NotFound, Unavailable, UsageError

READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # the last so that a FIFO cannot block the open
FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_DIRECTORY
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
CLOCK_OF_FILES = 5  # CLOCK_REALTIME_COARSE, for which `time` has no name
_LONGEST_TICK = 50_000_000  # nanoseconds; a stamp further ahead is of another clock
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


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
        if error.errno in FULL:
            raise Unavailable(f"the disk is full ({what}); free some space and try again") from error
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
        while done < len(buffer):
            try:
                count = os.preadv(self._descriptor, [buffer[done:] if done else buffer], offset + done)
            except OSError as error:
                with translated(self._name):
                    raise error from None
            if count == 0:
                break
            done += count
        return done

    @property
    def identity(self) -> Identity:
        """Return which file was opened."""
        return identity_of(self._status)

    def unchanged(self) -> bool:
        """Compare size and times with those at opening."""
        return identity_of(os.fstat(self._descriptor)) == self.identity


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


def identity_of(status: os.stat_result) -> Identity:
    """Return what tells a file from every other, and from itself after a change."""
    return Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def settled(source: "OpenFile") -> "OpenFile":
    """Wait until the clock by which files are stamped is past the last change of a file: a later one then shows.

    Two changes within one tick of it, some milliseconds, leave the same times behind.
    """
    changed = source.identity.changed
    while 0 <= changed - time.clock_gettime_ns(CLOCK_OF_FILES) < _LONGEST_TICK:
        time.sleep(0.001)
    return source


class PlainFolder:
    """The files below a folder, or one file, that are to be sealed."""

    def __init__(self, path: Path) -> None:
        self.path = self._path = path

    def listed(self) -> Iterator[tuple[str, Identity]]:
        """Give each file's path below the folder, and which file it is."""
        with opened(str(self._path), READ) as descriptor:
            status = os.fstat(descriptor)
            if stat.S_ISDIR(status.st_mode):
                yield from self._listed(descriptor, "")
            else:
                yield self._path.name, identity_of(status)

    def _listed(self, folder: int, prefix: str) -> Iterator[tuple[str, Identity]]:
        for name, path in self._names(folder, prefix):
            if is_plain(folder, name, path, "a sealed dataset"):
                with translated(repr(path)):
                    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                yield path, identity_of(status)
            else:
                with opened(name, FOLDER, folder, path) as descriptor:
                    yield from self._listed(descriptor, path + "/")

    @contextmanager
    def open(self, path: str) -> Iterator[OpenFile]:
        """Open one file by its path below the folder."""
        check_path(path)
        with opened(str(self._path), READ) as root:
            if not stat.S_ISDIR(os.fstat(root).st_mode):
                yield settled(OpenFile(root, path))
                return
            with holding(path, root) as (folder, last), opened(last, READ, folder, path) as descriptor:
                yield settled(OpenFile(descriptor, path))

    def identity(self, source: Source) -> Identity:
        """Return which file was opened."""
        if isinstance(source, OpenFile):
            return source.identity
        raise InternalError("this file was not opened by this folder")

    def files(self) -> Iterator[tuple[str, Source]]:
        """Give each file with its path below the folder; a single file has its own name."""
        with opened(str(self._path), READ) as descriptor:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                yield from self._walk(descriptor, "")
            else:
                yield self._path.name, settled(OpenFile(descriptor, str(self._path)))

    def _walk(self, folder: int, prefix: str) -> Iterator[tuple[str, Source]]:
        for name, path in self._names(folder, prefix):
            with opened(
                name, READ if is_plain(folder, name, path, "a sealed dataset") else FOLDER, folder
            ) as descriptor:
                if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                    yield from self._walk(descriptor, path + "/")
                else:
                    yield path, settled(OpenFile(descriptor, path))

    def _names(self, folder: int, prefix: str) -> list[tuple[str, str]]:
        if prefix.count("/") >= MAX_PARTS:
            raise UsageError(f"{prefix!r} is deeper than {MAX_PARTS} folders")
        with translated(prefix or self._path):
            return [(name, prefix + name) for name in sorted(os.listdir(folder))]


def is_plain(folder: int, name: str, path: str, whole: str) -> bool:
    """Tell a file from a folder; raise `UsageError` for anything else."""
    with translated(repr(path)):
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return stat.S_ISREG(mode)
    kind = "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file"
    raise UsageError(f"{path!r} is {kind}; {whole} holds plain files only: copy the content or leave it out")


def names_in(folder: str, at: int) -> frozenset[str]:
    """Return every name in a folder below an open one; none where it is missing, or no folder."""
    try:
        with opened(folder, FOLDER, at) as descriptor:
            return frozenset(os.listdir(descriptor))  # noqa: PTH208 - by descriptor
    except UsageError:
        return frozenset()


class DirectoryVault:
    """A sealed dataset's directory, open for reading."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def listing(self) -> Listing:
        """Return every name."""
        return Listing(*(names_in(folder, self._descriptor) for folder in (".", "objects", "chunks")))

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


@contextmanager
def new_file(path: Path) -> Iterator[NewFile]:
    """Fill a hidden file beside `path` (mode 0600) and rename it there at the end; after any error nothing is left."""
    if path.exists() or path.is_symlink():
        raise Conflict(f"{path} exists already; name a file that does not")
    partial = path.with_name(f".{path.name}.partial-{secrets.token_hex(8)}")
    try:
        with opened(str(partial), CREATE) as descriptor:
            yield NewFile(descriptor, str(path))
            with translated(path):
                os.fsync(descriptor)
        with translated(path):
            partial.rename(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def be_folder(name: str, at: int) -> None:
    """Put an empty folder in the place of anything else: a link would lead out of the one that it lies in."""
    with translated(name), suppress(FileNotFoundError):
        if not stat.S_ISDIR(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=at)
    with translated(name), suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=at)


def clear(folder: int, wanted: frozenset[str]) -> None:
    """Remove what is not wanted in an open folder."""
    for name in set(os.listdir(folder)) - wanted:
        with translated(name):
            if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                shutil.rmtree(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)
