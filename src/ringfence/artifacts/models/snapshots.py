"""Where models of others come from: a folder, one file, or a snapshot in the cache of Hugging Face's tools.

A snapshot's files are symbolic links into `blobs` of the same repository folder. Such a link is read and held against
the one form that those tools write; it is never followed by the system, so that it cannot lead anywhere else.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ringfence.artifacts.models.blobs import FileContent, ModelFolder, model_folder
from ringfence.artifacts.models.bundle import MAX_BUNDLE
from ringfence.artifacts.models.model import SIGNATURE
from ringfence.artifacts.models.names import check_name
from ringfence.artifacts.plain import FOLDER, READ, holding, is_plain, opened, translated
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, UsageError

_REPOSITORY = re.compile(r"models--[A-Za-z0-9._-]{1,200}")
_REVISION = re.compile(r"[0-9a-f]{40}")
_BLOB = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_METADATA = ".cache/huggingface/"  # what the tools note down beside files that they put into a plain folder
SNAPSHOTS, BLOBS = "snapshots", "blobs"
MAX_REFERENCE = 256


class Layout(StrEnum):
    """How a model lay where it was taken from."""

    SNAPSHOT = "hugging-face-cache"
    FOLDER = "folder"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a place says of the model in it; nothing vouches for it."""

    layout: Layout
    repository: str = ""  # `organisation/name`
    revision: str = ""  # of the repository, 40 hexadecimal digits


class Source(ModelFolder):
    """A model that is to be taken in."""

    def __init__(self, descriptor: int, title: str, origin: Origin, left_out: frozenset[str] = frozenset()) -> None:
        super().__init__(descriptor, title)
        self.origin, self._left_out = origin, left_out
        self.skipped: set[str] = set()

    def names(self) -> list[str]:
        """Return what is to be taken in: all but what was to be left out, and the tools' own notes."""
        found = super().names()
        missing = sorted(self._left_out - set(found))
        if missing:
            raise UsageError(f"{missing[0]!r} was to be left out, and is not there")
        kept = [name for name in found if name not in self._left_out and not name.startswith(_METADATA)]
        self.skipped = set(found) - set(kept)
        return kept

    def expected(self, name: str) -> Digest | None:  # noqa: ARG002 - snapshots know more
        """Return the digest that the place itself gives a file; None where it gives none."""
        return None


class Snapshot(Source):
    """A snapshot, and the folder of blobs that its links lead to."""

    def __init__(self, descriptor: int, blobs: int, title: str, origin: Origin, left_out: frozenset[str]) -> None:
        super().__init__(descriptor, title, origin, left_out)
        self._blobs = blobs

    def _plain(self, folder: int, part: str, path: str) -> bool:
        with translated(repr(path)):
            mode = os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            self._blob(folder, part, path)
            return True
        return is_plain(folder, part, path, "a model")

    def _blob(self, folder: int, part: str, path: str) -> str:
        """Return the name of the blob that a link leads to; raise `UsageError` for any other link."""
        with translated(repr(path)):
            target = os.readlink(part, dir_fd=folder)
        up, _, name = target.rpartition(f"{BLOBS}/")
        if up != "../" * (path.count("/") + 2) or not _BLOB.fullmatch(name):
            raise UsageError(f"{path!r} is a link to {target[:80]!r}, which is no blob of its own repository")
        return name

    @contextmanager
    def content(self, name: str) -> Iterator[FileContent]:
        """Open one file: the blob that its link names, or the file that stands there itself."""
        with holding(name, self._descriptor) as (folder, last):
            with translated(name):
                link = stat.S_ISLNK(os.stat(last, dir_fd=folder, follow_symlinks=False).st_mode)
            at, part = (self._blobs, self._blob(folder, last, name)) if link else (folder, last)
            with opened(part, READ, at, name) as descriptor:
                yield FileContent(descriptor, name, alone=False)  # it is copied, and what counts is the copy

    def expected(self, name: str) -> Digest | None:
        """Return the digest by which the hub named a large file."""
        with holding(name, self._descriptor) as (folder, last), translated(name):
            if not stat.S_ISLNK(os.stat(last, dir_fd=folder, follow_symlinks=False).st_mode):
                return None
            found = self._blob(folder, last, name)
        return Digest.parse(found) if len(found) == 64 else None


class SingleFile(Source):
    """A model that is one file."""

    def __init__(self, descriptor: int, name: str) -> None:
        super().__init__(descriptor, name, Origin(Layout.FILE))
        self._name = check_name(name)

    def names(self) -> list[str]:
        """Return its name."""
        return [self._name]

    @contextmanager
    def content(self, name: str) -> Iterator[FileContent]:
        """Open it anew, by the descriptor."""
        if name != self._name:
            raise NotFound(f"{name} is missing")
        descriptor = os.dup(self._descriptor)
        try:
            yield FileContent(descriptor, name, alone=False)
        finally:
            os.close(descriptor)

    def signature(self) -> bytes:
        """Raise `NotFound`: a signature lies in a folder."""
        raise NotFound(f"{self.title!r} is one file, beside which no {SIGNATURE} is looked for")


@contextmanager
def source(path: Path, left_out: frozenset[str] = frozenset()) -> Iterator[Source]:
    """Open what is to be taken in: a repository or a snapshot of a cache, a plain folder, or a file.

    Raises:
        NotFound: nothing is there.
        UsageError: it is nothing of these, or a repository with several snapshots.
    """
    with opened(str(path), READ) as descriptor:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode):
            if left_out:
                raise UsageError("nothing can be left out of one file")
            yield SingleFile(descriptor, path.name)
            return
    with translated(path):
        place = path.resolve()
    snapshot = _snapshot(place)
    if snapshot is None:
        with model_folder(path) as folder:
            yield Source(folder.descriptor, folder.title, Origin(Layout.FOLDER), left_out)
        return
    repository = snapshot.parent.parent
    origin = Origin(
        Layout.SNAPSHOT,
        repository.name.removeprefix("models--").replace("--", "/", 1),
        snapshot.name if _REVISION.fullmatch(snapshot.name) else "",
    )
    with (
        opened(str(repository), FOLDER) as top,
        opened(BLOBS, FOLDER, top) as blobs,
        opened(SNAPSHOTS, FOLDER, top) as snapshots,
        opened(snapshot.name, FOLDER, snapshots) as descriptor,
    ):
        yield Snapshot(descriptor, blobs, snapshot.name, origin, left_out)


def _snapshot(place: Path) -> Path | None:
    """Return the snapshot that is meant; None where this is no cache."""
    if place.parent.name == SNAPSHOTS and _REPOSITORY.fullmatch(place.parent.parent.name):
        return place
    if not _REPOSITORY.fullmatch(place.name) or not (place / SNAPSHOTS).is_dir():
        return None
    with translated(place):
        found = sorted(one.name for one in (place / SNAPSHOTS).iterdir())
    if len(found) != 1:
        named = _main(place)
        if named not in found:
            raise UsageError(
                f"{place.name} holds {len(found)} snapshots; name one: {place.name}/{SNAPSHOTS}/{(found or ['…'])[0]}"
            )
        found = [named]
    return place / SNAPSHOTS / found[0]


def _main(place: Path) -> str:
    """Return what the cache calls the newest revision."""
    try:
        with opened(str(place / "refs" / "main"), READ) as descriptor:
            return os.read(descriptor, MAX_REFERENCE).decode("ascii", "replace").strip()
    except NotFound:
        return ""


def read_bundle(path: Path) -> bytes:
    """Return a bundle that lies elsewhere than beside the files."""
    with opened(str(path), READ) as descriptor:
        content = FileContent(descriptor, path.name, alone=False)
        if content.size > MAX_BUNDLE:
            raise UsageError(f"{path} has {content.size} bytes; a signature has at most {MAX_BUNDLE}")
        return content.read(0, content.size)
