"""Read sealed datasets through fsspec: `sealed://NAME/path`.

Every filesystem object asks for access once per dataset: the opening is recorded and published before the key is
unwrapped. Objects are not shared between callers (`cachable` is off), so that each use is recorded by itself.
"""

import io
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fsspec.spec import AbstractFileSystem

from ringfence.artifacts.blobs import Home
from ringfence.artifacts.local import RecordedAccess
from ringfence.artifacts.model import DatasetName, ReadMode, Sealed, dataset_name, purpose
from ringfence.artifacts.opening import OpenDataset, open_dataset
from ringfence.artifacts.ports import Access, Keyring
from ringfence.artifacts.reader import ObjectReader
from ringfence.kernel.errors import NotFound, UsageError
from ringfence.settings import Settings


class ConnectedAccess:
    """The `Access` port through the one client, connected anew for each request."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @contextmanager
    def _access(self) -> Iterator[RecordedAccess]:
        from ringfence.frontends.client import connect

        with connect(self._settings) as client:
            yield RecordedAccess(client)

    def known(self) -> list[Sealed]:
        """Return what is recorded."""
        with self._access() as access:
            return access.known()

    def request(self, name: DatasetName, code: str) -> Sealed:
        """Record an opening."""
        with self._access() as access:
            return access.request(name, code)


class SealedFile(io.RawIOBase):
    """One file of a sealed dataset, open for reading with seeking."""

    def __init__(self, reader: ObjectReader, stack: ExitStack) -> None:
        super().__init__()
        self._reader, self._stack, self._at = reader, stack, 0

    @property
    def size(self) -> int:
        """Return the length of the plaintext."""
        return self._reader.size

    def readable(self) -> bool:
        """Reading is what it is for."""
        return True

    def seekable(self) -> bool:
        """Every chunk can be read by itself."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; a place before the start is refused, one behind the end reads nothing."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}.get(whence)
        if base is None or base + offset < 0:
            raise ValueError("seek to before the start of the file, or from an unknown place")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with verified bytes."""
        with memoryview(buffer) as view:
            count = self._reader.read_into(self._at, view.cast("B"))
        self._at += count
        return count

    def readall(self) -> bytes:
        """Return everything from here on."""
        data = self._reader.read_at(self._at, max(0, self.size - self._at))
        self._at += len(data)
        return data

    def close(self) -> None:
        """Overwrite the buffer and close the object."""
        if not self.closed:
            self._stack.close()
        super().close()


class SealedFileSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Sealed datasets, read-only; the first part of a path is the dataset's name."""

    protocol = "sealed"
    root_marker = ""
    cachable = False

    def __init__(
        self,
        home: str | Path | None = None,
        purpose_code: str = "read",
        mode: str = "tag",
        access: Access | None = None,
        keyring: Callable[[], Keyring] | None = None,
        **options: Any,
    ) -> None:
        """Prepare; nothing is opened or recorded yet.

        Args:
            home: home directory; `RINGFENCE_HOME` if not given.
            purpose_code: short code that goes into `dataset.opened`.
            mode: `tag`, or `audit` to check each chunk's hash against the signed tree too.
            access: the port that records; by default the API's client.
            keyring: gives the key-encryption key; by default that of the home directory.
            options: fsspec's own.
        """
        super().__init__(**options)
        settings = Settings.from_environment()
        self._settings = settings if home is None else replace(settings, home=Path(home).expanduser().absolute())
        self._purpose = purpose(purpose_code)
        if mode not in {known.value for known in ReadMode}:
            raise UsageError(f"mode is tag or audit, not {mode!r}")
        self._mode = ReadMode(mode)
        self._access = access or ConnectedAccess(self._settings)
        self._keyring = keyring or self._home_keyring
        self._opened: dict[DatasetName, OpenDataset] = {}
        self._stack = ExitStack()
        weakref.finalize(self, self._stack.close)

    def _home_keyring(self) -> Keyring:
        from ringfence.artifacts.keyring import at_home

        return at_home(self._settings.home, self._settings.passphrase())

    def close(self) -> None:
        """Overwrite every dataset key that was unwrapped."""
        self._opened.clear()
        self._stack.close()

    def _dataset(self, name: DatasetName) -> OpenDataset:
        if name not in self._opened:
            granted = self._access.request(name, self._purpose)
            vault = self._stack.enter_context(Home(self._settings.home).vault(granted.dataset, granted.epoch))
            opening = open_dataset(vault, granted.seal, granted.epoch, self._keyring())
            self._opened[name] = self._stack.enter_context(opening)
        return self._opened[name]

    def _split(self, path: str) -> tuple[DatasetName, str]:
        name, _, inner = str(self._strip_protocol(path)).strip("/").partition("/")
        return dataset_name(name), inner

    def ls(self, path: str, detail: bool = True, **_options: Any) -> list[Any]:  # noqa: FBT001, FBT002 - fsspec's
        """List a folder; the root lists datasets, which uses no key."""
        if not str(self._strip_protocol(path)).strip("/"):
            found = [_entry(dataset.name) for dataset in self._access.known()]
        else:
            found = self._children(*self._split(path))
        return found if detail else [entry["name"] for entry in found]

    def _children(self, name: DatasetName, inner: str) -> list[dict[str, Any]]:
        dataset = self._dataset(name)
        if inner in dataset.files:
            return [_entry(f"{name}/{inner}", dataset.files[inner].size)]
        prefix = f"{inner}/" if inner else ""
        found: dict[str, dict[str, Any]] = {}
        for path, file in dataset.files.items():
            if path.startswith(prefix):
                child, _, below = path[len(prefix) :].partition("/")
                place = f"{name}/{prefix}{child}"
                found[child] = _entry(place) if below else _entry(place, file.size)
        if not found:
            raise FileNotFoundError(f"{name}/{inner}")
        return list(found.values())

    def info(self, path: str, **_options: Any) -> dict[str, Any]:
        """Describe one file or folder."""
        name, inner = self._split(path)
        children = self._children(name, inner)
        if len(children) == 1 and children[0]["name"] == f"{name}/{inner}":
            return children[0]
        return _entry(f"{name}/{inner}".rstrip("/"))

    def _open(self, path: str, mode: str = "rb", **_options: Any) -> io.BufferedReader:
        if mode != "rb":
            raise UsageError("sealed datasets are read-only; seal a new epoch to change one")
        name, inner = self._split(path)
        stack = ExitStack()
        try:
            reader = stack.enter_context(self._dataset(name).reader(inner, self._mode))
        except NotFound as error:
            raise FileNotFoundError(f"{name}/{inner}") from error
        return io.BufferedReader(SealedFile(reader, stack))


def _entry(name: str, size: int | None = None) -> dict[str, Any]:
    return {"name": name, "size": size or 0, "type": "directory" if size is None else "file"}
