"""The log's resources as files below one directory: what any static web server can publish."""

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ringfence.kernel.errors import Conflict, InternalError, Unavailable
from ringfence.ledger import tiling

_SYNCS = 4  # a file system commits concurrent fsyncs together, so a group costs little more than one


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
        if present not in (None, data):
            raise Conflict(f"{path} is in the log already with other content: has an older state been restored?")
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
