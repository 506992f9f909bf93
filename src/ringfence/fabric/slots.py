"""A state file of two slots, written in place: a full disk cannot stop it, and a torn write leaves the slot before."""

import fcntl
import hashlib
import os
import struct
from pathlib import Path

from ringfence.kernel.errors import Conflict, Unavailable, VerificationFailed

_MAGIC = b"RFFABRIC"
_HEADER = struct.Struct(">8sQI32s")  # magic, generation, length, SHA-256 of what is before and after it
SLOT = 1 << 20


def _checksum(generation: int, payload: bytes) -> bytes:
    return hashlib.sha256(struct.pack(">QI", generation, len(payload)) + payload).digest()


def _create(path: Path) -> None:
    """Write both slots full of zeros and only then give the file its name: the blocks are ours from now on."""
    fresh = path.with_suffix(".new")
    try:
        with fresh.open("wb") as out:
            out.write(bytes(2 * SLOT))
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(path)
        directory = os.open(path.parent, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
    except OSError as error:
        raise Unavailable(f"{path}: there is no room for the fabric's state: {error.strerror}") from None


class Slots:
    """The state file, held by one helper at a time."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            _create(path)
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        self._generation = 0
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise Conflict(f"another helper holds {path}") from None

    def _slot(self, index: int) -> tuple[int, bytes] | None:
        magic, generation, length, checksum = _HEADER.unpack(os.pread(self._file, _HEADER.size, index * SLOT))
        payload = os.pread(self._file, min(length, SLOT), index * SLOT + _HEADER.size)
        if magic != _MAGIC or generation % 2 != index or checksum != _checksum(generation, payload):
            return None
        return generation, payload

    def load(self) -> bytes | None:
        """Return what was saved last; None where nothing ever was.

        Raises:
            VerificationFailed: both slots are damaged: who is quarantined is not known, so nothing may be admitted.
        """
        if os.fstat(self._file).st_size != 2 * SLOT:
            raise VerificationFailed(f"{self._path}: is no state file; move it away only if no node is cut off")
        found = [slot for index in (0, 1) if (slot := self._slot(index))]
        if found:
            self._generation, payload = max(found)
            return payload
        if os.pread(self._file, 2 * SLOT, 0).strip(b"\0"):
            raise VerificationFailed(f"{self._path}: both copies are damaged; move it away only if no node is cut off")
        return None

    def save(self, payload: bytes) -> None:
        """Write over the older slot and wait for the disk."""
        if len(payload) > SLOT - _HEADER.size:
            raise Unavailable("the fabric's state is too large for its file; remove nodes or blocks first")
        generation = self._generation + 1
        header = _HEADER.pack(_MAGIC, generation, len(payload), _checksum(generation, payload))
        try:
            os.pwrite(self._file, header + payload, generation % 2 * SLOT)
            os.fdatasync(self._file)
        except OSError as error:
            raise Unavailable(f"{self._path}: cannot be written: {error.strerror}") from None
        self._generation = generation

    def close(self) -> None:
        """Let the next helper have it."""
        os.close(self._file)
