"""Files that are written whole or not at all, and private ones that nobody else may read."""

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ringfence.kernel.errors import NotFound, Unavailable, UsageError

PRIVATE = 0o600
MAX_READ = 64 * 2**20
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # a named pipe without a writer is refused instead of waited for
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_REASONS = {
    errno.ENOSPC: "the disk is full; nothing was written; free some space and try again",
    errno.EDQUOT: "the disk quota is used up; nothing was written; free some space and try again",
    errno.EROFS: "the file system is read-only; choose another place or remount it",
    errno.EACCES: "permission is denied; check who owns it",
    errno.EPERM: "permission is denied; check who owns it",
    errno.ENOTDIR: "a part of the path is a file, not a directory",
    errno.EISDIR: "it is a directory, not a file",
    errno.EMFILE: "too many files are open; raise the limit (`ulimit -n`)",
}


@contextmanager
def explained(path: Path, act: str) -> Iterator[None]:
    """Turn what the operating system says about `path` into a sentence of our family."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"cannot {act} {path}: it does not exist") from error
    except FileExistsError as error:
        raise UsageError(f"cannot {act} {path}: it exists already") from error
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, os.strerror(error.errno) if error.errno else str(error))
        raise Unavailable(f"cannot {act} {path}: {reason}") from error


def memory() -> str | None:
    """Return a directory in memory, where there is one, for what should never touch a disk in the plain."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - folders are made there with mode 0700


def write_whole(path: Path, data: bytes, *, mode: int = 0o644, replace: bool = True) -> None:
    """Write a file durably: temporary file, fsync, rename, fsync of the directory."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    with explained(path, "write"):
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                temporary.replace(path)
            else:
                os.link(temporary, path)
                temporary.unlink()
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make renames in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_bounded(path: Path, *, limit: int = MAX_READ) -> bytes:
    """Read a regular file of at most `limit` bytes."""
    with explained(path, "read"):
        descriptor = os.open(path, _READ)
    return _bounded(descriptor, path, limit)


def read_below(folder: Path, path: Path, *, limit: int) -> bytes:
    """Read a regular file below a folder that may belong to somebody else: no link on the way is followed."""
    with explained(path, "read"):
        descriptor = open_below(folder, path)
    return _bounded(descriptor, path, limit)


def open_below(folder: Path, path: Path) -> int:
    """Open a file below a folder for reading, following no link, and return its descriptor."""
    *within, last = path.relative_to(folder).parts
    with opened_below(folder, *within) as found:
        return os.open(last, _READ | os.O_NOFOLLOW, dir_fd=found)


@contextmanager
def opened_below(folder: Path, *names: str, make: bool = False) -> Iterator[int]:
    """Open a folder step by step without following links, made where it is missing if asked for."""
    descriptor = os.open(folder, _FOLDER)
    try:
        for name in names:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o755, dir_fd=descriptor)
            deeper = os.open(name, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = deeper
        yield descriptor
    finally:
        os.close(descriptor)


def _bounded(descriptor: int, path: Path, limit: int) -> bytes:
    with explained(path, "read"), os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise UsageError(f"cannot read {path}: it is not a regular file")
        data = file.read(limit + 1)
    if len(data) > limit:
        raise UsageError(f"cannot read {path}: it has more than {limit} bytes")
    return data


def read_private(path: Path) -> bytes:
    """Read a file that only its owner may read, or refuse."""
    with explained(path, "read"):
        mode = path.stat(follow_symlinks=False).st_mode
    if mode & 0o077:
        raise UsageError(f"{path} can be read by others; run `chmod 600` on it, and replace what is secret in it")
    return read_bounded(path, limit=2**20)
