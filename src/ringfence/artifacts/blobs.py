"""Sealed datasets and plain trees as files: by descriptor, without following links, never by name twice."""

import errno
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from ringfence.artifacts.model import DatasetId, ObjectId, dataset_id
from ringfence.artifacts.plain import (
    CREATE,
    FOLDER,
    READ,
    DirectoryVault,
    NewFile,
    OpenFile,
    PlainFolder,
    be_folder,
    clear,
    directory_vault,
    holding,
    is_plain,
    opened,
    translated,
)
from ringfence.artifacts.ports import Work
from ringfence.artifacts.seal import KEY_FILE, MAX_KEY_FILE, read_key_file
from ringfence.kernel.errors import (
    Conflict,
    InternalError,
    MalformedInput,
    NotFound,
    RingfenceError,
    Unavailable,
    UsageError,
)
from ringfence.kernel.identifier import Tenant

_UNFINISHED = frozenset({KEY_FILE, "journal", "pending", "objects", "chunks"})
STAGING = ".staging"
PENDING = "pending"
JOURNAL = "journal"
MAX_JOURNAL = 2**30  # a line has some 500 bytes, and a dataset at most 2^20 files
MAX_PENDING = 256  # bytes; it holds the name of a tenant
_CHANGE = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_PATIENCE, _PAUSE = 1.0, 0.02  # seconds until the workers of a killed seal are gone

__all__ = [
    "FOLDER",
    "READ",
    "DirectoryVault",
    "NewFile",
    "OpenFile",
    "PlainFolder",
    "directory_vault",
    "holding",
    "is_plain",
    "opened",
    "translated",
]


class NewFolder:
    """A folder of ours that is being filled."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @contextmanager
    def create(self, name: str) -> Iterator[NewFile]:
        """Create a file and the folders above it."""
        parts = name.split("/")
        for depth in range(1, len(parts)):
            with translated(name), suppress(FileExistsError):
                os.mkdir("/".join(parts[:depth]), 0o700, dir_fd=self._descriptor)
        with holding(name, self._descriptor) as (folder, last), opened(last, CREATE, folder, name) as descriptor:
            yield NewFile(descriptor, name)


@contextmanager
def new_folder(path: Path) -> Iterator[NewFolder]:
    """Fill a hidden folder beside `path` and rename it there at the end; after any error nothing is left."""
    if path.exists() or path.is_symlink():
        raise Conflict(f"{path} exists already; name a folder that does not")
    partial = path.with_name(f".{path.name}.partial-{secrets.token_hex(8)}")
    with translated(path.parent):
        partial.mkdir(mode=0o700)
    try:
        with opened(str(partial), FOLDER) as descriptor:
            yield NewFolder(descriptor)
        with translated(path):
            partial.rename(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


class Place(NewFolder):
    """A folder of ours in which objects are written, read again, and removed."""

    def open(self, name: str) -> AbstractContextManager[OpenFile]:
        """Open one file."""
        return DirectoryVault(self._descriptor).open(name)

    def read(self, name: str, limit: int) -> bytes:
        """Return a whole small file."""
        return DirectoryVault(self._descriptor).read(name, limit)

    def remove(self, name: ObjectId) -> None:
        """Remove an object and its hashes."""
        for path in (f"objects/{name}", f"chunks/{name}"):
            with translated(path), suppress(FileNotFoundError):
                os.unlink(path, dir_fd=self._descriptor)


class StagedFolder(Place):
    """A sealed dataset on its way: locked by its writer as long as that lives."""

    def __init__(self, descriptor: int, path: Path, root: Path) -> None:
        super().__init__(descriptor)
        self._root, self.path, self.settled, self.published = root, path, False, False

    @property
    def descriptor(self) -> int:
        """Return the open folder; whoever inherits it holds the lock too."""
        return self._descriptor

    @property
    def key_file(self) -> bytes:
        """Return the file of the wrapped key."""
        return self._read(KEY_FILE, MAX_KEY_FILE)

    @property
    def journal(self) -> bytes:
        """Return what was noted."""
        return self._read(JOURNAL, MAX_JOURNAL)

    def _read(self, name: str, limit: int) -> bytes:
        with suppress(NotFound):
            return self.read(name, limit)
        return b""

    def note(self, line: bytes) -> None:
        """Append to the journal; a line that is torn by a crash is not read again."""
        with opened(JOURNAL, CREATE & ~os.O_EXCL | os.O_APPEND, self._descriptor) as descriptor:
            NewFile(descriptor, JOURNAL).write(line)

    def keep(self, objects: Sequence[ObjectId], journal: int) -> None:
        """Remove what no line of the journal stands for."""
        wanted = frozenset(objects)
        for folder in ("objects", "chunks"):
            be_folder(folder, self._descriptor)
            with opened(folder, FOLDER, self._descriptor) as descriptor:
                clear(descriptor, wanted)
        clear(self._descriptor, _UNFINISHED)
        with opened(JOURNAL, _CHANGE, self._descriptor) as descriptor, translated(JOURNAL):
            os.ftruncate(descriptor, journal)

    def publish(self, dataset: DatasetId, epoch: int) -> None:
        """Flush all files and folders, then rename."""
        target = self._root / dataset / str(epoch)
        with translated(target):
            target.parent.mkdir(mode=0o700, exist_ok=True)
            flush(self.path)
            try:
                self.path.rename(target)
            except OSError as error:
                if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise Conflict(f"epoch {epoch} of this dataset is being sealed by somebody else") from error
                raise
            self.path, self.published = target, True
            for folder in (target.parent, self._root, self._root / STAGING):
                _fsync(folder)

    def settle(self, envelope: bytes | None) -> None:
        """Write the envelope, then remove the mark."""
        with translated(self.path):
            if envelope is not None:
                with self.create("seal.dsse") as sink:
                    sink.write(envelope)
                _fsync(self.path / "seal.dsse")
            _unmark(self.path)
            _fsync(self.path)
        self.settled = True

    def is_empty(self) -> bool:
        """Tell whether no object was begun, or none can be found any more."""
        try:
            with opened("objects", FOLDER, self._descriptor) as descriptor:
                return not os.listdir(descriptor)  # noqa: PTH208 - by descriptor
        except UsageError:
            return True

    def discard(self) -> None:
        """Remove what there is, renamed away first so that no half of it stays in a published place."""
        doomed = self._root / STAGING / secrets.token_hex(8)
        with suppress(OSError):
            self.path.rename(doomed)
            self.path = doomed
        shutil.rmtree(self.path, ignore_errors=True)


class Home:
    """The sealed datasets below one home directory."""

    def __init__(self, home: Path) -> None:
        self.root = home / "datasets"

    @contextmanager
    def vault(self, dataset: DatasetId, epoch: int) -> Iterator[DirectoryVault]:
        """Open a sealed dataset for reading."""
        path = self.root / dataset / str(epoch)
        if not path.is_dir():
            raise NotFound(f"epoch {epoch} of dataset {dataset} is not on this machine: {path} is missing")
        with directory_vault(path) as vault:
            yield vault

    @contextmanager
    def staging(self, tenant: Tenant, recorded: Mapping[DatasetId, int]) -> Iterator[StagedFolder]:
        """Start a sealed dataset; what is neither settled nor of unknown outcome is removed at the end."""
        with self._turn():
            self._sweep(tenant, recorded)
            staged = self._started(tenant)
        try:
            yield staged
        except BaseException as error:
            if not _outcome_unknown(error):
                staged.discard()
            raise
        else:
            if not staged.settled:
                staged.discard()
        finally:
            os.close(staged.descriptor)

    @contextmanager
    def working(
        self, tenant: Tenant, recorded: Mapping[DatasetId, int], mine: Callable[[Work], bool | None]
    ) -> Iterator[StagedFolder]:
        """Go on with an unfinished seal, or start one; unless it is settled or refused it stays for the next time."""
        with self._turn():
            self._sweep(tenant, recorded)
            work = self._unfinished(tenant, mine) or self._started(tenant)
        try:
            yield work
        except BaseException as error:
            if work.is_empty() or (work.published and not _outcome_unknown(error)):
                work.discard()
            raise
        else:
            if not work.settled:
                work.discard()
        finally:
            os.close(work.descriptor)

    def _started(self, tenant: Tenant) -> StagedFolder:
        path = self.root / STAGING / secrets.token_hex(8)
        with translated(path):
            path.mkdir(mode=0o700)
            descriptor = os.open(path, FOLDER)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            for folder in ("objects", "chunks"):
                (path / folder).mkdir(mode=0o700)
            (path / PENDING).write_text(tenant + "\n")
        return StagedFolder(descriptor, path, self.root)

    def _unfinished(self, tenant: Tenant, mine: Callable[[Work], bool | None]) -> StagedFolder | None:
        """Return the unfinished seal that is wanted, locked; remove those that nobody can go on with."""
        for path in sorted((self.root / STAGING).glob(f"*/{JOURNAL}")):
            work, lock = None, None if path.parent.is_symlink() else _locked_soon(path.parent)
            if lock is None:
                continue
            if not _is_of(path.parent, tenant):
                os.close(lock)
                continue
            try:
                work = StagedFolder(lock, path.parent, self.root)
                answer = mine(work)
            except BaseException:
                os.close(lock)
                raise
            if answer:
                return work
            if answer is None:
                work.discard()
            os.close(lock)
        return None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with translated(self.root):
            (self.root / STAGING).mkdir(mode=0o700, parents=True, exist_ok=True)
        with opened(str(self.root / STAGING / ".turn"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield

    def _sweep(self, tenant: Tenant, recorded: Mapping[DatasetId, int]) -> None:
        """Remove what killed writers left and nobody can go on with: whoever lives holds a lock."""
        for path in (self.root / STAGING).iterdir():
            if path.is_dir() and not path.is_symlink() and (lock := _locked_soon(path, 0)) is not None:
                if not _may_go_on(path, recorded):
                    shutil.rmtree(path, ignore_errors=True)
                os.close(lock)
        for mark in self.root.glob(f"[0-9a-f]*/*/{PENDING}"):
            path = mark.parent
            if _is_of(path, tenant) and (lock := _locked_soon(path, 0)) is not None:
                if _is_of(path, tenant):  # its writer may just have been done with it
                    _finish(path, self.root, recorded)
                os.close(lock)


def _finish(path: Path, root: Path, recorded: Mapping[DatasetId, int]) -> None:
    try:
        known = int(path.name) <= recorded.get(dataset_id(path.parent.name), 0)
    except (MalformedInput, ValueError):
        return  # not a folder of ours
    if known:
        _unmark(path)  # recorded; only the writer's last step is missing
    elif (path / JOURNAL).exists():
        path.rename(root / STAGING / secrets.token_hex(8))  # nobody was told of it: whoever seals again goes on
    else:
        StagedFolder(-1, path, root).discard()


def _unmark(path: Path) -> None:
    """Let a dataset be complete: the mark goes last."""
    (path / JOURNAL).unlink(missing_ok=True)
    (path / PENDING).unlink()


def _may_go_on(path: Path, recorded: Mapping[DatasetId, int]) -> bool:
    """Tell whether there is something to go on with: a journal, of an epoch that is not recorded yet."""
    try:
        if not (path / JOURNAL).exists() or not (path / PENDING).exists():
            return False
        with directory_vault(path) as vault:
            key = read_key_file(vault.read(KEY_FILE, MAX_KEY_FILE))
    except UsageError:
        return False
    return key.epoch > recorded.get(key.dataset, 0)


def _is_of(path: Path, tenant: Tenant) -> bool:
    try:
        with directory_vault(path) as vault:
            return vault.read(PENDING, MAX_PENDING) == f"{tenant}\n".encode()
    except UsageError:  # its writer is just about to be done with it, or it is none of ours
        return False


def _locked_soon(path: Path, patience: float = _PATIENCE) -> int | None:
    """Lock a folder; where its writer was killed just now, wait for its workers to end. None where it is gone too."""
    deadline = time.monotonic() + patience
    with suppress(NotFound):
        while (lock := locked(path)) is None and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        return lock
    return None


def locked(path: Path) -> int | None:
    """Lock a folder until the descriptor is closed; None where somebody else holds it."""
    with translated(path):
        descriptor = os.open(path, FOLDER)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _outcome_unknown(error: BaseException) -> bool:
    """Tell whether the control plane may have recorded the seal although we saw an error."""
    return isinstance(error, InternalError | Unavailable) or not isinstance(error, RingfenceError | OSError)


def flush(path: Path) -> None:
    """Flush everything below `path` to disk: files before the folders that name them."""
    for folder, _, names in os.walk(path, topdown=False):
        for name in names:
            _fsync(Path(folder, name))
        _fsync(Path(folder))


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
