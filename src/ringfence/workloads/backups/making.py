"""Copy sealed datasets and models of a home to a target: what is there already is not written again.

The wrapped keys of datasets go to a target of their own: who holds the ciphertext alone cannot even try a passphrase.
A backup that was killed goes on with the next call, since contents are known by their digest.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ringfence.artifacts.blobs import JOURNAL, PENDING
from ringfence.artifacts.models.model import SIGNATURE
from ringfence.artifacts.seal import KEY_FILE
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, UsageError
from ringfence.storage.files import explained
from ringfence.workloads.backups.model import Index, Kept, Kind, Thing, printed
from ringfence.workloads.backups.target import PIECE, FolderTarget, RemoteTarget, Target, content_of, index_of

LEFT_OUT = frozenset({PENDING, JOURNAL})  # of a seal on its way, in the folder of its epoch
APART = "wrapped keys are kept apart from what they open: name another place with --keys"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that is to be backed up: by its folder, and by what statements name it."""

    kind: Kind
    name: str
    digest: Digest
    folder: Path


@dataclass(frozen=True, slots=True)
class Made:
    """What a backup came to."""

    index: Index
    digest: Digest
    keys: Digest  # of the index of the wrapped keys
    written: int  # bytes that were not there yet
    missing: tuple[str, ...] = ()  # things that are recorded and do not lie here


@dataclass(slots=True)
class Making:
    """One backup on its way."""

    target: Target
    keys: Target
    now: Callable[[], str]
    written: int = field(default=0)

    def __call__(self, wanted: Iterable[Wanted]) -> Made:
        """Copy everything, then the indexes: a target without the newest index holds the one before, whole."""
        things, keys, missing = list[Thing](), list[Thing](), list[str]()
        for one in wanted:
            if not one.folder.is_dir():
                missing.append(f"{one.kind} {one.name}")
                continue
            files, wrapped = self._copied(one)
            things.append(Thing(one.kind, one.name, one.digest, files))
            if wrapped:
                keys.append(Thing(one.kind, one.name, one.digest, wrapped))
        made = self.now()
        index, of_keys = Index(made, tuple(things)), Index(made, tuple(keys))
        return Made(index, _put(self.target, index), _put(self.keys, of_keys), self.written, tuple(missing))

    def _copied(self, one: Wanted) -> tuple[tuple[Kept, ...], tuple[Kept, ...]]:
        files, keys = list[Kept](), list[Kept]()
        for path in _files(one.folder):
            name = path.relative_to(one.folder).as_posix()
            if one.kind is Kind.DATASET and (name in LEFT_OUT or path.name.startswith(".")):
                continue  # a hidden one is what a kill left of a file on its way: of wrapped keys, perhaps
            is_key = one.kind is Kind.DATASET and name == KEY_FILE
            (keys if is_key else files).append(self._copy(path, name, self.keys if is_key else self.target))
        return tuple(files), tuple(keys)

    def _copy(self, path: Path, name: str, target: Target) -> Kept:
        hasher, size = hashlib.sha256(), 0
        for piece in _pieces(path):
            hasher.update(piece)
            size += len(piece)
        digest = Digest(hasher.digest())
        if target.size(content_of(digest)) != size:
            target.write(content_of(digest), _same(path, digest))
            self.written += size
        return Kept(name, digest, size)


def _files(folder: Path) -> Iterator[Path]:
    with explained(folder, "read"):
        for path in sorted(folder.rglob("*")):
            if path.is_symlink():
                raise UsageError(f"{path} is a symbolic link; sealed datasets and imported models hold none")
            if path.is_file():
                yield path


def _pieces(path: Path) -> Iterator[bytes]:
    with explained(path, "read"), path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _same(path: Path, digest: Digest) -> Iterator[bytes]:
    """Yield a file that was hashed before; raise `Conflict`, so that nothing takes its name, where it has changed."""
    hasher = hashlib.sha256()
    for piece in _pieces(path):
        hasher.update(piece)
        yield piece
    if hasher.digest() != digest.value:
        raise Conflict(f"{path} was changed while it was copied; run it again")


def _put(target: Target, index: Index) -> Digest:
    data = printed(index)
    digest = Digest.of(data)
    target.write(index_of(digest), iter([data]))
    return digest


def check_apart(target: Target, keys: Target, home: Path) -> None:
    """Raise `UsageError` where wrapped keys would lie with the ciphertext, or a backup inside the home."""
    for one in (target, keys):
        if isinstance(one, FolderTarget) and one.path.resolve().is_relative_to(home.resolve()):
            raise UsageError(f"{one.path} lies in the home; a backup lies elsewhere")
    if isinstance(target, FolderTarget) and isinstance(keys, FolderTarget):
        first, second = target.path.resolve(), keys.path.resolve()
        if first.is_relative_to(second) or second.is_relative_to(first):
            raise UsageError(APART)
    if isinstance(target, RemoteTarget) and isinstance(keys, RemoteTarget) and target.shares(keys):
        raise UsageError(APART)


def off_host(target: Target, home: Path) -> bool:
    """Tell whether a target lies on another file system than the home, or elsewhere altogether."""
    if not isinstance(target, FolderTarget):
        return True
    path = target.path
    while not path.exists():
        path = path.parent
    return path.stat().st_dev != home.stat().st_dev


def wanted_of(home: Path, epochs: Iterable[Mapping[str, object]], models: Mapping[str, str]) -> Iterator[Wanted]:
    """Return what is to be backed up: every epoch that is recorded and not erased, every model that was imported here.

    Args:
        home: where they lie.
        epochs: as `GET /api/v1/datasets/epochs` lists them.
        models: the digest of each name's newest signed version.
    """
    for one in epochs:
        if not one["erasure"]:
            name = f"{one['dataset']}/{one['epoch']}"
            yield Wanted(Kind.DATASET, name, Digest.parse(one["seal"]), home / "datasets" / name)
    for name, digest in sorted(models.items()):
        folder = home / "models" / name
        if (folder / SIGNATURE).is_file():  # models are signed anywhere; those on the shelf are ours to keep
            yield Wanted(Kind.MODEL, name, Digest.parse(digest), folder)
