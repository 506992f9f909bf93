"""Sealed datasets and plain trees as files: by descriptor, without following links, never by name twice."""

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ringfence.artifacts.model import DatasetId, dataset_id
from ringfence.artifacts.plain import (
    FOLDER,
    READ,
    DirectoryVault,
    NewFile,
    OpenFile,
    PlainFolder,
    directory_vault,
    holding,
    is_plain,
    opened,
    translated,
)
from ringfence.artifacts.ports import Work
from ringfence.artifacts.seal import KEY_FILE, MAX_KEY_FILE, read_key_file
from ringfence.artifacts.staged import (
    JOURNAL,
    PENDING,
    STAGING,
    NewFolder,
    Place,
    StagedFolder,
    flush,
    unmark,
)
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

MAX_PENDING = 256  # bytes; it holds the name of a tenant
_PATIENCE, _PAUSE = 1.0, 0.02  # seconds until the workers of a killed seal are gone

__all__ = [
    "FOLDER",
    "JOURNAL",
    "PENDING",
    "READ",
    "STAGING",
    "DirectoryVault",
    "NewFile",
    "NewFolder",
    "OpenFile",
    "Place",
    "PlainFolder",
    "StagedFolder",
    "directory_vault",
    "flush",
    "holding",
    "is_plain",
    "opened",
    "translated",
]


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
        unmark(path)  # recorded; only the writer's last step is missing
    elif (path / JOURNAL).exists():
        path.rename(root / STAGING / secrets.token_hex(8))  # nobody was told of it: whoever seals again goes on
    else:
        StagedFolder(-1, path, root).discard()


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
