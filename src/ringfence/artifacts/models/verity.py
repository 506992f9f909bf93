"""fs-verity where a file system has it: the kernel then refuses every byte of a file that is not what was first hashed.

The file's digest is that of a descriptor over a tree of SHA-256 over blocks of 4,096 bytes (Linux,
Documentation/filesystems/fsverity.rst). What has no fs-verity is copied into sealed memory all the same.
"""

import errno
import fcntl
import hashlib
import os
import struct
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

BLOCK = 4096
ENABLE, MEASURE = 0x40806685, 0xC0046686  # _IOW('f', 133, 128 bytes) and _IOWR('f', 134, 4 bytes)
_SHA256, _VERSION, _SIZE = 1, 1, 32
_ARGUMENT = struct.Struct("=IIIIQIIQ88x")  # version, hash, block size, salt's size and place, signature's
_MEASURED = struct.Struct("=HH32s")  # hash, size (in: room), digest
_DESCRIPTOR = struct.Struct("<BBBBIQ64s32s144x")  # version, hash, log2 of the block, salt's size, _, size, root, salt
_NONE = {errno.ENOTTY, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
_NOT_ENABLED = errno.ENODATA

Ioctl = Callable[[int, int, bytes], bytes]


class Tree:
    """The digest that the kernel measures, computed from the bytes as they pass."""

    def __init__(self) -> None:
        self._rest, self._size = b"", 0
        self._leaves = bytearray()

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Take more of the file."""
        self._size += len(data)
        joined = self._rest + bytes(data)
        whole = len(joined) - len(joined) % BLOCK
        for start in range(0, whole, BLOCK):
            self._leaves += hashlib.sha256(joined[start : start + BLOCK]).digest()
        self._rest = joined[whole:]

    def digest(self) -> bytes:
        """Return the digest of what was taken so far."""
        level = bytes(self._leaves)
        if self._rest:
            level += hashlib.sha256(self._rest.ljust(BLOCK, b"\0")).digest()
        while len(level) > _SIZE:
            blocks = (level[start : start + BLOCK].ljust(BLOCK, b"\0") for start in range(0, len(level), BLOCK))
            level = b"".join(hashlib.sha256(block).digest() for block in blocks)
        described = _DESCRIPTOR.pack(_VERSION, _SHA256, BLOCK.bit_length() - 1, 0, 0, self._size, level, b"")
        return hashlib.sha256(described).digest()


def digest_of(parts: Iterable[bytes]) -> bytes:
    """Return the fs-verity digest of bytes."""
    tree = Tree()
    for part in parts:
        tree.update(part)
    return tree.digest()


def argument() -> bytes:
    """Return `struct fsverity_enable_arg`: SHA-256, blocks of 4,096 bytes, no salt, no signature."""
    return _ARGUMENT.pack(_VERSION, _SHA256, BLOCK, 0, 0, 0, 0, 0)


def measured(descriptor: int, ioctl: Ioctl = fcntl.ioctl) -> bytes | None:
    """Return the digest by which the kernel holds an open file; None where it does not hold it by one of SHA-256."""
    try:
        answer = ioctl(descriptor, MEASURE, _MEASURED.pack(0, _SIZE, b""))
    except OSError as error:
        if error.errno in _NONE | {_NOT_ENABLED, errno.EOVERFLOW}:
            return None
        raise
    algorithm, size, digest = _MEASURED.unpack(answer)
    return digest if (algorithm, size) == (_SHA256, _SIZE) else None


def refused(descriptor: int, error: BaseException | None, ioctl: Ioctl = fcntl.ioctl) -> bool:
    """Tell whether a read failed of a file that the kernel holds: so it answers for a block that it did not measure."""
    return isinstance(error, OSError) and error.errno == errno.EIO and measured(descriptor, ioctl) is not None


def enabled(path: Path, mode: int, ioctl: Ioctl = fcntl.ioctl) -> bool:
    """Let the kernel hold a finished file that nobody has open for writing; return whether it does.

    Args:
        path: the file, which is the caller's own.
        mode: its permissions afterwards; the kernel asks that its owner could write to it while this is done.
        ioctl: how the kernel is asked.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not _is_there(descriptor, ioctl):
            return False
        os.fchmod(descriptor, mode | 0o200)
        try:
            ioctl(descriptor, ENABLE, argument())
        except OSError as error:
            if error.errno in _NONE | {errno.EINVAL, errno.EPERM, errno.EACCES, errno.ETXTBSY}:
                return False
            if error.errno != errno.EEXIST:
                raise
        finally:
            os.fchmod(descriptor, mode)
        return True
    finally:
        os.close(descriptor)


def _is_there(descriptor: int, ioctl: Ioctl) -> bool:
    try:
        ioctl(descriptor, MEASURE, _MEASURED.pack(0, _SIZE, b""))
    except OSError as error:
        return error.errno == _NOT_ENABLED
    return True


def probe(folder: Path, ioctl: Ioctl = fcntl.ioctl) -> bool:
    """Try it on a scratch file in a folder, whose digest has to be the one that is computed here; raise `OSError`."""
    data = b"fs-verity" * 1000
    held, name = tempfile.mkstemp(prefix=".fs-verity-", dir=folder)
    path = Path(name)
    try:
        with os.fdopen(held, "wb") as file:
            file.write(data)
        if not enabled(path, 0o400, ioctl):
            return False
        with path.open("rb") as file:
            return measured(file.fileno(), ioctl) == digest_of([data])
    finally:
        with suppress(FileNotFoundError):
            path.unlink()
