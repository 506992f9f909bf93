"""The files that are checked: a plain folder or file, or a sealed dataset that was opened."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.artifacts.checks.limits import MAX_FILES
from ringfence.artifacts.checks.model import Check, Outcome, Result, not_run
from ringfence.artifacts.models.blobs import verified
from ringfence.artifacts.models.keyring import public_of
from ringfence.artifacts.opening import OpenDataset
from ringfence.artifacts.plain import PlainFolder
from ringfence.artifacts.ports import Source
from ringfence.artifacts.reader import ObjectReader
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, UsageError, VerificationFailed

_PART = 2**20
SIGNATURE_FILE = "model.sig"  # the name that OMS gives it, also for datasets


@dataclass(frozen=True, slots=True)
class Unsealed:
    """One file of a sealed dataset; every byte of it was authenticated."""

    reader: ObjectReader

    @property
    def size(self) -> int:
        """Return the length of the plaintext."""
        return self.reader.size

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Copy verified plaintext."""
        return self.reader.read_into(offset, buffer)

    def unchanged(self) -> bool:
        """Whoever changes a sealed file is noticed at the next chunk."""
        return True


@dataclass(frozen=True, slots=True)
class UnsealedFiles:
    """The files of a sealed dataset whose opening was recorded."""

    dataset: OpenDataset

    def files(self) -> Iterator[tuple[str, Source]]:
        """Give each file in the order of the manifest."""
        for path in self.dataset.files:
            with self.dataset.reader(path) as reader:
                yield path, Unsealed(reader)


class PlainFiles:
    """A folder or file, whose content is the same from the first pass to the last or else an error."""

    def __init__(self, path: Path) -> None:
        self._path, self._tree = path, PlainFolder(path)

    def files(self) -> Iterator[tuple[str, Source]]:
        """Give each file in order of path.

        Raises:
            Conflict: a file was written to while it was read.
        """
        for path, source in self._tree.files():
            yield path, source
            if not source.unchanged():
                raise Conflict(f"{path!r} was changed while it was read; try again once nobody writes to it")

    def digest(self) -> Digest:
        """Return one digest over names, sizes and bytes of all files."""
        whole, buffer = hashlib.sha256(b"ringfence dataset check\n"), bytearray(_PART)
        for count, (path, source) in enumerate(self.files(), start=1):
            if count > MAX_FILES:
                raise UsageError(f"{self._path} holds more than {MAX_FILES} files")
            hasher, at = hashlib.sha256(), 0
            while size := source.read_into(memoryview(buffer), at):
                hasher.update(memoryview(buffer)[:size])
                at += size
            name = path.encode("utf-8", "surrogateescape")
            whole.update(len(name).to_bytes(8, "big") + name + at.to_bytes(8, "big") + hasher.digest())
        return Digest(whole.digest())


def signature_of(path: Path, keys: Sequence[Path]) -> Result:
    """Verify the OMS signature of a plain folder, with the keys that were named."""
    signed = path.is_dir() and (path / SIGNATURE_FILE).exists()
    if not keys:
        beside = (
            f"{SIGNATURE_FILE} is there, and no key was named: --key PEM" if signed else "nothing signs these files"
        )
        return not_run(Check.SIGNATURE, beside)
    if not signed:
        return Result(Check.SIGNATURE, Outcome.FAILED, f"there is no {SIGNATURE_FILE}, although a key was named")
    try:
        with verified(path, [public_of(key) for key in keys]) as model:
            size = model.check()
    except VerificationFailed as error:
        return Result(Check.SIGNATURE, Outcome.FAILED, str(error))
    return Result(Check.SIGNATURE, Outcome.PASSED, measures={"bytes": size, "signer": model.signer.hint[:16]})


def sealed_result(opened: OpenDataset, seal: Digest) -> Result:
    """Return that a seal was verified: nothing of it could be read otherwise."""
    return Result(Check.SIGNATURE, Outcome.PASSED, measures={"files": len(opened.files), "seal": str(seal)})
