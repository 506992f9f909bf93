"""A dataset as an age file for people: a tar of its plain files, encrypted while it is read.

Every chunk is verified before it goes into the tar; where one is not right, the file never gets its name.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator, Sequence
from typing import Any

from ringfence.artifacts.model import DamagedSeal, Failure
from ringfence.artifacts.opening import OpenDataset
from ringfence.artifacts.ports import Sink
from ringfence.kernel.errors import MalformedInput, Unavailable

MAX_RECIPIENTS = 20
_MODE = 0o600  # what a dataset does not keep, nobody gets by accident


def recipients(texts: Sequence[str]) -> list[Any]:
    """Parse age recipients (`age1…`) and SSH public keys; raise `MalformedInput`."""
    pyrage = _binding()
    if not 1 <= len(texts) <= MAX_RECIPIENTS:
        raise MalformedInput(f"name 1 to {MAX_RECIPIENTS} recipients: age1…, or a public SSH key")
    found = []
    for number, text in enumerate(texts, 1):
        kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
        try:
            found.append(kind.Recipient.from_str(text.strip()))
        except pyrage.RecipientError as error:
            # By its number alone: whoever gave a secret key by mistake does not want it in a log.
            raise MalformedInput(f"recipient {number} is no public key: age1…, or a public SSH key") from error
    return found


def export(dataset: OpenDataset, to: Sequence[Any], sink: Sink) -> int:
    """Write a tar of a dataset's files as an age file; return how many bytes of plain files there were."""
    pyrage = _binding()
    reader = _Reader(tar_of(dataset))
    try:
        pyrage.encrypt_io(reader, _Writer(sink, reader), list(to))
    except Exception as error:
        if reader.failed is not None:
            raise reader.failed from error
        raise Unavailable(f"age could not encrypt it: {error}") from error
    return sum(file.size for file in dataset.manifest.files)


def tar_of(dataset: OpenDataset) -> Iterator[bytes | memoryview]:
    """Give a tar (pax) of every file piece by piece; a piece is valid until the next one."""
    for file in dataset.manifest.files:
        info = tarfile.TarInfo(file.path)
        info.size, info.mode = file.size, _MODE
        yield info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
        state = hashlib.sha256()
        with dataset.reader(file.path) as reader:
            for part in reader.chunks():
                state.update(part)
                yield part
        if state.digest() != file.digest.value:
            raise DamagedSeal(Failure(file.object, "the file does not have the digest in the manifest", file.path))
        yield bytes(-file.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


class _Reader:
    """What age reads from; it keeps our own error, of which age would only keep the text."""

    def __init__(self, pieces: Iterator[bytes | memoryview]) -> None:
        self._pieces, self._rest = pieces, memoryview(b"")
        self.failed: BaseException | None = None

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes; none at the end."""
        try:
            while not self._rest:
                piece = next(self._pieces, None)
                if piece is None:
                    return b""
                self._rest = memoryview(piece)
            part, self._rest = self._rest[:size], self._rest[size:]
            return bytes(part)
        except BaseException as error:
            self.failed = error
            raise


class _Writer(io.RawIOBase):
    """What age writes to."""

    def __init__(self, sink: Sink, reader: _Reader) -> None:
        self._sink, self._reader = sink, reader

    def write(self, data: Any) -> int:
        """Write all."""
        try:
            self._sink.write(data)
        except BaseException as error:
            self._reader.failed = error
            raise
        return len(data)


def _binding() -> Any:
    try:
        import pyrage
    except ImportError as error:
        raise Unavailable("files for people need age: pip install 'ringfence[people]'") from error
    return pyrage
