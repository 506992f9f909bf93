"""Signatures, stamps and imported models on disk."""

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ringfence.artifacts import blobs
from ringfence.artifacts.blobs import NewFolder, flush, locked, opened, translated
from ringfence.artifacts.models import oms, stamps
from ringfence.artifacts.models.blobs import FileContent, ModelFolder, hash_of
from ringfence.artifacts.models.keys import SigningKey
from ringfence.artifacts.models.model import SIGNATURE, Manifest, ModelName, Report
from ringfence.artifacts.models.scan import scan
from ringfence.artifacts.models.stamps import Stamp, Stamps
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, NotFound, RingfenceError
from ringfence.storage.files import PRIVATE, explained, read_private, write_whole

FOLDER = "models"
STAMPS = ".stamps"
STAGING = ".staging"


@dataclass(frozen=True, slots=True)
class Signed:
    """What signing a folder yields."""

    manifest: Manifest
    size: int
    bundle: bytes


@dataclass(frozen=True, slots=True)
class Stamping:
    """The file that keeps the stamps of one folder; whoever can write to it can make the signer sign a lie."""

    path: Path

    @classmethod
    def at_home(cls, home: Path, folder: Path) -> "Stamping":
        """Return the one of a folder in a home."""
        with explained(folder, "read"):
            status = folder.stat()
        name = Digest.of(f"{status.st_dev}:{status.st_ino}".encode()).hex
        return cls(home / FOLDER / STAMPS / f"{name[:32]}.json")

    def load(self) -> Stamps:
        """Return what is known; a file that is missing, damaged or open to others means that nothing is."""
        before: dict[str, tuple[Stamp, Digest]] = {}
        with suppress(RingfenceError):
            before = stamps.parse(read_private(self.path))
        return Stamps(time.time_ns, before)

    def save(self, found: Stamps) -> None:
        """Keep it for the next time."""
        with explained(self.path.parent, "create"):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self.path, found.printed(), mode=PRIVATE)


def sign_folder(folder: ModelFolder, path: Path, key: SigningKey, stamping: Stamping | None = None) -> Signed:
    """Hash an open folder, sign it, and put the bundle beside its files; `path` is where the folder is."""
    known = stamping.load() if stamping else None
    hashed = folder.hashed(known)
    manifest = oms.manifest_of(folder.title, {name: one.digest for name, one in hashed.items()})
    bundle = oms.sign(manifest, key)
    write_whole(path / SIGNATURE, bundle)
    if stamping and known:
        stamping.save(known)
    return Signed(manifest, sum(one.size for one in hashed.values()), bundle)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a scan of a folder yields."""

    report: Report
    manifest: Manifest


def scan_folder(folder: ModelFolder) -> Looked:
    """Judge every file of an open folder, and hash the very file that was judged."""
    digests: dict[str, Digest] = {}

    @contextmanager
    def opening(name: str) -> Iterator[FileContent]:
        with folder.content(name) as content:
            yield content
            digests[name] = hash_of(content).digest

    report = scan(folder.names(), opening)
    return Looked(report, oms.manifest_of(folder.title, digests))


@dataclass(frozen=True, slots=True)
class Shelf:
    """The models that were imported into a home, by name."""

    home: Path

    def path(self, name: ModelName) -> Path:
        """Return where a model lies; raise `NotFound` where it was not imported."""
        found = self.home / FOLDER / name
        if not found.is_dir():
            raise NotFound(f"no model {name} was imported into this home; `ringfence model import DIR {name}`")
        return found

    def names(self) -> list[str]:
        """Return every name, in order."""
        folder = self.home / FOLDER
        with explained(folder, "read"):
            found = folder.iterdir() if folder.is_dir() else ()
            return sorted(path.name for path in found if path.is_dir() and not path.name.startswith("."))

    @contextmanager
    def new(self, name: ModelName) -> Iterator[Path]:
        """Give a hidden folder to fill; it takes its place at the end, and after any error nothing is left."""
        target, staged = self.home / FOLDER / name, self.home / FOLDER / STAGING / secrets.token_hex(8)
        if target.exists():
            raise Conflict(f"a model {name} was imported already; choose another name for this one")
        with translated(staged):
            staged.parent.parent.mkdir(mode=0o700, exist_ok=True)
            staged.parent.mkdir(mode=0o700, exist_ok=True)
        with opened(str(staged.parent), blobs.FOLDER) as turn:  # a new folder has no lock yet: one sweeps at a time
            fcntl.flock(turn, fcntl.LOCK_EX)
            _sweep(staged.parent)
            with translated(staged):
                staged.mkdir(mode=0o700)
            held = locked(staged)
        try:
            yield staged
            with translated(target):
                flush(staged)
                staged.rename(target)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise
        finally:
            if held is not None:
                os.close(held)


def _sweep(staging: Path) -> None:
    """Remove what imports that were killed left: whoever lives holds a lock."""
    for path in staging.iterdir():
        with suppress(NotFound):  # it has just taken its place
            held = locked(path)
            if held is not None:
                shutil.rmtree(path, ignore_errors=True)
                os.close(held)


def copy_model(source: ModelFolder, staged: Path) -> None:
    """Copy every file, in one pass each; what is judged and signed afterwards is the copy."""
    with opened(str(staged), blobs.FOLDER) as descriptor:
        target = NewFolder(descriptor)
        for name in source.names():
            with source.content(name) as content, target.create(name) as sink:
                for part in content.chunks():
                    sink.write(part)
