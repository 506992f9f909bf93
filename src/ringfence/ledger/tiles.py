"""The log's resources as files below one directory, or as objects in a store: what anybody can mirror."""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from ringfence.kernel.errors import Conflict, InternalError, RingfenceError, Unavailable, UsageError
from ringfence.ledger import tiling
from ringfence.ledger.ports import Tiles

_SYNCS = 4  # a file system commits concurrent fsyncs together, so a group costs little more than one
PAUSES = (0.1, 0.5, 2.0)  # seconds between the attempts at a store that does not answer
# Stores in which an object appears whole or not at all. Others (SFTP, FTP, WebDAV …) show a file while it is written.
ATOMIC = ("s3", "gs", "gcs", "az", "abfs", "abfss", "oss", "memory")

_Answer = TypeVar("_Answer")


class DirectoryTiles:
    """Keep tiles as files: `<directory>/checkpoint`, `<directory>/tile/…`.

    One process writes at a time; any number may read.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: set[Path] = set()  # directories whose own entry is durable
        self._pool = ThreadPoolExecutor(_SYNCS, "tiles-fsync")

    def read(self, path: str) -> bytes | None:
        """Return the content under `path`, or None where there is none."""
        if not tiling.is_path(path):
            return None
        try:
            return (self._directory / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise Unavailable(f"the log's file {path} cannot be read: {error.strerror}") from error

    def write(self, path: str, data: bytes) -> None:
        """Make one resource durable; see `write_all`."""
        self.write_all({path: data})

    def write_all(self, resources: Mapping[str, bytes]) -> None:
        """Make resources durable: temporary files, fsync, rename, then one fsync per directory."""
        fresh = {self._directory / path: data for path, data in resources.items() if self._is_new(path, data)}
        folders = {(self._directory / path).parent for path in resources}
        try:
            touched = folders.union(*[self._make(folder) for folder in folders])
            for _ in self._pool.map(_write_beside, fresh.items()):
                pass
            for file in fresh:
                _beside(file).replace(file)
            self._sync(touched)
        except OSError as error:
            raise Unavailable(f"the log's directory cannot be written: {error.strerror}") from error
        self._known |= touched

    def discard(self, paths: Sequence[str]) -> None:
        """Forget all partial tiles of the full tiles `paths`."""
        for path in paths:
            shutil.rmtree(self._directory / f"{path}.p", ignore_errors=True)

    def _is_new(self, path: str, data: bytes) -> bool:
        if not tiling.is_path(path):
            raise InternalError(f"{path!r} is not a path of a log")
        present = None if path == tiling.CHECKPOINT else self.read(path)
        _check_same(path, present, data)
        return present is None

    def _make(self, folder: Path) -> set[Path]:
        """Create `folder`; return it with all its parents that must be synced for it to stay."""
        folder.mkdir(parents=True, exist_ok=True)
        chain = {folder}
        while folder not in self._known and folder != self._directory.parent:
            folder = folder.parent
            chain.add(folder)
        return chain

    def _sync(self, folders: Iterable[Path]) -> None:
        for _ in self._pool.map(_sync_folder, folders):
            pass


def _beside(file: Path) -> Path:
    return file.with_name(f".{file.name}.new")


def _write_beside(item: tuple[Path, bytes]) -> None:
    file, data = item
    with _beside(file).open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ObjectTiles:
    """Keep tiles as objects below one address of an fsspec file system.

    A tile is created where there is none: by the store itself where it can (S3's `If-None-Match`), and compared before
    in any case, so that of two writers with different tiles the second learns it. Nothing is ever listed but partial
    tiles that are to be forgotten.
    """

    def __init__(self, url: str, *, pauses: Sequence[float] = PAUSES) -> None:
        self._store, self._root = _opened(url)
        self._pauses = pauses
        self._pool = ThreadPoolExecutor(_SYNCS, "tiles-put")

    def read(self, path: str) -> bytes | None:
        """Return the content under `path`, or None where there is none."""
        return self._get(path) if tiling.is_path(path) else None

    def write(self, path: str, data: bytes) -> None:
        """Make one resource durable; see `write_all`."""
        self.write_all({path: data})

    def write_all(self, resources: Mapping[str, bytes]) -> None:
        """Make resources durable: first every tile, then the checkpoint."""
        present = dict(zip(resources, self._pool.map(self._present, resources), strict=True))
        for path, data in resources.items():
            _check_same(path, present[path], data)
        tiles = [path for path in resources if path != tiling.CHECKPOINT and present[path] is None]
        for _ in self._pool.map(lambda path: self._create(path, resources[path]), tiles):
            pass
        if (note := resources.get(tiling.CHECKPOINT)) is not None:
            self._asked(lambda: self._store.pipe_file(self._place(tiling.CHECKPOINT), note))

    def discard(self, paths: Sequence[str]) -> None:
        """Forget all partial tiles of the full tiles `paths`, as far as the store lets itself be listed."""
        for path in paths:
            with suppress(Exception):  # they are of no harm where they stay
                if partial := self._store.find(self._place(f"{path}.p/")):
                    self._store.rm(partial)

    def _present(self, path: str) -> bytes | None:
        if not tiling.is_path(path):
            raise InternalError(f"{path!r} is not a path of a log")
        return None if path == tiling.CHECKPOINT else self._get(path)

    def _get(self, path: str) -> bytes | None:
        def ask() -> bytes | None:
            try:
                return bytes(self._store.cat_file(self._place(path)))
            except FileNotFoundError:
                return None

        return self._asked(ask)

    def _create(self, path: str, data: bytes) -> None:
        def ask() -> None:
            try:
                self._store.pipe_file(self._place(path), data, mode="create")
            except FileExistsError:  # by another writer, or by an attempt of ours whose answer was lost
                _check_same(path, self._get(path), data)

        self._asked(ask)

    def _asked(self, ask: Callable[[], _Answer]) -> _Answer:
        """Ask the store, again where it does not answer; every request of ours may be repeated."""
        for pause in (*self._pauses, None):
            try:
                return ask()
            except RingfenceError:
                raise
            except Exception as error:  # each store's driver has its own errors
                if pause is None:
                    raise Unavailable(
                        f"the log's store does not answer ({type(error).__name__}); the statements stay sequenced and "
                        "are published when it does"
                    ) from error
                time.sleep(pause)
        raise InternalError("the attempts ended without an answer")

    def _place(self, path: str) -> str:
        return f"{self._root}/{path}"


def tiles_at(url: str, directory: Path) -> Tiles:
    """Return where a log's resources are: at an address, else in a directory.

    Raises:
        UsageError: the address is none, holds a secret, or is of a store that would show a tile while it is written.
        Unavailable: the driver of the store is not installed.
    """
    if not url:
        return DirectoryTiles(directory)
    if urlsplit(url).scheme == "file":
        return DirectoryTiles(Path(unquote(urlsplit(url).path)))
    return ObjectTiles(url)


def _opened(url: str) -> tuple[Any, str]:
    parts = urlsplit(url)
    if parts.scheme not in ATOMIC:
        raise UsageError(
            f"the log's address begins with one of file, {', '.join(ATOMIC)}, and not with {parts.scheme!r}"
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError("the log's address holds no secret and no parameter; the store's driver reads its environment")
    import fsspec

    try:
        store, root = fsspec.url_to_fs(url, skip_instance_cache=True, use_listings_cache=False)
    except ImportError as error:
        raise Unavailable(f"the driver of {parts.scheme}:// is not installed: {error}") from error
    return store, root.rstrip("/")


def _check_same(path: str, present: bytes | None, data: bytes) -> None:
    if present not in (None, data):
        raise Conflict(f"{path} is in the log already with other content: has an older state been restored?")
