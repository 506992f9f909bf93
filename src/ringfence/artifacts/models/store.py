"""Signatures, stamps and imported models on disk."""

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ringfence.artifacts import plain
from ringfence.artifacts.blobs import NewFolder, flush, locked
from ringfence.artifacts.models import contents, oms, stamps
from ringfence.artifacts.models.blobs import FileContent, ModelFolder, check_present, hash_of, model_folder
from ringfence.artifacts.models.contents import Contents
from ringfence.artifacts.models.keys import Signing
from ringfence.artifacts.models.methods import Algorithm, SignedFiles
from ringfence.artifacts.models.model import SIGNATURE, Manifest, ModelName, Report
from ringfence.artifacts.models.scan import scan
from ringfence.artifacts.models.snapshots import Source
from ringfence.artifacts.models.stamps import Stamp, Stamps
from ringfence.artifacts.plain import opened, translated
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, NotFound, RingfenceError, Unavailable, VerificationFailed
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
    now_ns: Callable[[], int] = time.time_ns

    @classmethod
    def at_home(cls, home: Path, folder: Path, now_ns: Callable[[], int] = time.time_ns) -> "Stamping":
        """Return the one of a folder in a home."""
        with explained(folder, "read"):
            status = folder.stat()
        name = Digest.of(f"{status.st_dev}:{status.st_ino}".encode()).hex
        return cls(home / FOLDER / STAMPS / f"{name[:32]}.json", now_ns)

    def load(self) -> Stamps:
        """Return what is known; a file that is missing, damaged or open to others means that nothing is."""
        before: dict[str, tuple[Stamp, Digest]] = {}
        with suppress(RingfenceError):
            before = stamps.parse(read_private(self.path))
        return Stamps(self.now_ns, before)

    def save(self, found: Stamps) -> None:
        """Keep it for the next time."""
        with explained(self.path.parent, "create"):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self.path, found.printed(), mode=PRIVATE)


def sign_folder(
    folder: ModelFolder,
    path: Path,
    key: Signing,
    stamping: Stamping | None = None,
    chain: Sequence[bytes] = (),
    *,
    timed: Callable[[bytes], bytes] = bytes,
    first: Callable[[Signed], object] | None = None,
) -> Signed:
    """Hash an open folder, sign it, and put the bundle beside its files; `path` is where the folder is.

    `stamping` spares files that did not change since they were hashed; `chain` are certificates in DER; `timed` adds a
    time stamp to a bundle. `first` is called before anything is written: what it raises leaves the folder as it was.
    """
    known = stamping.load() if stamping else None
    hashed = folder.hashed(known)
    manifest = oms.manifest_of(folder.title, {name: one.digest for name, one in hashed.items()})
    done = Signed(manifest, sum(one.size for one in hashed.values()), timed(oms.sign(manifest, key, chain)))
    if first:
        first(done)
    write_whole(path / SIGNATURE, done.bundle)
    if stamping and known:
        stamping.save(known)
    return done


def sign_otherwise(
    folder: ModelFolder,
    target: Path,
    key: Signing,
    algorithm: Algorithm,
    chain: Sequence[bytes] = (),
    timed: Callable[[bytes], bytes] = bytes,
) -> SignedFiles:
    """Sign by another hash, for readers elsewhere, into a file elsewhere: what is loaded here is known by SHA-256."""
    files = oms.signed_by(folder.title, algorithm, folder.digests(algorithm))
    write_whole(target, timed(oms.sign_files(files, key, chain)))
    return files


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
class Checked:
    """What was verified of a model, by whichever method it was signed."""

    files: SignedFiles
    signer: oms.Signer
    names: tuple[str, ...]  # of the files whose bytes were read
    size: int  # of these


def check_model(path: Path, trust: oms.Trust, *, bundle: bytes | None = None, only: Sequence[str] = ()) -> Checked:
    """Verify a model: who signed it, that every name is there and no other, and the bytes of all files or of `only`.

    Args:
        path: the model's folder.
        trust: whose signatures count.
        bundle: one that lies elsewhere; without it, the one beside the files.
        only: names of those files that are going to be used; no others are read.

    Raises:
        NotFound: there is no model, or it is not signed.
        VerificationFailed: nobody who is trusted signed it, or a file is missing, was added or changed.
    """
    with model_folder(path) as folder:
        files, signer = oms.read(folder.signature() if bundle is None else bundle, trust, source=SIGNATURE)
        check_present(set(files.files), folder.names())
        for name in only:
            files.comparison(name)
        names = tuple(dict.fromkeys(only)) or tuple(files.files)
        return Checked(files, signer, names, folder.compare(files, names))


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
        with opened(str(staged.parent), plain.FOLDER) as turn:  # a new folder has no lock yet: one sweeps at a time
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


@dataclass(slots=True)
class Import:
    """One model on its way into a home: its contents by digest, and names for them in a new folder."""

    home: Path
    contents: Contents

    @classmethod
    @contextmanager
    def into(cls, home: Path) -> "Iterator[Import]":
        """Take in; what a refused import brought goes again, what an interrupted one brought is found again."""
        made = cls(home, Contents(home / FOLDER / contents.FOLDER, time.time_ns))
        with made.running():
            yield made

    @contextmanager
    def running(self) -> Iterator[None]:
        """Clear away what is unused, and after a refusal what this import brought."""
        self.contents.sweep()
        try:
            yield
        except Unavailable:
            raise  # a full disk, say: the next try goes on where this one ended
        except RingfenceError:
            self.contents.forget_made()
            raise

    def copy(self, source: Source, path: Path, staged: Path, signed: SignedFiles | None = None) -> dict[str, Digest]:
        """Take in every file in one pass, and give each its name in `staged`; return the digests.

        Args:
            source: what is taken in; `path` is where it was opened.
            path: by which a try that was interrupted is found again.
            staged: the model's new folder.
            signed: what its own signature says of each file.

        Raises:
            VerificationFailed: a file is not what was signed, or not what the hub named it by; or names differ.
        """
        names = source.names()
        if signed is not None:
            check_present(set(signed.files), names)
        stamping = Stamping.at_home(self.home, path, self.contents.now_ns)
        known, found = stamping.load(), dict[str, Digest]()
        try:
            for name in names:
                found[name] = self._take(source, name, known, signed)
                self.contents.place(found[name], staged / name)
        finally:
            known.after |= {name: one for name, one in known.before.items() if name not in known.after}
            stamping.save(known)
        return found

    def _take(self, source: Source, name: str, known: Stamps, signed: SignedFiles | None) -> Digest:
        with source.content(name) as content:
            before = known.known(name, content.stamp) if signed is None else None  # a signature is checked on the bytes
            if before is not None and self.contents.holds(before, content.size):
                digest = before
            else:
                digest = self.contents.take(content, signed.comparison(name) if signed else None)
                known.remember(name, content.stamp, digest)
        if source.expected(name) not in {None, digest}:
            raise VerificationFailed(f"{name!r} does not hold the bytes by whose digest its cache names it")
        return digest

    def check(self, found: dict[str, Digest], looked: Looked) -> None:
        """Raise `VerificationFailed` where the copy is not what was taken in: then a content here was damaged."""
        for resource in looked.manifest.files:
            if found.get(resource.name) != resource.digest:
                if resource.name in found:
                    self.contents.drop(found[resource.name])
                raise VerificationFailed(
                    f"{resource.name!r} lies in the store with other bytes than it was taken in with; they are removed:"
                    " import it again"
                )


def copy_model(source: ModelFolder, staged: Path) -> None:
    """Copy every file, in one pass each; what is judged and signed afterwards is the copy."""
    with opened(str(staged), plain.FOLDER) as descriptor:
        target = NewFolder(descriptor)
        for name in source.names():
            with source.content(name) as content, target.create(name) as sink:
                for part in content.chunks():
                    sink.write(part)
