"""Model folders as files: opened once by descriptor, never through links, and handed on as the bytes that were hashed.

Nothing here trusts what a name leads to a second time: what a loader gets comes from the same read that was hashed,
or from a sealed memory file that nobody can write to any more.
"""

import fcntl
import hashlib
import mmap
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ringfence.artifacts.models import verity
from ringfence.artifacts.models.bundle import MAX_BUNDLE
from ringfence.artifacts.models.keys import PublicKey
from ringfence.artifacts.models.methods import Algorithm, SignedFiles, hasher
from ringfence.artifacts.models.model import MAX_FILES, SIGNATURE, Manifest
from ringfence.artifacts.models.names import MAX_PARTS, check_name, check_names, left_out
from ringfence.artifacts.models.oms import verify
from ringfence.artifacts.models.stamps import Stamp, Stamps
from ringfence.artifacts.plain import FOLDER, READ, OpenFile, holding, is_plain, opened, translated
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, NotFound, Unavailable, UsageError, VerificationFailed

CHUNK = 2**20
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


class FileContent(OpenFile):
    """An open regular file whose bytes are looked at."""

    def __init__(self, descriptor: int, name: str, *, alone: bool = True) -> None:
        """Take over a descriptor; raise `UsageError` where it is no file, or has a second name and must be `alone`."""
        super().__init__(descriptor, name)
        self.name, self.descriptor = name, descriptor
        if alone and self._status.st_nlink != 1 and not self._frozen:
            raise UsageError(f"{name!r} is a hard link: another name can change it; copy it instead")

    @property
    def _frozen(self) -> bool:
        """Tell whether nobody may write to the file by any of its names, as the store of contents keeps its own."""
        return self._status.st_mode & 0o222 == 0

    @property
    def stamp(self) -> Stamp:
        """Return what changes when the file is written to."""
        status = self._status
        return Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill the buffer; raise `VerificationFailed` where the kernel, which holds the file by fs-verity, refuses."""
        try:
            return super().read_into(buffer, offset)
        except Unavailable as error:
            if verity.refused(self.descriptor, error.__cause__):
                raise VerificationFailed(
                    f"{self.name!r} cannot be read whole: the kernel holds it by fs-verity, and the disk gives other "
                    "blocks than it measured, or none"
                ) from error
            raise

    def read(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes."""
        wanted = max(0, min(size, self.size - offset))
        buffer = bytearray(wanted)
        return bytes(buffer[: self.read_into(memoryview(buffer), offset)]) if wanted else b""

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes in one pass; raise `VerificationFailed` where the file has another length by now."""
        offset = 0
        while offset < self.size:
            part = self.read(offset, CHUNK)
            if not part:
                raise VerificationFailed(f"{self.name!r} became shorter while it was read")
            offset += len(part)
            yield part
        with translated(self.name):
            if os.pread(self.descriptor, 1, self.size):
                raise VerificationFailed(f"{self.name!r} became longer while it was read")


Opening = Callable[[str], AbstractContextManager[FileContent]]


@dataclass(frozen=True, slots=True)
class Hashed:
    """What one pass over a file yields."""

    digest: Digest
    size: int


def hash_of(content: FileContent) -> Hashed:
    """Hash an open file in one pass; raise `Conflict` where it was changed since it was opened."""
    hasher, buffer, offset = hashlib.sha256(), bytearray(min(CHUNK, content.size) or 1), 0
    while offset <= content.size and (count := content.read_into(memoryview(buffer), offset)):
        hasher.update(memoryview(buffer)[:count])
        offset += count
    if not content.unchanged() or offset != content.size:
        raise Conflict(f"{content.name!r} was changed while it was read; try again once nobody writes to it")
    return Hashed(Digest(hasher.digest()), content.size)


class ModelFolder:
    """The files below a folder that was opened once."""

    def __init__(self, descriptor: int, title: str) -> None:
        self._descriptor, self.title = descriptor, title

    @property
    def descriptor(self) -> int:
        """Return the open folder, which belongs to whoever opened it."""
        return self._descriptor

    def names(self) -> list[str]:
        """Return every file that belongs to the model, in order; links, devices and unsignable names are refused."""
        found = sorted(islice(self._walk(self._descriptor, ""), MAX_FILES + 1))
        if len(found) > MAX_FILES:
            raise UsageError(f"{self.title!r} holds more than {MAX_FILES} files")
        check_names(found)
        return found

    def _walk(self, folder: int, prefix: str) -> Iterator[str]:
        if prefix.count("/") >= MAX_PARTS:
            raise UsageError(f"{prefix[:80]!r}… is deeper than {MAX_PARTS} folders")
        with translated(prefix or self.title):
            listed = os.listdir(folder)
        for part in listed:
            path = prefix + part
            if left_out(path):
                continue
            check_name(path)
            if self._plain(folder, part, path):
                yield path
            else:
                with opened(part, FOLDER, folder, path) as below:
                    yield from self._walk(below, path + "/")

    def _plain(self, folder: int, part: str, path: str) -> bool:
        return is_plain(folder, part, path, "a model")

    @contextmanager
    def content(self, name: str) -> Iterator[FileContent]:
        """Open one file, one part of its path at a time, so that no part can be a link."""
        with holding(name, self._descriptor) as (folder, last), opened(last, READ, folder, name) as descriptor:
            yield FileContent(descriptor, name)

    def size(self, name: str) -> int:
        """Return a file's length."""
        with self.content(name) as content:
            return content.size

    def hashed(self, stamps: Stamps | None = None) -> dict[str, Hashed]:
        """Hash every file, several at a time, each byte read once; `stamps` may spare files that did not change.

        Raises:
            Conflict: a file was changed meanwhile.
        """
        names = self.names()
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            return dict(zip(names, pool.map(lambda name: self._hash(name, stamps), names), strict=True))

    def _hash(self, name: str, stamps: Stamps | None) -> Hashed:
        with self.content(name) as content:
            known = stamps.known(name, content.stamp) if stamps else None
            if known is not None:
                return Hashed(known, content.size)
            found = hash_of(content)
            if stamps:
                stamps.remember(name, content.stamp, found.digest)
            return found

    def digests(self, algorithm: Algorithm) -> dict[str, bytes]:
        """Return the digest of every file by either hash, each byte read once."""

        def one(name: str) -> bytes:
            with self.content(name) as content:
                running = hasher(algorithm)
                for part in content.chunks():
                    running.update(part)
                return running.digest()

        names = self.names()
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            return dict(zip(names, pool.map(one, names), strict=True))

    def compare(self, signed: SignedFiles, names: Iterable[str]) -> int:
        """Read files once, each in pieces, and return how many bytes that were.

        Raises:
            VerificationFailed: one does not hold exactly what was signed under its name.
        """

        def one(name: str) -> int:
            running = signed.comparison(name)
            with self.content(name) as content:
                for part in content.chunks():
                    running.update(part)
                if not running.matches():
                    raise VerificationFailed(f"{name!r} does not hold the bytes that were signed")
                return content.size

        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            return sum(pool.map(one, names))

    def signature(self) -> bytes:
        """Return the bundle beside the files; raise `NotFound` where the model is not signed."""
        try:
            with self.content(SIGNATURE) as content:
                if content.size > MAX_BUNDLE:
                    raise UsageError(f"{SIGNATURE} has {content.size} bytes; the limit is {MAX_BUNDLE}")
                return content.read(0, content.size)
        except NotFound as error:
            raise NotFound(f"{self.title!r} is not signed: it has no {SIGNATURE}; `ringfence model sign` it") from error


class VerifiedModel:
    """A model whose signature was verified; its files are proven as they are read, and only then.

    Holds the folder open: what is renamed, replaced or linked in its place meanwhile is another folder.
    """

    def __init__(self, folder: ModelFolder, manifest: Manifest, signer: PublicKey) -> None:
        self._folder, self.manifest, self.signer = folder, manifest, signer
        self._signed = {resource.name: resource.digest for resource in manifest.files}

    @property
    def digest(self) -> Digest:
        """Return the digest by which statements name the model."""
        return self.manifest.digest

    def names(self) -> tuple[str, ...]:
        """Return every signed name."""
        return tuple(self._signed)

    def stream(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file that were hashed; the last part comes only once all of them match.

        Raises:
            VerificationFailed: they are not what was signed; throw away what came before.
        """
        hasher, held = hashlib.sha256(), b""
        with self._folder.content(name) as content:
            for part in content.chunks():
                hasher.update(part)
                if held:
                    yield held
                held = part
        self._check(name, hasher.digest())
        if held:
            yield held

    def memfd(self, name: str) -> int:
        """Return a sealed memory file with the verified bytes, at its start; the caller closes it.

        It is hashed where it lies, after it was copied, and nobody can write to it, grow it or shrink it any more.
        """
        self._expected(name)
        descriptor = os.memfd_create("model", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with self._folder.content(name) as content:
                self._check(name, _copied(content, descriptor))
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def check(self) -> int:
        """Hash every file once and return how many bytes that were; raise `VerificationFailed` for any other byte."""
        sizes = 0
        for name, hashed in self._folder.hashed().items():
            self._check(name, hashed.digest.value)
            sizes += hashed.size
        return sizes

    def _expected(self, name: str) -> Digest:
        known = self._signed.get(name)
        if known is None:
            raise VerificationFailed(f"{name!r} is not among the files that were signed")
        return known

    def _check(self, name: str, found: bytes) -> None:
        if self._expected(name).value != found:
            raise VerificationFailed(f"{name!r} does not hold the bytes that were signed")


@contextmanager
def model_folder(path: Path) -> Iterator[ModelFolder]:
    """Open a model's folder."""
    try:
        with opened(str(path), FOLDER) as descriptor:
            yield ModelFolder(descriptor, path.resolve().name if path.name in {"", ".", ".."} else path.name)
    except UsageError as error:
        if path.is_file() and str(path) in str(error):
            raise UsageError(f"{path} is a file; a model is a folder: put the file into one of its own") from error
        raise


@contextmanager
def verified(path: Path, trusted: Sequence[PublicKey]) -> Iterator[VerifiedModel]:
    """Open a signed model: signature and names are verified here, each file's bytes as they are read.

    Raises:
        NotFound: there is no model, or it is not signed.
        VerificationFailed: nobody who is trusted signed it, or a file is missing or was added.
    """
    with model_folder(path) as folder:
        manifest, signer = verify(folder.signature(), trusted, source=SIGNATURE)
        check_present({resource.name for resource in manifest.files}, folder.names())
        yield VerifiedModel(folder, manifest, signer)


def check_present(signed: set[str], present: Iterable[str]) -> None:
    """Raise `VerificationFailed` where files are missing or were added."""
    found = set(present)
    missing, extra = sorted(signed - found), sorted(found - signed)
    if extra:
        raise VerificationFailed(f"{extra[0]!r} is not signed ({len(extra)} in all): remove it, or sign again")
    if missing:
        raise VerificationFailed(f"{missing[0]!r} was signed and is missing ({len(missing)} in all)")


@contextmanager
def looked_at(path: Path) -> Iterator[tuple[Sequence[str], Opening]]:
    """Open a folder or one file for a scan: every name, and how to open it."""
    if path.is_dir():
        with model_folder(path) as folder:
            yield folder.names(), folder.content
        return
    with opened(str(path), READ) as descriptor:
        content = FileContent(descriptor, path.name, alone=False)  # it is only looked at, under the name given

        @contextmanager
        def only(_name: str) -> Iterator[FileContent]:
            yield content

        yield [path.name], only


def _copied(content: FileContent, descriptor: int, ioctl: verity.Ioctl = fcntl.ioctl) -> bytes:
    """Copy a file into a memory file and return the digest of what lies there.

    Raises:
        VerificationFailed: the kernel holds the file by fs-verity, and these are not the bytes that it measured.
    """
    if content.size == 0:
        return hashlib.sha256().digest()
    check_room(content.size, _available())
    with translated("memory for a model"):
        os.ftruncate(descriptor, content.size)
        mapped = mmap.mmap(descriptor, content.size)
    hasher, offset = hashlib.sha256(), 0
    with translated(content.name):
        measured = verity.measured(content.descriptor, ioctl)
    tree = verity.Tree() if measured is not None else None
    with mapped, memoryview(mapped) as view:
        while offset < content.size:
            with view[offset : offset + CHUNK] as part:
                count = content.read_into(part, offset)
                hasher.update(part[:count])
                if tree is not None:
                    tree.update(part[:count])
            if count == 0:
                raise VerificationFailed(f"{content.name!r} became shorter while it was read")
            offset += count
    if tree is not None and tree.digest() != measured:
        raise VerificationFailed(f"{content.name!r} does not hold the bytes that the kernel measured by fs-verity")
    return hasher.digest()


def check_room(size: int, available: int | None) -> None:
    """Raise `Unavailable` where memory has no room: a file with holes is as long as whoever made it likes."""
    if available is not None and size > available:
        raise Unavailable(f"the model needs {size} bytes of memory, and {available} are available here")


def _available() -> int | None:
    """Return how many bytes of memory may be used without swapping; None where the system does not say."""
    try:
        with Path("/proc/meminfo").open("rb") as file:
            found = re.search(rb"^MemAvailable:\s+(\d+) kB$", file.read(8192), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None
