"""A folder for each node below one directory, and locks beside them."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringfence.compute.model import NodeId
from ringfence.storage.files import explained


class Folders:
    """The folders of the nodes below one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def folder(self, node: NodeId) -> Path:
        """Return the node's folder."""
        return self.directory / node

    def make(self, node: NodeId) -> Path:
        """Make the node's folder where it is missing, for nobody else to read; return it."""
        folder = self.folder(node)
        with explained(folder, "make"):
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def folders(self) -> list[NodeId]:
        """Return the nodes that have a folder."""
        try:
            return sorted(NodeId(entry.name) for entry in self.directory.iterdir() if entry.name.startswith("n-"))
        except OSError:
            return []

    def clear(self, node: NodeId) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder(node), ignore_errors=True)

    def remove(self, node: NodeId) -> None:
        """Remove the folder, and the lock, which the caller holds."""
        self.clear(node)
        self._lock(node).unlink(missing_ok=True)

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Let one of ours at a time work on a node; the kernel frees the lock with its holder."""
        path, mine = self._lock(name), False
        while not mine:
            with explained(path, "lock"):
                self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                file = path.open("w")
            with file:
                fcntl.flock(file, fcntl.LOCK_EX)
                mine = _is(path, file.fileno())
                if mine:
                    yield

    def _lock(self, name: str) -> Path:
        return self.directory / f".{name}.lock"


def _is(path: Path, descriptor: int) -> bool:
    """Return whether a file still has its name: who held the lock before us may have removed it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
