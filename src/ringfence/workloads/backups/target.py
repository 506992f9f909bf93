"""Where backups lie: a folder, or anything that fsspec reaches; contents by their digest, indexes by theirs."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, Unavailable, VerificationFailed
from ringfence.storage.files import PRIVATE, explained

PIECE = 2**20


class Target(Protocol):
    """A place that keeps contents by name."""

    @property
    def kind(self) -> str:
        """Return `folder` or `remote`."""
        ...

    def size(self, name: str) -> int | None:
        """Return how long a content is; None where it is not there as a whole."""
        ...

    def write(self, name: str, pieces: Iterator[bytes]) -> None:
        """Keep a content; it appears under its name as a whole or not at all."""
        ...

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a content; raise `NotFound` where there is none."""
        ...


def content_of(digest: Digest) -> str:
    """Return the name of a content."""
    return f"contents/{digest.hex[:2]}/{digest.hex}"


def index_of(digest: Digest) -> str:
    """Return the name of an index."""
    return f"indexes/{digest.hex}.json"


def target_of(text: str) -> Target:
    """Return the target that a person names: a path, or an address with `://` for fsspec.

    What fsspec itself would find on this machine is a folder: what holds for folders holds for it.
    """
    if "://" not in text:
        return FolderTarget(Path(text).absolute())
    import fsspec
    from fsspec.implementations.local import LocalFileSystem

    try:
        system, path = fsspec.core.url_to_fs(text)
    except (ImportError, ValueError, OSError) as error:
        raise MalformedInput(f"{text[:200]!r} cannot be reached by fsspec: {error}") from error
    if isinstance(system, LocalFileSystem):
        return FolderTarget(Path(path).absolute())
    return RemoteTarget(system, path.rstrip("/"))


class FolderTarget:
    """A folder of this machine, or one that is mounted."""

    kind = "folder"

    def __init__(self, path: Path) -> None:
        self.path = path

    def size(self, name: str) -> int | None:
        """Return how long a content is."""
        path = self.path / name
        with explained(path, "read"):
            return path.stat().st_size if path.is_file() and not path.is_symlink() else None

    def write(self, name: str, pieces: Iterator[bytes]) -> None:
        """Write beside, flush, rename."""
        path = self.path / name
        with explained(path, "write"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.{os.getpid()}.part")
            held = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
            try:
                with os.fdopen(held, "wb") as sink:
                    for piece in pieces:
                        sink.write(piece)
                    sink.flush()
                    os.fsync(sink.fileno())
                part.rename(path)
            finally:
                part.unlink(missing_ok=True)

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a content."""
        path = self.path / name
        if not path.is_file():
            raise NotFound(f"{name} is not in the backup at {self.path}")
        with explained(path, "read"), path.open("rb") as file:
            yield from _pieces(file)


class RemoteTarget:
    """Anything that fsspec reaches."""

    kind = "remote"

    def __init__(self, system: Any, root: str) -> None:
        self.system, self.root = system, root

    def shares(self, other: "RemoteTarget") -> bool:
        """Tell whether two may be one place, or one lies in the other: whatever account each is reached with."""
        if type(self.system) is not type(other.system) or _server(self.system) != _server(other.system):
            return False
        first, second = (f"{one.root.strip('/')}/".lstrip("/") for one in (self, other))
        return first.startswith(second) or second.startswith(first)

    def size(self, name: str) -> int | None:
        """Return how long a content is."""
        try:
            found = self.system.info(f"{self.root}/{name}")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(f"{name} cannot be looked up in the backup: {error}") from error
        return int(found["size"]) if found.get("type") == "file" else None

    def write(self, name: str, pieces: Iterator[bytes]) -> None:
        """Write beside and move; object stores do that by a copy."""
        path = f"{self.root}/{name}"
        try:
            self.system.makedirs(path.rpartition("/")[0], exist_ok=True)
            with self.system.open(f"{path}.part", "wb") as sink:
                for piece in pieces:
                    sink.write(piece)
            self.system.mv(f"{path}.part", path)
        except OSError as error:
            raise Unavailable(f"{name} cannot be written into the backup: {error}") from error

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a content."""
        try:
            with self.system.open(f"{self.root}/{name}", "rb") as file:
                yield from _pieces(file)
        except FileNotFoundError as error:
            raise NotFound(f"{name} is not in the backup") from error
        except OSError as error:
            raise Unavailable(f"{name} cannot be read from the backup: {error}") from error


def _server(system: Any) -> tuple[str, ...]:
    """Return what names a server among the options by which fsspec reaches it."""
    options = getattr(system, "storage_options", {})
    return tuple(str(options.get(name, "")) for name in ("host", "port", "endpoint_url", "account_name"))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def read_whole(target: Target, name: str, expected: Digest, limit: int) -> bytes:
    """Return a small content; raise `VerificationFailed` where it is not what its digest names."""
    found = bytearray()
    for piece in target.read(name):
        found += piece
        if len(found) > limit:
            raise VerificationFailed(f"{name} in the backup is longer than it can be")
    if Digest.of(bytes(found)) != expected:
        raise VerificationFailed(f"{name} in the backup is not what was stated")
    return bytes(found)
