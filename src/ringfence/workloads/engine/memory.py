"""A model in memory that nobody can change any more: received once, hashed on the way, sealed."""

import fcntl
import hashlib
import os
from typing import BinaryIO

PIECE = 2**20
SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


class Shortened(ValueError):
    """The stream ended early."""


def receive(stream: BinaryIO, size: int) -> tuple[int, str]:
    """Read exactly `size` bytes into a sealed memory file; return its descriptor and the digest of what it holds."""
    held = os.memfd_create("model", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        measured = _fill(held, stream, size)
        fcntl.fcntl(held, fcntl.F_ADD_SEALS, SEALS)
    except BaseException:
        os.close(held)
        raise
    return held, measured


def _fill(held: int, stream: BinaryIO, left: int) -> str:
    digest, piece = hashlib.sha256(), memoryview(bytearray(min(PIECE, left)))
    while left:
        count = stream.readinto(piece[: min(left, len(piece))])  # type: ignore[attr-defined]
        if not count:
            raise Shortened(f"the model ends {left} bytes early")
        digest.update(piece[:count])
        _write(held, piece[:count])
        left -= count
    return f"sha256:{digest.hexdigest()}"


def _write(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def content(descriptor: int) -> bytes:
    """Return the whole of a memory file."""
    size = os.fstat(descriptor).st_size
    found = bytearray()
    while len(found) < size:
        found += os.pread(descriptor, min(PIECE * 64, size - len(found)), len(found))
    return bytes(found)


def path(descriptor: int) -> str:
    """Return the name by which an engine of this process opens the very same file."""
    return f"/proc/self/fd/{descriptor}"
