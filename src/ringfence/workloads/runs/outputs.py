"""The folder that a command leaves: made empty, read without following a link, filled from a node."""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringfence.artifacts.blobs import NewFolder
from ringfence.artifacts.ports import Folder
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, RingfenceError
from ringfence.storage.files import explained
from ringfence.workloads.runs import tarball
from ringfence.workloads.runs.model import MAX_OUTPUT_BYTES, MAX_OUTPUTS, Output, Outputs

LIMITS = tarball.Limits(MAX_OUTPUTS, MAX_OUTPUT_BYTES)
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PIECE = 2**20


def prepare(path: Path) -> None:
    """Make the folder, or take one that is empty; raise `Conflict` where something is in it."""
    with explained(path, "make"):
        path.mkdir(parents=True, exist_ok=True)
        held = any(path.iterdir())
    if held:
        raise Conflict(f"{path} is not empty; name a folder that is empty or does not exist yet")


def clear(path: Path) -> None:
    """Remove what came of a run of whose end nothing is known: it would look like outputs."""
    for child in path.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child, ignore_errors=True)
        else:
            child.unlink(missing_ok=True)


def read(path: Path) -> Outputs:
    """Digest the plain files of a folder; what is anything else, or one too many, is counted."""
    files: list[Output] = []
    skipped = 0
    unread: list[OSError] = []  # folders that nobody may open
    for where, folders, names, descriptor in os.fwalk(path, follow_symlinks=False, onerror=unread.append):
        folders.sort()
        skipped += sum(not stat.S_ISDIR(_mode(name, descriptor)) for name in folders)  # links to folders
        for name in sorted(names):
            found = _digested(name, descriptor, _shown(Path(where, name).relative_to(path)))
            if found is None or len(files) >= MAX_OUTPUTS:
                skipped += 1
            else:
                files.append(found)
    return Outputs(tuple(sorted(files, key=lambda file: file.path)), skipped + len(unread))


def _mode(name: str, folder: int) -> int:
    return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode


def _shown(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _digested(name: str, folder: int, path: str) -> Output | None:
    try:
        descriptor = os.open(name, _FLAGS, dir_fd=folder)
    except OSError:  # a link, or a file that may not be read
        return None
    state, size = hashlib.sha256(), 0
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        while piece := file.read(_PIECE):
            state.update(piece)
            size += len(piece)
    return Output(path, size, Digest(state.digest()))


@contextmanager
def opened(path: Path) -> Iterator[NewFolder]:
    """Open the folder for writing by descriptor."""
    with explained(path, "open"):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield NewFolder(descriptor)
    finally:
        os.close(descriptor)


def take(read_bytes: tarball.Read, folder: Folder, limits: tarball.Limits = LIMITS) -> tuple[Output, ...]:
    """Write the files of a stream that a node sends, and digest what arrives."""
    files = []
    for name, size, pieces in tarball.members(read_bytes, limits):
        state = hashlib.sha256()
        try:
            with folder.create(name) as sink:
                for piece in pieces:
                    state.update(piece)
                    sink.write(piece)
        except MalformedInput:
            raise
        except RingfenceError as error:
            raise type(error)(f"{name!r} cannot be kept: {error}") from error
        files.append(Output(name, size, Digest(state.digest())))
    return tuple(sorted(files, key=lambda file: file.path))
